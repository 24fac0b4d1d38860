//! What records tell of one flow, where there are several of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema};
use rayon::prelude::*;

use crate::error::Result;
use crate::flows::FlowBatch;
use crate::records::{Records, Tuple};

/// A record as it is compared with the others of its tuple.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
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
    left_out: impl Fn(&mut [Seen], &mut dyn FnMut(u64)),
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

/// A column `earlier`, which marks rows that tell an earlier state of a flow, of which a later row
/// tells more.
///
/// A flow is told from others by its start, its tuple and the machine that saw it.
pub fn earlier_states(flows: impl Iterator<Item = Result<FlowBatch>>) -> Result<RecordBatch> {
    let batches = flows.collect::<Result<Vec<_>>>()?;
    let mut earlier = vec![false; batches.iter().map(FlowBatch::rows).sum()];
    for row in find_earlier_states(&batches)? {
        earlier[row] = true;
    }
    let field = Field::new("earlier", DataType::Boolean, false);
    let column = Arc::new(BooleanArray::from(earlier));
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(vec![field])),
        vec![column],
    )?)
}

fn find_earlier_states(batches: &[FlowBatch]) -> Result<Vec<usize>> {
    let repeated = repeated_starts(batches)?;
    if repeated.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    let mut candidates = Vec::new();
    let mut first = 0;
    for batch in batches {
        let starts = batch.start_times()?;
        let repeats = |row: usize| {
            let starts = starts.as_ref().filter(|starts| starts.is_valid(row));
            starts.is_some_and(|starts| repeated.contains(&starts.value(row)))
        };
        let mask: Vec<bool> = (0..batch.rows()).map(repeats).collect();
        let chosen = (0..batch.rows()).filter(|row| mask[*row]);
        rows.extend(chosen.map(|row| first + row));
        let chosen = filter_record_batch(batch.record_batch(), &BooleanArray::from(mask))?;
        candidates.push(FlowBatch::new(chosen, first));
        first += batch.rows();
    }
    let records = Records::collect(candidates.into_iter())?;
    let mut out = Vec::new();
    for mut seen in by_tuple(&records)? {
        superseded(&mut seen, &mut |row| out.push(rows[row as usize]));
    }
    Ok(out)
}

/// Calls `found` with the records of one tuple that are earlier states of what another tells.
pub fn superseded(records: &mut [Seen], found: &mut dyn FnMut(u64)) {
    records.sort_unstable_by_key(|seen| (seen.host, seen.start, seen.end, seen.bytes));
    for flow in records.chunk_by(|a, b| (a.host, a.start) == (b.host, b.start)) {
        let Some(last) = flow.last() else { continue };
        let less = |seen: &&Seen| seen.end < last.end || seen.bytes < last.bytes;
        if flow.iter().all(|seen| seen.bytes <= last.bytes) {
            flow.iter().filter(less).for_each(|seen| found(seen.row));
        }
    }
}

fn repeated_starts(batches: &[FlowBatch]) -> Result<HashSet<i64>> {
    let mut starts: Vec<i64> = Vec::new();
    for batch in batches {
        if let Some(times) = batch.start_times()? {
            starts.extend(times.iter().flatten());
        }
    }
    if starts.is_sorted_by(|a, b| a < b) {
        return Ok(HashSet::new());
    }
    starts.par_sort_unstable();
    let twice = starts.windows(2).filter(|pair| pair[0] == pair[1]);
    Ok(twice.map(|pair| pair[0]).collect())
}

/// Records with both ends and a start, allowed and refused ones apart.
fn by_tuple(records: &Records) -> Result<Vec<Vec<Seen>>> {
    let [src_bytes, dst_bytes, denied] =
        ["src_bytes", "dst_bytes", "denied_flows"].map(|name| records.counts(name));
    let (src_bytes, dst_bytes, denied) = (src_bytes?, dst_bytes?, denied?);
    let mut tuples: HashMap<(Tuple, bool), usize> = HashMap::new();
    let mut out: Vec<Vec<Seen>> = Vec::new();
    for row in 0..records.rows() {
        if let (Some(tuple), Some((start, end))) = (records.tuple(row), records.span(row)) {
            let refused = count(denied.as_ref(), row) > 0;
            let place = *tuples.entry((tuple, refused)).or_insert(out.len());
            if place == out.len() {
                out.push(Vec::new());
            }
            let sent = count(src_bytes.as_ref(), row);
            out[place].push(Seen {
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
