//! Superseded records: earlier states of a flow.

use crate::records::compare::Observation;

/// Call `found` with the records of one tuple that a later one replaces.
pub fn superseded(records: &mut [Observation], found: &mut dyn FnMut(u64)) {
    records.sort_unstable_by_key(|record| (record.host, record.start, record.end, record.bytes));
    for flow in records.chunk_by(|a, b| (a.host, a.start) == (b.host, b.start)) {
        let Some(last) = flow.last() else { continue };
        let less = |record: &&Observation| record.end < last.end || record.bytes < last.bytes;
        if flow.iter().all(|record| record.bytes <= last.bytes) {
            let replaced = flow.iter().filter(less);
            replaced.for_each(|record| found(record.row));
        }
    }
}
