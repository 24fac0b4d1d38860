//! Observations of one 5-tuple, to be compared with each other.

use std::collections::HashMap;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::records::{FiveTuple, Records};

/// A record as it is compared with the others of its tuple.
#[derive(Clone, Copy, Debug)]
pub struct Observation {
    /// The exporter.
    pub host: u64,
    /// Start in microseconds.
    pub start: i64,
    /// End in microseconds.
    pub end: i64,
    /// Bytes in both directions.
    pub bytes: i64,
    /// Row of the record.
    pub row: u64,
}

/// Drop the records that `find` passes to its callback, given those of each tuple.
pub fn drop_found(
    flows: impl Iterator<Item = Result<FlowBatch>>,
    find: impl Fn(&mut [Observation], &mut dyn FnMut(u64)),
) -> Result<RecordBatch> {
    let records = Records::collect(flows)?;
    let mut kept = vec![true; records.rows()];
    for mut observations in by_tuple(&records) {
        find(&mut observations, &mut |row| kept[row as usize] = false);
    }
    Ok(filter_record_batch(
        &records.batch,
        &BooleanArray::from(kept),
    )?)
}

/// Records with both addresses and a start, grouped by tuple; allowed and denied ones apart.
pub(super) fn by_tuple(records: &Records) -> Vec<Vec<Observation>> {
    let mut tuples: HashMap<(FiveTuple, bool), usize> = HashMap::new();
    let mut out: Vec<Vec<Observation>> = Vec::new();
    for row in 0..records.rows() {
        if let (Some(tuple), Some((start, end))) = (records.tuple(row), records.span(row)) {
            let denied = records.view.denied.count(row) > 0;
            let index = *tuples.entry((tuple, denied)).or_insert(out.len());
            if index == out.len() {
                out.push(Vec::new());
            }
            out[index].push(Observation {
                host: records.host[row].into(),
                start,
                end,
                bytes: records.view.total_bytes(row),
                row: row as u64,
            });
        }
    }
    out
}
