//! Groups laid out by the part of the order that they belong to.

use std::ops::Range;

use crate::group_by::key::GroupKey;
use crate::group_by::sums::{MeasureValues, Sums};

/// The first places of all parts but the first, so that each has about as many of the sample.
pub fn starts(mut sample: Vec<u64>, parts: usize) -> Vec<u64> {
    sample.sort_unstable();
    let start = |part| sample.get(sample.len() * part / parts).copied();
    let mut starts: Vec<u64> = (1..parts).filter_map(start).collect();
    starts.dedup();
    starts
}

/// Rows or groups with their sums, in the order of the parts that they belong to, and in their own
/// order within each.
#[derive(Debug)]
pub struct Runs<K> {
    keys: Vec<K>,
    /// Their sums.
    pub sums: Sums,
    ends: Vec<u32>,
}

impl<K: GroupKey> Runs<K> {
    /// Lays out rows, the first of which is at `first` in `values`, by the part of their keys.
    pub fn new(keys: &[K], values: &MeasureValues, first: usize, starts: &[u64]) -> Self {
        let part_of = |key: &K| starts.partition_point(|start| *start <= key.place()) as u16;
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
        let places: Vec<u32> = parts
            .into_iter()
            .map(|part| {
                let next = &mut next[usize::from(part)];
                *next += 1;
                *next - 1
            })
            .collect();
        let mut laid_out = vec![K::default(); keys.len()];
        for (key, place) in keys.iter().zip(&places) {
            laid_out[*place as usize] = *key;
        }
        let mut sums = Sums::default();
        sums.resize(keys.len());
        sums.add(&places, values, first..first + keys.len());
        Self {
            keys: laid_out,
            sums,
            ends,
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.keys.len()
    }

    /// Where a part lies.
    pub fn of(&self, part: usize) -> Range<usize> {
        let start = part.checked_sub(1).map_or(0, |before| self.ends[before]);
        start as usize..self.ends[part] as usize
    }

    /// The keys of a part.
    pub fn keys(&self, part: usize) -> &[K] {
        &self.keys[self.of(part)]
    }
}
