//! Flows that several exporters observed.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::records::compare::{Observation, drop_found};

/// Drop duplicate observations of flows by other exporters.
pub fn distinct(flows: impl Iterator<Item = Result<FlowBatch>>) -> Result<RecordBatch> {
    drop_found(flows, duplicates)
}

/// Call `found` with the records of one tuple that duplicate those of another exporter.
///
/// Records whose times touch belong to one flow. Of several exporters, the one with the most bytes
/// is kept, then the one with the most records, then the first.
pub fn duplicates(records: &mut [Observation], found: &mut dyn FnMut(u64)) {
    let first = records.first().map(|record| record.host);
    if records.iter().all(|record| Some(record.host) == first) {
        return;
    }
    records.sort_unstable_by_key(|record| (record.start, record.row));
    let mut rest: &[Observation] = records;
    while let Some(first) = rest.first() {
        let mut end = first.end;
        let touching = rest.iter().take_while(|record| {
            let touches = record.start <= end;
            end = end.max(record.end);
            touches
        });
        let (cluster, later) = rest.split_at(touching.count());
        rest = later;
        let mut hosts: BTreeMap<u64, (i64, u64, Reverse<u64>)> = BTreeMap::new();
        for record in cluster {
            let (bytes, count, first) =
                hosts
                    .entry(record.host)
                    .or_insert((0, 0, Reverse(record.row)));
            *bytes = bytes.saturating_add(record.bytes);
            *count += 1;
            *first = (*first).max(Reverse(record.row));
        }
        let best = hosts.into_iter().max_by_key(|(_, total)| *total);
        let best = best.map(|(host, _)| host);
        let others = cluster.iter().filter(|record| Some(record.host) != best);
        others.for_each(|record| found(record.row));
    }
}
