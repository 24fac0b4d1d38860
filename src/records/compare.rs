//! Records of one tuple, as they are compared with each other.

use std::collections::HashMap;

use arrow::array::{Array, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;

use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::records::{FiveTuple, Records};

/// A record as it is compared with the others of its tuple.
#[derive(Clone, Copy, Debug)]
pub struct Observation {
    /// The machine that saw it.
    pub host: u64,
    /// When it begins, in microseconds.
    pub start: i64,
    /// When it ends.
    pub end: i64,
    /// Bytes both ways.
    pub bytes: i64,
    /// Its row.
    pub row: u64,
}

/// Leaves out the records that `left_out` finds among those of each tuple.
pub fn without(
    flows: impl Iterator<Item = Result<FlowBatch>>,
    left_out: impl Fn(&mut [Observation], &mut dyn FnMut(u64)),
) -> Result<RecordBatch> {
    let records = Records::collect(flows)?;
    let mut kept = vec![true; records.rows()];
    for mut seen in by_tuple(&records)? {
        left_out(&mut seen, &mut |row| kept[row as usize] = false);
    }
    Ok(filter_record_batch(
        &records.batch,
        &BooleanArray::from(kept),
    )?)
}

/// Records with both ends and a start, allowed and refused ones apart.
pub(super) fn by_tuple(records: &Records) -> Result<Vec<Vec<Observation>>> {
    let [src_bytes, dst_bytes, denied] =
        ["src_bytes", "dst_bytes", "denied_flows"].map(|name| records.counts(name));
    let (src_bytes, dst_bytes, denied) = (src_bytes?, dst_bytes?, denied?);
    let mut tuples: HashMap<(FiveTuple, bool), usize> = HashMap::new();
    let mut out: Vec<Vec<Observation>> = Vec::new();
    for row in 0..records.rows() {
        if let (Some(tuple), Some((start, end))) = (records.tuple(row), records.span(row)) {
            let refused = count(denied.as_ref(), row) > 0;
            let place = *tuples.entry((tuple, refused)).or_insert(out.len());
            if place == out.len() {
                out.push(Vec::new());
            }
            let sent = count(src_bytes.as_ref(), row);
            out[place].push(Observation {
                host: records.host[row].into(),
                start,
                end,
                bytes: sent.saturating_add(count(dst_bytes.as_ref(), row)),
                row: row as u64,
            });
        }
    }
    Ok(out)
}

/// A count, where null is none.
pub fn count(counts: Option<&Int64Array>, row: usize) -> i64 {
    counts
        .filter(|counts| counts.is_valid(row))
        .map_or(0, |counts| counts.value(row))
}
