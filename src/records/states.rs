//! Records that tell an earlier state of a flow.

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

/// A column `earlier`, which marks rows that tell an earlier state of a flow, of which a later row
/// tells more.
///
/// A flow is told from others by its start, its tuple and the machine that saw it.
pub fn earlier_states(flows: impl Iterator<Item = Result<FlowBatch>>) -> Result<RecordBatch> {
    let records = Records::collect(flows)?;
    let mut earlier = vec![false; records.rows()];
    for mut seen in by_tuple(&records)? {
        superseded(&mut seen, &mut |row| earlier[row as usize] = true);
    }
    let field = Field::new("earlier", DataType::Boolean, false);
    let column = Arc::new(BooleanArray::from(earlier));
    let schema = Arc::new(Schema::new(vec![field]));
    Ok(RecordBatch::try_new(schema, vec![column])?)
}

/// Calls `found` with the records of one tuple that are earlier states of what another tells.
pub fn superseded(records: &mut [Observation], found: &mut dyn FnMut(u64)) {
    records.sort_unstable_by_key(|seen| (seen.host, seen.start, seen.end, seen.bytes));
    for flow in records.chunk_by(|a, b| (a.host, a.start) == (b.host, b.start)) {
        let Some(last) = flow.last() else { continue };
        let less = |seen: &&Observation| seen.end < last.end || seen.bytes < last.bytes;
        if flow.iter().all(|seen| seen.bytes <= last.bytes) {
            flow.iter().filter(less).for_each(|seen| found(seen.row));
        }
    }
}

/// A column `start_time` of the starts that several rows have.
pub fn repeated_starts(batches: impl Iterator<Item = Result<RecordBatch>>) -> Result<RecordBatch> {
    let mut starts: Vec<i64> = Vec::new();
    for batch in batches {
        let times = find(&batch?, "start_time").map(|array| micros("start_time", array));
        starts.extend(times.transpose()?.iter().flatten().flatten());
    }
    let (mut met, mut again) = (Bits::of(starts.len()), Bits::of(starts.len()));
    for start in &starts {
        if !met.set(*start) {
            again.set(*start);
        }
    }
    // Some of these have only the bit of another one.
    starts.retain(|start| again.has(*start));
    starts.sort_unstable();
    let twice = starts.chunk_by(|a, b| a == b).filter(|same| same.len() > 1);
    let times: TimestampMicrosecondArray = twice.map(|same| Some(same[0])).collect();
    let field = Field::new("start_time", timestamp(), false);
    let schema = Arc::new(Schema::new(vec![field]));
    let column = Arc::new(times.with_timezone("UTC"));
    Ok(RecordBatch::try_new(schema, vec![column])?)
}

/// A bit for each of many numbers, which others may share.
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

    fn place(&self, number: i64) -> (usize, u64) {
        let bit = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift;
        ((bit / 64) as usize, 1 << (bit % 64))
    }

    /// Sets a bit, and tells whether it was not set before.
    fn set(&mut self, number: i64) -> bool {
        let (word, bit) = self.place(number);
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        new
    }

    fn has(&self, number: i64) -> bool {
        let (word, bit) = self.place(number);
        self.words[word] & bit != 0
    }
}
