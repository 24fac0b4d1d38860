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

/// Pieces are numbered in 16 bits.
const MOST_PIECES: usize = 1 << 16;

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
    /// groups, and what `make` makes of each; at least one piece.
    pub fn into_pieces<R: Key, T: Send>(
        self,
        size: usize,
        rank: impl Fn(K) -> R + Sync,
        make: impl Fn(Piece<R>) -> T + Sync,
    ) -> Vec<T> {
        let starts = self.starts_of_pieces(&rank, size);
        let runs: Vec<_> = self
            .partitions
            .into_par_iter()
            .map(|partition| Runs::new(partition, &starts, &rank))
            .collect();
        let pieces: Vec<_> = (0..=starts.len())
            .into_par_iter()
            .map(|piece| Runs::joined(&runs, piece))
            .collect();
        drop(runs);
        pieces
            .into_par_iter()
            .map(|piece| make(piece.sorted()))
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

    /// The first keys of all pieces but the first, told from a sample.
    fn starts_of_pieces<R: Key>(&self, rank: impl Fn(K) -> R, size: usize) -> Vec<R> {
        let groups: usize = self.partitions.iter().map(|part| part.keys.len()).sum();
        let pieces = groups.div_ceil(size).min(MOST_PIECES);
        if pieces < 2 {
            return Vec::new();
        }
        let step = (groups / (pieces * SAMPLES)).max(1);
        let keys = self.partitions.iter().flat_map(|part| &part.keys);
        let mut sample: Vec<R> = keys.step_by(step).map(|key| rank(*key)).collect();
        sample.sort_unstable();
        (1..pieces)
            .map(|piece| sample[sample.len() * piece / pieces])
            .collect()
    }

    /// All groups in the order of the keys that `rank` makes of theirs.
    pub fn into_sorted<R: Key>(self, rank: impl Fn(K) -> R + Sync) -> Piece<R> {
        let mut pieces = self.into_pieces(usize::MAX, rank, |piece| piece);
        pieces.swap_remove(0)
    }
}

/// The groups of a partition, cut into what belongs to each piece of the result.
struct Runs<R> {
    groups: Piece<R>,
    ends: Vec<u32>,
}

impl<R: Key> Runs<R> {
    fn new<K: Key>(partition: Partition<K>, starts: &[R], rank: impl Fn(K) -> R) -> Self {
        let Partition { places, keys, sums } = partition;
        drop(places);
        let keys: Vec<R> = keys.into_iter().map(rank).collect();
        let piece_of = |key: &R| starts.partition_point(|start| start <= key);
        let pieces: Vec<u16> = keys.iter().map(|key| piece_of(key) as u16).collect();
        let mut ends = vec![0_u32; starts.len() + 1];
        for piece in &pieces {
            ends[usize::from(*piece)] += 1;
        }
        let mut next = vec![0_u32; ends.len()];
        let mut total = 0;
        for (end, next) in ends.iter_mut().zip(&mut next) {
            *next = total;
            total += *end;
            *end = total;
        }
        let mut order = vec![0_u32; keys.len()];
        for (piece, place) in pieces.into_iter().zip(0..) {
            let slot = &mut next[usize::from(piece)];
            order[*slot as usize] = place;
            *slot += 1;
        }
        Self {
            groups: Piece {
                keys: order.iter().map(|place| keys[*place as usize]).collect(),
                sums: sums.select(&order),
            },
            ends,
        }
    }

    fn of(&self, piece: usize) -> Range<usize> {
        let start = piece.checked_sub(1).map_or(0, |before| self.ends[before]);
        start as usize..self.ends[piece] as usize
    }

    /// What all partitions have of a piece, in no order.
    fn joined(runs: &[Self], piece: usize) -> Piece<R> {
        let groups = runs.iter().map(|run| run.of(piece).len()).sum();
        let mut keys = Vec::with_capacity(groups);
        for run in runs {
            keys.extend_from_slice(&run.groups.keys[run.of(piece)]);
        }
        let parts = runs.iter().map(|run| (&run.groups.sums, run.of(piece)));
        Piece {
            keys,
            sums: Sums::joined(parts, groups),
        }
    }
}

impl<R: Key> Piece<R> {
    fn sorted(self) -> Self {
        let mut order: Vec<(R, u32)> = self.keys.into_iter().zip(0..).collect();
        order.sort_unstable_by_key(|(key, _)| *key);
        let (keys, order): (Vec<R>, Vec<u32>) = order.into_iter().unzip();
        Self {
            keys,
            sums: self.sums.select(&order),
        }
    }
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
