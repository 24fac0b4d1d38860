//! A hash table of groups in partitions, filled in parallel.

use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};
use rayon::prelude::*;

use crate::aggregate::sums::Sums;
use crate::columns::by_morsel;
use crate::flows::MeasureColumns;

/// Enough that the table of a partition fits the cache while it is filled.
const PARTITIONS: usize = 256;

/// What groups are told apart by. The order of keys is the order of results.
pub trait Key: Copy + Eq + Hash + Ord + Send + Sync {}
impl<K: Copy + Eq + Hash + Ord + Send + Sync> Key for K {}

/// Groups and their sums.
#[derive(Debug)]
pub struct Groups<K> {
    hasher: DefaultHashBuilder,
    partitions: Vec<Partition<K>>,
}

#[derive(Debug)]
struct Partition<K> {
    /// Places in `keys`, by the hash of the key there.
    places: HashTable<u32>,
    keys: Vec<K>,
    sums: Sums,
}

/// The rows of one morsel, in the order of their partitions.
struct Scattered<K> {
    entries: Vec<(K, u32)>,
    ends: [u32; PARTITIONS],
}

impl<K> Default for Partition<K> {
    fn default() -> Self {
        Self {
            places: HashTable::new(),
            keys: Vec::new(),
            sums: Sums::default(),
        }
    }
}

impl<K: Key> Default for Groups<K> {
    fn default() -> Self {
        Self {
            hasher: DefaultHashBuilder::default(),
            partitions: (0..PARTITIONS).map(|_| Partition::default()).collect(),
        }
    }
}

/// The table of a partition uses the low bits of the same hash, and the highest seven.
fn partition_of(hash: u64) -> usize {
    (hash >> 40) as usize % PARTITIONS
}

impl<K: Key> Groups<K> {
    /// Adds rows, each to the group of its key; rows without a key are left out.
    pub fn add_rows(
        &mut self,
        rows: usize,
        key: impl Fn(usize) -> Option<K> + Sync,
        measures: &MeasureColumns,
    ) {
        let hasher = &self.hasher;
        let morsels = by_morsel(rows, |rows| Scattered::new(rows, hasher, &key));
        self.partitions
            .par_iter_mut()
            .enumerate()
            .for_each(|(number, partition)| {
                let count = morsels
                    .iter()
                    .map(|morsel| morsel.partition(number).len())
                    .sum();
                let mut pairs = Vec::with_capacity(count);
                for morsel in &morsels {
                    for (key, row) in morsel.partition(number) {
                        pairs.push((partition.place(*key, hasher), *row));
                    }
                }
                partition.sums.resize(partition.keys.len());
                partition.sums.add_rows(&pairs, measures);
            });
    }

    /// Renames every group; those that come to have the same key are added up.
    #[must_use]
    pub fn rekey(self, rename: impl Fn(K) -> K) -> Self {
        let mut out = Self::default();
        for partition in self.partitions {
            for (from, key) in partition.keys.into_iter().enumerate() {
                let key = rename(key);
                let into = &mut out.partitions[partition_of(out.hasher.hash_one(key))];
                let place = into.place(key, &out.hasher);
                into.sums.resize(into.keys.len());
                into.sums.add_group(place as usize, &partition.sums, from);
            }
        }
        out
    }

    /// All groups, in the order of the keys that `rank` makes of theirs.
    pub fn into_sorted<R: Key>(self, rank: impl Fn(K) -> R + Sync) -> (Vec<R>, Sums) {
        let mut first = 0;
        let (mut keys, mut sums) = (Vec::new(), Vec::new());
        for partition in self.partitions {
            let count = partition.keys.len();
            keys.push((first, partition.keys));
            sums.push(partition.sums);
            first += count;
        }
        let mut order: Vec<(R, u32)> = keys
            .into_par_iter()
            .flat_map_iter(|(first, keys)| {
                let rank = &rank;
                (first as u32..)
                    .zip(keys)
                    .map(move |(place, key)| (rank(key), place))
            })
            .collect();
        order.par_sort_unstable();
        let sums = Sums::concat(sums).gather(&order, |(_, place)| *place as usize);
        (order.into_par_iter().map(|(key, _)| key).collect(), sums)
    }
}

impl<K: Key> Partition<K> {
    fn place(&mut self, key: K, hasher: &DefaultHashBuilder) -> u32 {
        let Self { places, keys, .. } = self;
        let hash = hasher.hash_one(key);
        if let Some(place) = places.find(hash, |place| keys[*place as usize] == key) {
            return *place;
        }
        let place = keys.len() as u32;
        keys.push(key);
        places.insert_unique(hash, place, |place| hasher.hash_one(keys[*place as usize]));
        place
    }
}

impl<K: Key> Scattered<K> {
    fn new(
        rows: std::ops::Range<usize>,
        hasher: &DefaultHashBuilder,
        key: impl Fn(usize) -> Option<K>,
    ) -> Self {
        let mut ends = [0_u32; PARTITIONS];
        let mut keyed: Vec<(K, u32, u8)> = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(key) = key(row) {
                let partition = partition_of(hasher.hash_one(key));
                ends[partition] += 1;
                keyed.push((key, row as u32, partition as u8));
            }
        }
        let mut next = [0; PARTITIONS];
        let mut total = 0;
        for (end, next) in ends.iter_mut().zip(&mut next) {
            *next = total;
            total += *end;
            *end = total;
        }
        let Some(&(any, ..)) = keyed.first() else {
            return Self {
                entries: Vec::new(),
                ends,
            };
        };
        let mut entries = vec![(any, 0); keyed.len()];
        for (key, row, partition) in keyed {
            let slot = &mut next[partition as usize];
            entries[*slot as usize] = (key, row);
            *slot += 1;
        }
        Self { entries, ends }
    }

    fn partition(&self, partition: usize) -> &[(K, u32)] {
        let start = match partition {
            0 => 0,
            _ => self.ends[partition - 1],
        };
        &self.entries[start as usize..self.ends[partition] as usize]
    }
}
