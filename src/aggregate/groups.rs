//! A hash table of groups in partitions, filled in parallel.

use std::cmp::Reverse;
use std::hash::{BuildHasher, Hash};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use hashbrown::{DefaultHashBuilder, HashTable};
use rayon::prelude::*;

use crate::aggregate::scatter::Scattered;
use crate::aggregate::sums::{Measure, Sums};
use crate::columns::by_morsel;
use crate::flows::MeasureColumns;

/// Enough that the table of a partition fits the cache while it is filled.
const PARTITIONS: usize = 256;

/// Keys looked at, for each piece of the result, to tell where it begins.
const SAMPLES: usize = 64;

/// What groups are told apart by. The order of keys is the order of results.
pub trait Key: Copy + Eq + Hash + Ord + Send + Sync {}
impl<K: Copy + Eq + Hash + Ord + Send + Sync> Key for K {}

/// Groups and their sums.
#[derive(Debug)]
pub struct Groups<K> {
    hasher: DefaultHashBuilder,
    partitions: Vec<Partition<K>>,
    /// Whether every morsel so far had few groups.
    repetitive: AtomicBool,
}

#[derive(Debug)]
struct Partition<K> {
    /// Places in `keys`, by the hash of the key there.
    places: HashTable<u32>,
    keys: Vec<K>,
    sums: Sums,
}

/// Groups with keys in order, and their sums.
#[derive(Debug)]
pub struct Piece<K> {
    /// The keys.
    pub keys: Vec<K>,
    /// The sums of the groups.
    pub sums: Sums,
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
            repetitive: AtomicBool::new(true),
        }
    }
}

/// The table of a partition uses the low bits of the same hash, and the highest seven.
fn partition_of(hash: u64) -> usize {
    (hash >> 40) as usize % PARTITIONS
}

fn scatter<K: Key>(
    entries: impl ExactSizeIterator<Item = (K, u32)>,
    hasher: &DefaultHashBuilder,
) -> Scattered<(K, u32)> {
    Scattered::new(entries, PARTITIONS, |(key, _)| {
        partition_of(hasher.hash_one(key))
    })
}

impl<K: Key> Groups<K> {
    /// Adds rows, each to the group of its key.
    pub fn add_rows(
        &mut self,
        rows: usize,
        key: impl Fn(usize) -> K + Sync,
        measures: &MeasureColumns,
    ) {
        let hasher = &self.hasher;
        let repetitive = &self.repetitive;
        let morsels = by_morsel(rows, |rows| {
            if repetitive.load(Relaxed) {
                if let Some(local) = Local::new(rows.clone(), hasher, &key, measures) {
                    let groups = scatter(local.groups(), hasher);
                    return (groups, Some(local.sums));
                }
                repetitive.store(false, Relaxed);
            }
            let keyed = rows.map(|row| (key(row), row as u32));
            (scatter(keyed, hasher), None)
        });
        self.partitions
            .par_iter_mut()
            .enumerate()
            .for_each(|(number, partition)| {
                let parts = || {
                    morsels
                        .iter()
                        .map(|(morsel, sums)| (morsel.part(number), sums))
                };
                if partition.keys.is_empty() {
                    let count = parts().map(|(part, _)| part.len()).sum();
                    partition.places = HashTable::with_capacity(count);
                }
                let mut pairs = Vec::new();
                for (part, sums) in parts() {
                    let placed = part
                        .iter()
                        .map(|(key, from)| (partition.place(*key, hasher), *from));
                    let Some(sums) = sums else {
                        pairs.extend(placed);
                        continue;
                    };
                    let placed: Vec<(u32, u32)> = placed.collect();
                    partition.sums.resize(partition.keys.len());
                    for (place, from) in placed {
                        partition
                            .sums
                            .add_group(place as usize, sums, from as usize);
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

    /// All groups in the order of the keys that `rank` makes of theirs, in pieces of about `size`
    /// groups; at least one piece.
    pub fn into_pieces<R: Key>(self, rank: impl Fn(K) -> R + Sync, size: usize) -> Vec<Piece<R>> {
        let (keys, sums): (Vec<_>, Vec<_>) = self
            .partitions
            .into_iter()
            .map(|partition| (partition.keys, partition.sums))
            .unzip();
        let starts = starts_of_pieces(&keys, &rank, size);
        let scattered: Vec<_> = keys
            .into_par_iter()
            .map(|keys| {
                let ranked = keys.into_iter().enumerate();
                let ranked = ranked.map(|(place, key)| (rank(key), place as u32));
                Scattered::new(ranked, starts.len() + 1, |(key, _)| {
                    starts.partition_point(|start| start <= key)
                })
            })
            .collect();
        (0..=starts.len())
            .into_par_iter()
            .map(|piece| {
                let mut groups: Vec<(R, u32, u32)> = scattered
                    .iter()
                    .zip(0..)
                    .flat_map(|(groups, partition)| {
                        let groups = groups.part(piece).iter();
                        groups.map(move |(key, place)| (*key, partition, *place))
                    })
                    .collect();
                groups.sort_unstable_by_key(|(key, ..)| *key);
                Piece {
                    sums: Sums::gather(&sums, &groups, |(_, partition, place)| {
                        (*partition as usize, *place as usize)
                    }),
                    keys: groups.into_iter().map(|(key, ..)| key).collect(),
                }
            })
            .collect()
    }

    /// The `n` groups with the most of a measure, the most first; of groups with as much, those
    /// with the first keys. Groups without a value of the measure come last.
    pub fn into_top<R: Key>(self, n: usize, by: Measure, rank: impl Fn(K) -> R + Sync) -> Piece<R> {
        let keep_top = |groups: &mut Vec<(Reverse<Option<i64>>, R, u32, u32)>| {
            if groups.len() > n {
                groups.select_nth_unstable(n);
                groups.truncate(n);
            }
        };
        let mut top: Vec<_> = self
            .partitions
            .par_iter()
            .enumerate()
            .flat_map_iter(|(number, partition)| {
                let keys = partition.keys.iter().zip(0_u32..);
                let mut groups = keys
                    .map(|(key, place)| {
                        let measure = partition.sums.get(place as usize, by);
                        (Reverse(measure), rank(*key), number as u32, place)
                    })
                    .collect();
                keep_top(&mut groups);
                groups
            })
            .collect();
        keep_top(&mut top);
        top.sort_unstable();
        let sums: Vec<Sums> = self.partitions.into_iter().map(|p| p.sums).collect();
        Piece {
            sums: Sums::gather(&sums, &top, |(_, _, partition, place)| {
                (*partition as usize, *place as usize)
            }),
            keys: top.into_iter().map(|(_, key, ..)| key).collect(),
        }
    }

    /// All groups in the order of the keys that `rank` makes of theirs.
    pub fn into_sorted<R: Key>(self, rank: impl Fn(K) -> R + Sync) -> Piece<R> {
        let mut pieces = self.into_pieces(rank, usize::MAX);
        pieces.swap_remove(0)
    }
}

/// The first keys of all pieces but the first, told from a sample.
fn starts_of_pieces<K: Key, R: Key>(keys: &[Vec<K>], rank: impl Fn(K) -> R, size: usize) -> Vec<R> {
    let groups: usize = keys.iter().map(Vec::len).sum();
    let pieces = groups.div_ceil(size);
    if pieces < 2 {
        return Vec::new();
    }
    let step = (groups / (pieces * SAMPLES)).max(1);
    let mut sample: Vec<R> = keys
        .iter()
        .flatten()
        .step_by(step)
        .map(|key| rank(*key))
        .collect();
    sample.sort_unstable();
    (1..pieces)
        .map(|piece| sample[sample.len() * piece / pieces])
        .collect()
}

/// The groups of one morsel, which add its rows up where they are near.
struct Local<K> {
    keys: Vec<K>,
    sums: Sums,
}

impl<K: Key> Local<K> {
    /// Groups the rows of a morsel, unless they have so many groups that it does not pay.
    fn new(
        rows: Range<usize>,
        hasher: &DefaultHashBuilder,
        key: impl Fn(usize) -> K,
        measures: &MeasureColumns,
    ) -> Option<Self> {
        let most = rows.len() / 4;
        let mut local = Partition::default();
        let mut pairs = Vec::with_capacity(rows.len());
        for row in rows {
            pairs.push((local.place(key(row), hasher), row as u32));
            if local.keys.len() > most {
                return None;
            }
        }
        local.sums.resize(local.keys.len());
        local.sums.add_rows(&pairs, measures);
        let Partition { keys, sums, .. } = local;
        Some(Self { keys, sums })
    }

    fn groups(&self) -> impl ExactSizeIterator<Item = (K, u32)> {
        let keys = self.keys.iter().enumerate();
        keys.map(|(place, key)| (*key, place as u32))
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
