//! Rows and groups by partition.

use std::ops::Range;

use crate::group_by::key::GroupKey;
use crate::group_by::sums::{MeasureValues, Sums};

/// First rank of every part after the first, so that parts share the sample evenly.
pub fn starts(mut sample: Vec<u64>, parts: usize) -> Vec<u64> {
    sample.sort_unstable();
    let start = |part| sample.get(sample.len() * part / parts).copied();
    let mut starts: Vec<u64> = (1..parts).filter_map(start).collect();
    starts.dedup();
    starts
}

/// Rows or groups with their sums, ordered by part, and by row within each part.
#[derive(Debug)]
pub struct Runs<K> {
    keys: Vec<K>,
    /// Their sums.
    pub sums: Sums,
    ends: Vec<u32>,
}

impl<K: GroupKey> Runs<K> {
    /// Partition rows by their keys; the first row is at `first` in `values`.
    pub fn new(keys: &[K], values: &MeasureValues, first: usize, starts: &[u64]) -> Self {
        let part_of =
            |key: &K| starts.partition_point(|start| *start <= key.partition_rank()) as u16;
        let parts: Vec<u16> = keys.iter().map(part_of).collect();
        let mut ends = vec![0_u32; starts.len() + 1];
        for part in &parts {
            ends[usize::from(*part)] += 1;
        }
        let mut next = vec![0_u32; ends.len()];
        let mut total = 0;
        for (end, next) in ends.iter_mut().zip(&mut next) {
            *next = total;
            total += *end;
            *end = total;
        }
        let slots: Vec<u32> = parts
            .into_iter()
            .map(|part| {
                let next = &mut next[usize::from(part)];
                *next += 1;
                *next - 1
            })
            .collect();
        let mut partitioned = vec![K::default(); keys.len()];
        for (key, slot) in keys.iter().zip(&slots) {
            partitioned[*slot as usize] = *key;
        }
        let mut sums = Sums::default();
        sums.resize(keys.len());
        sums.add(&slots, values, first..first + keys.len());
        Self {
            keys: partitioned,
            sums,
            ends,
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.keys.len()
    }

    /// Rows of a part.
    pub fn of(&self, part: usize) -> Range<usize> {
        let start = part.checked_sub(1).map_or(0, |before| self.ends[before]);
        start as usize..self.ends[part] as usize
    }

    /// The keys of a part.
    pub fn keys(&self, part: usize) -> &[K] {
        &self.keys[self.of(part)]
    }
}
