//! Superseded records: earlier states of a flow.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema};

use crate::columns::batch::find;
use crate::columns::cast::micros;
use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::flow::schema::timestamp;
use crate::records::Records;
use crate::records::compare::{Observation, by_tuple};

/// Column `superseded`: whether a later record of the same flow replaces the row.
///
/// Records belong to one flow if they share start, tuple and exporter.
pub fn superseded_records(flows: impl Iterator<Item = Result<FlowBatch>>) -> Result<RecordBatch> {
    let records = Records::collect(flows)?;
    let mut marks = vec![false; records.rows()];
    for mut observations in by_tuple(&records) {
        superseded(&mut observations, &mut |row| marks[row as usize] = true);
    }
    let field = Field::new("superseded", DataType::Boolean, false);
    let column = Arc::new(BooleanArray::from(marks));
    let schema = Arc::new(Schema::new(vec![field]));
    Ok(RecordBatch::try_new(schema, vec![column])?)
}

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

/// Column `start_time`: the start times that several rows share.
pub fn repeated_starts(batches: impl Iterator<Item = Result<RecordBatch>>) -> Result<RecordBatch> {
    let mut starts: Vec<i64> = Vec::new();
    for batch in batches {
        let times = find(&batch?, "start_time").map(|array| micros("start_time", array));
        starts.extend(times.transpose()?.iter().flatten().flatten());
    }
    let (mut known, mut repeated) = (Bits::of(starts.len()), Bits::of(starts.len()));
    for start in &starts {
        if !known.set(*start) {
            repeated.set(*start);
        }
    }
    // Some of these only share the bit of another start.
    starts.retain(|start| repeated.has(*start));
    starts.sort_unstable();
    let shared = starts.chunk_by(|a, b| a == b).filter(|same| same.len() > 1);
    let times: TimestampMicrosecondArray = shared.map(|same| Some(same[0])).collect();
    let field = Field::new("start_time", timestamp(), false);
    let schema = Arc::new(Schema::new(vec![field]));
    let column = Arc::new(times.with_timezone("UTC"));
    Ok(RecordBatch::try_new(schema, vec![column])?)
}

/// A bit for each number; several numbers may share one.
struct Bits {
    words: Vec<u64>,
    shift: u32,
}

impl Bits {
    fn of(numbers: usize) -> Self {
        let bits = (16 * numbers).next_power_of_two().max(64);
        Self {
            words: vec![0; bits / 64],
            shift: u64::BITS - bits.trailing_zeros(),
        }
    }

    fn position(&self, number: i64) -> (usize, u64) {
        let bit = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift;
        ((bit / 64) as usize, 1 << (bit % 64))
    }

    /// Set a bit; return whether it was not set before.
    fn set(&mut self, number: i64) -> bool {
        let (word, bit) = self.position(number);
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        new
    }

    fn has(&self, number: i64) -> bool {
        let (word, bit) = self.position(number);
        self.words[word] & bit != 0
    }
}
