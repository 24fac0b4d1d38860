//! A hash table of groups in partitions, filled in parallel.

use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashMap};
use rayon::prelude::*;

use crate::aggregate::measures::Measures;
use crate::columns::by_morsel;
use crate::flows::MeasureColumns;

const PARTITION_BITS: u32 = 6;
const PARTITIONS: usize = 1 << PARTITION_BITS;

/// What groups are told apart by. The order of keys is the order of results.
pub trait Key: Copy + Eq + Hash + Ord + Send + Sync {}
impl<K: Copy + Eq + Hash + Ord + Send + Sync> Key for K {}

/// Groups and their sums.
#[derive(Debug)]
pub struct Groups<K> {
    hasher: DefaultHashBuilder,
    partitions: Vec<HashMap<K, Measures, DefaultHashBuilder>>,
}

/// The rows of one morsel, in the order of their partitions.
struct Scattered<K> {
    entries: Vec<(K, u32)>,
    ends: [u32; PARTITIONS],
}

impl<K: Key> Default for Groups<K> {
    fn default() -> Self {
        let hasher = DefaultHashBuilder::default();
        Self {
            partitions: (0..PARTITIONS)
                .map(|_| HashMap::with_hasher(hasher.clone()))
                .collect(),
            hasher,
        }
    }
}

impl<K: Key> Groups<K> {
    fn partition(&self, key: &K) -> usize {
        // The table of a partition uses the low bits of the same hash.
        (self.hasher.hash_one(key) >> (u64::BITS - 7 - PARTITION_BITS)) as usize % PARTITIONS
    }

    /// Adds rows, each to the group of its key.
    pub fn add_rows(
        &mut self,
        rows: usize,
        key: impl Fn(usize) -> K + Sync,
        measures: &MeasureColumns,
    ) {
        let morsels = by_morsel(rows, |rows| self.scatter(rows, &key));
        self.partitions
            .par_iter_mut()
            .enumerate()
            .for_each(|(partition, table)| {
                for morsel in &morsels {
                    for (key, row) in morsel.partition(partition) {
                        table
                            .entry(*key)
                            .or_default()
                            .add_row(measures, *row as usize);
                    }
                }
            });
    }

    fn scatter(&self, rows: std::ops::Range<usize>, key: impl Fn(usize) -> K) -> Scattered<K> {
        let keys: Vec<K> = rows.clone().map(key).collect();
        let partitions: Vec<u8> = keys.iter().map(|key| self.partition(key) as u8).collect();
        let mut ends = [0_u32; PARTITIONS];
        for &partition in &partitions {
            ends[partition as usize] += 1;
        }
        let mut total = 0;
        for end in &mut ends {
            total += *end;
            *end = total;
        }
        let mut next: [u32; PARTITIONS] =
            std::array::from_fn(|i| if i == 0 { 0 } else { ends[i - 1] });
        let mut order = vec![0_u32; keys.len()];
        for (i, &partition) in partitions.iter().enumerate() {
            let slot = &mut next[partition as usize];
            order[*slot as usize] = i as u32;
            *slot += 1;
        }
        let entries = order
            .into_iter()
            .map(|i| (keys[i as usize], rows.start as u32 + i))
            .collect();
        Scattered { entries, ends }
    }

    /// Renames every group; those that come to have the same key are added up.
    #[must_use]
    pub fn rekey(self, rename: impl Fn(K) -> K) -> Self {
        let mut out = Self::default();
        for (key, measures) in self.partitions.into_iter().flatten() {
            let key = rename(key);
            let partition = out.partition(&key);
            out.partitions[partition]
                .entry(key)
                .or_default()
                .add(&measures);
        }
        out
    }

    /// All groups, in the order of the keys that `rank` makes of theirs.
    pub fn into_sorted<R: Key>(self, rank: impl Fn(K) -> R + Sync) -> Vec<(R, Measures)> {
        let mut groups: Vec<(R, Measures)> = self
            .partitions
            .into_par_iter()
            .flat_map_iter(|table| table.into_iter().map(|(key, sums)| (rank(key), sums)))
            .collect();
        groups.par_sort_unstable_by_key(|(key, _)| *key);
        groups
    }
}

impl<K> Scattered<K> {
    fn partition(&self, partition: usize) -> &[(K, u32)] {
        let start = match partition {
            0 => 0,
            _ => self.ends[partition - 1],
        };
        &self.entries[start as usize..self.ends[partition] as usize]
    }
}
