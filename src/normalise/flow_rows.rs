//! Columns of records to columns of flows.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Int64Array, TimestampMicrosecondArray, UInt32Array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::take;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};

use crate::error::Result;
use crate::ip::Ip;
use crate::ip::write::addresses;
use crate::normalise::columns::{CanonicalColumns, position};
use crate::normalise::endpoints::{End, Ends};
use crate::normalise::outcome::Repeated;

/// Columns that per-peer counters replace, and the index of the counter.
const OWN: [(&str, usize); 4] = [
    ("src_packets", 2),
    ("dst_packets", 3),
    ("src_bytes", 4),
    ("dst_bytes", 5),
];

/// Turn columns of records into columns of flows, with addresses and per-peer counters.
///
/// Projected flows have addresses as numbers.
pub fn per_flow(
    columns: &mut CanonicalColumns<'_>,
    ends: &Ends,
    records: usize,
    is_projected: bool,
) -> Result<()> {
    if !ends.is_one_to_one(records) {
        let records = UInt32Array::from_iter_values(ends.flows.iter().map(|end| end.record));
        for (_, column) in columns.iter_mut() {
            *column = take(column, &records, None)?;
        }
    }
    if ends.any_own() {
        own_counters(columns, ends);
    }
    if is_projected {
        let numbers = |ip: fn(&End) -> Ip| {
            let numbers = ends.flows.iter().map(|end| ip(end).0 as i128);
            Arc::new(Decimal128Array::from_iter_values(numbers)) as ArrayRef
        };
        columns.push(("src_ip", numbers(|end| end.source)));
        columns.push(("dst_ip", numbers(|end| end.dest)));
        return Ok(());
    }
    let rows = ends.flows.len();
    let sources = addresses(rows, |row| Some(ends.flows[row].source).into())?;
    let dests = addresses(rows, |row| Some(ends.flows[row].dest).into())?;
    columns.push(("src_ip", Arc::new(sources)));
    columns.push(("dst_ip", Arc::new(dests)));
    Ok(())
}

pub(super) fn counts<'a>(columns: &'a CanonicalColumns<'_>, name: &str) -> Option<&'a Int64Array> {
    columns[position(columns, name)?]
        .1
        .as_primitive_opt::<Int64Type>()
}

pub(super) fn value(counts: Option<&Int64Array>, row: usize) -> Option<i64> {
    counts
        .filter(|counts| counts.is_valid(row))
        .map(|counts| counts.value(row))
}

/// Replace the counters of a record by those of the peer. The flows that the peer initiated are
/// denied if all flows of the record are.
fn own_counters(columns: &mut CanonicalColumns<'_>, ends: &Ends) {
    let rows = 0..ends.flows.len();
    let (flows, denied) = (counts(columns, "flows"), counts(columns, "denied_flows"));
    let started = |row: usize| {
        let own = ends.own(row)?;
        let all_denied = value(flows, row) == Some(0) && value(denied, row) > Some(0);
        Some(if all_denied { (0, own[0]) } else { (own[0], 0) })
    };
    let allowed =
        |row| started(row).map_or_else(|| value(flows, row), |(allowed, _)| Some(allowed));
    let denied_flows =
        |row| started(row).map_or_else(|| value(denied, row), |(_, denied)| Some(denied));
    let mut new: Vec<(&'static str, Int64Array)> = vec![
        ("flows", rows.clone().map(allowed).collect()),
        ("denied_flows", rows.clone().map(denied_flows).collect()),
    ];
    for (name, counter) in OWN {
        let old = counts(columns, name);
        let own = |row| {
            ends.own(row)
                .map_or_else(|| value(old, row), |own| Some(own[counter]))
        };
        new.push((name, rows.clone().map(own).collect()));
    }
    for (name, column) in new {
        set(columns, name, Arc::new(column));
    }
}

/// The flows that repeat the counts of one record, and the excess in their totals.
pub fn repeated(columns: &CanonicalColumns<'_>, ends: &Ends) -> Repeated {
    let mut out = Repeated::default();
    let flows = counts(columns, "flows");
    let bytes = ["src_bytes", "dst_bytes"].map(|name| counts(columns, name));
    for (row, end) in ends.flows.iter().enumerate() {
        if end.sharing > 1 {
            let excess = 1.0 - 1.0 / f64::from(end.sharing);
            out.rows += 1;
            out.flows += value(flows, row).unwrap_or(0) as f64 * excess;
            for bytes in bytes {
                out.bytes += value(bytes, row).unwrap_or(0) as f64 * excess;
            }
        }
    }
    out
}

/// Drop the ends of records that lie before their starts; return the number of the good ones.
pub fn drop_early_ends(
    columns: &mut CanonicalColumns<'_>,
    is_good: impl Fn(&usize) -> bool,
) -> usize {
    let times = |name| {
        let index = position(columns, name)?;
        columns[index]
            .1
            .as_primitive_opt::<TimestampMicrosecondType>()
    };
    let (Some(starts), Some(ends)) = (times("start_time"), times("end_time")) else {
        return 0;
    };
    let early = |row: &usize| {
        ends.value(*row) < starts.value(*row) && ends.is_valid(*row) && starts.is_valid(*row)
    };
    let rows: Vec<usize> = (0..ends.len()).filter(early).collect();
    if rows.is_empty() {
        return 0;
    }
    let mut later = vec![true; ends.len()];
    for row in &rows {
        later[*row] = false;
    }
    let nulls = NullBuffer::union(ends.nulls(), Some(&NullBuffer::from(later)));
    let values = TimestampMicrosecondArray::new(ends.values().clone(), nulls);
    set(columns, "end_time", Arc::new(values.with_timezone("UTC")));
    rows.iter().filter(|row| is_good(row)).count()
}

pub(super) fn set<'a>(columns: &mut CanonicalColumns<'a>, name: &'a str, column: ArrayRef) {
    match position(columns, name) {
        Some(index) => columns[index].1 = column,
        None => columns.push((name, column)),
    }
}
