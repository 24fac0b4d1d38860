//! Flows that several machines saw and reported.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;

use crate::error::Result;
use crate::flows::FlowBatch;
use crate::records::{Records, Tuple};

/// Leaves out what other machines reported of a flow again.
///
/// Records of one tuple whose spans of time touch are of one flow. Where several machines
/// reported it, the records of one of them are kept: that which saw the most bytes, then the most
/// records, then the one that comes first.
pub fn distinct(flows: impl Iterator<Item = Result<FlowBatch>>) -> Result<RecordBatch> {
    let records = Records::collect(flows)?;
    let bytes = ["src_bytes", "dst_bytes"].map(|name| records.counts(name));
    let [src_bytes, dst_bytes] = bytes;
    let bytes = [src_bytes?, dst_bytes?];
    let denied = records.counts("denied_flows")?;
    let mut tuples: HashMap<(Tuple, bool), Vec<u32>> = HashMap::new();
    for row in 0..records.rows() {
        if let (Some(tuple), Some(_)) = (records.tuple(row), records.span(row)) {
            let refused = value(denied.as_ref(), row) > 0;
            tuples.entry((tuple, refused)).or_default().push(row as u32);
        }
    }
    let mut kept = vec![true; records.rows()];
    for rows in tuples.into_values() {
        let first = records.host[rows[0] as usize];
        if rows.iter().any(|row| records.host[*row as usize] != first) {
            keep_one_reporter(rows, &records, &bytes, &mut kept);
        }
    }
    Ok(filter_record_batch(
        &records.batch,
        &BooleanArray::from(kept),
    )?)
}

fn value(counts: Option<&Int64Array>, row: usize) -> i64 {
    counts
        .filter(|counts| counts.is_valid(row))
        .map_or(0, |counts| counts.value(row))
}

fn keep_one_reporter(
    mut rows: Vec<u32>,
    records: &Records,
    bytes: &[Option<Int64Array>; 2],
    kept: &mut [bool],
) {
    let span = |row: u32| records.span(row as usize).unwrap_or_default();
    rows.sort_unstable_by_key(|row| (span(*row), *row));
    let mut rest = rows.as_slice();
    while let Some(first) = rest.first() {
        let mut end = span(*first).1;
        let touching = rest.iter().take_while(|row| {
            let touches = span(**row).0 <= end;
            end = end.max(span(**row).1);
            touches
        });
        let (cluster, later) = rest.split_at(touching.count());
        rest = later;
        let mut seen: BTreeMap<u32, (i64, usize)> = BTreeMap::new();
        for row in cluster {
            let row = *row as usize;
            let (sum, count) = seen.entry(records.host[row]).or_default();
            for bytes in bytes {
                *sum = sum.saturating_add(value(bytes.as_ref(), row));
            }
            *count += 1;
        }
        let best = seen
            .into_iter()
            .min_by_key(|(host, most)| (Reverse(*most), *host));
        for row in cluster {
            let row = *row as usize;
            kept[row] = best.is_some_and(|(host, _)| host == records.host[row]);
        }
    }
}
