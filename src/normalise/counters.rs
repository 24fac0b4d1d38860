//! Counters of records that contradict each other or are missing.

use std::collections::BTreeSet;

use arrow::array::Int64Array;

use crate::error::Result;
use crate::normalise::columns::CanonicalColumns;
use crate::normalise::exchange::SIDES;
use crate::normalise::fields::BadRows;
use crate::normalise::flow_rows::{counts, value};
use crate::normalise::log::Log;
use crate::normalise::spec::{Kind, Spec};
use crate::normalise::values::Cells;

/// Payload bytes of an endpoint, and its bytes with headers.
const PAYLOAD: [(&str, &str); 2] = [
    ("src_payload_bytes", "src_bytes"),
    ("dst_payload_bytes", "dst_bytes"),
];

/// Number of good records that state a total of both endpoints, and other counters of these.
pub fn contradicted_totals(
    log: &Log<'_>,
    spec: &Spec,
    columns: &CanonicalColumns<'_>,
    bad: &BadRows,
) -> Result<u64> {
    let (mut compared, mut found) = (BTreeSet::new(), BTreeSet::new());
    for field in &spec.fields {
        let [total, _] = field.columns.as_slice() else {
            continue;
        };
        let sides = SIDES
            .iter()
            .find(|(one, other)| [one, other].contains(&&field.target.as_str()));
        let (Kind::Difference, Some((one, other))) = (field.kind, sides) else {
            continue;
        };
        let (Some(one), Some(other)) = (counts(columns, one), counts(columns, other)) else {
            continue;
        };
        if compared.insert(total) {
            let total = Cells::find(log, total, &spec.nulls)?;
            found.extend((0..log.rows()).filter(|row| {
                let side = |counts: &Int64Array| value(Some(counts), *row).map(i128::from);
                let sum = side(one).zip(side(other)).map(|(one, other)| one + other);
                sum.is_some_and(|sum| {
                    let total = total.count(*row).ok().flatten();
                    total.is_some_and(|total| i128::from(total) != sum)
                })
            }));
        }
    }
    found.retain(|row| !bad.contains_key(row));
    Ok(found.len() as u64)
}

/// Number of good records in which an endpoint has payload bytes, but no bytes with headers.
pub fn payload_only(columns: &CanonicalColumns<'_>, rows: usize, bad: &BadRows) -> u64 {
    let pairs = PAYLOAD.map(|(payload, bytes)| (counts(columns, payload), counts(columns, bytes)));
    if pairs.iter().all(|(payload, _)| payload.is_none()) {
        return 0;
    }
    let is_payload_only = |row: &usize| {
        !bad.contains_key(row)
            && pairs.iter().any(|(payload, bytes)| {
                value(*payload, *row) > Some(0) && value(*bytes, *row).is_none()
            })
    };
    (0..rows).filter(is_payload_only).count() as u64
}
