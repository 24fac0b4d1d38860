//! Groups in partitions, one for each part of their order, filled in parallel.

use std::cmp::Reverse;
use std::mem::take;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use hashbrown::DefaultHashBuilder;
use rayon::prelude::*;

use crate::columns::parallel::by_morsel;
use crate::flow::batch::MeasureColumns;
use crate::group_by::key::GroupKey;
use crate::group_by::order::{Rank, order};
use crate::group_by::partition::Partition;
use crate::group_by::runs::{Runs, starts};
use crate::group_by::sums::{Measure, MeasureValues, Sums};

/// Groups of a partition at first, so that its table fits the cache while it is filled.
const FEW: usize = 1 << 12;

/// Groups with which a partition is too large for that.
const MANY: usize = 1 << 15;

/// Rows that are added together: at least, and at most while there is a look for Ctrl-C in between.
const LEAST_WAITING: usize = 1 << 20;

const MOST_WAITING: usize = 1 << 22;

const MOST_PARTITIONS: usize = 1 << 9;

/// Places looked at, for each partition, to tell where it begins.
const SAMPLES: usize = 64;

/// Groups and their sums.
#[derive(Debug)]
pub struct Groups<K> {
    hasher: DefaultHashBuilder,
    /// The first places of all partitions but the first.
    starts: Vec<u64>,
    partitions: Vec<Partition<K>>,
    /// How many groups there were when the partitions were laid out.
    laid_out: usize,
    /// Rows that are laid out, but not yet added.
    waiting: Vec<Runs<K>>,
    /// Whether every morsel so far had few groups.
    repetitive: AtomicBool,
}

/// Groups with keys in order, and their sums.
#[derive(Debug)]
pub struct Piece<K> {
    /// The keys.
    pub keys: Vec<K>,
    /// The sums of the groups.
    pub sums: Sums,
}

impl<K: GroupKey> Default for Groups<K> {
    fn default() -> Self {
        Self {
            hasher: DefaultHashBuilder::default(),
            starts: Vec::new(),
            partitions: vec![Partition::default()],
            laid_out: 0,
            waiting: Vec::new(),
            repetitive: AtomicBool::new(true),
        }
    }
}

impl<K: GroupKey> Groups<K> {
    /// Adds rows, each to the group of its key.
    pub fn add_rows(
        &mut self,
        rows: usize,
        key: impl Fn(usize) -> K + Sync,
        measures: &MeasureColumns,
    ) {
        if self.len() == 0 && self.waiting.is_empty() {
            let place = |row| key(row).place();
            self.lay_out(rows, |step| (0..rows).step_by(step).map(place).collect());
        }
        let Self {
            hasher,
            starts,
            repetitive,
            ..
        } = &*self;
        let values = MeasureValues::of(measures);
        let runs = by_morsel(rows, |rows| {
            if repetitive.load(Relaxed) {
                if let Some(local) = Partition::of_few(rows.clone(), &key, &values, hasher) {
                    return Runs::new(&local.keys, &local.sums.values(), 0, starts);
                }
                repetitive.store(false, Relaxed);
            }
            let first = rows.start;
            let keys: Vec<K> = rows.map(&key).collect();
            Runs::new(&keys, &values, first, starts)
        });
        self.waiting.extend(runs);
        // Each time, all tables go through the cache, so many rows at once pay; few groups stay there.
        let waiting: usize = self.waiting.iter().map(Runs::rows).sum();
        let enough = (self.len() / 2).clamp(LEAST_WAITING, MOST_WAITING);
        if waiting >= enough || *self.repetitive.get_mut() {
            self.settle();
        }
    }

    /// Adds the rows that wait.
    fn settle(&mut self) {
        let waiting = take(&mut self.waiting);
        self.absorb(&waiting);
        drop(waiting);
        self.balance();
    }

    /// Number of groups.
    fn len(&self) -> usize {
        self.partitions.iter().map(|part| part.keys.len()).sum()
    }

    /// Makes empty partitions for so many rows or groups, of which `sample` takes every one after
    /// a number of others.
    fn lay_out(&mut self, rows: usize, sample: impl Fn(usize) -> Vec<u64>) {
        let parts = (rows / FEW).clamp(1, MOST_PARTITIONS);
        let step = (rows / (parts * SAMPLES)).max(1);
        self.starts = starts(sample(step), parts);
        self.partitions.clear();
        self.partitions
            .resize_with(self.starts.len() + 1, Partition::default);
    }

    fn absorb(&mut self, runs: &[Runs<K>]) {
        let hasher = &self.hasher;
        let values: Vec<MeasureValues> = runs.iter().map(|run| run.sums.values()).collect();
        self.partitions
            .par_iter_mut()
            .enumerate()
            .for_each(|(part, partition)| partition.absorb(part, runs, &values, hasher));
    }

    /// Lays the partitions out anew once one has become too large, and far larger than it need be.
    fn balance(&mut self) {
        let groups = self.len();
        let largest = self.partitions.iter().map(|part| part.keys.len()).max();
        let too_large = MANY.max(4 * groups / MOST_PARTITIONS);
        if largest < Some(too_large) || groups < 2 * self.laid_out {
            return;
        }
        let old = take(&mut self.partitions);
        self.lay_out(groups, |step| {
            let keys = old.iter().flat_map(|part| &part.keys).step_by(step);
            keys.map(GroupKey::place).collect()
        });
        self.laid_out = groups;
        let starts = &self.starts;
        let runs: Vec<_> = old
            .into_par_iter()
            .map(|Partition { places, keys, sums }| {
                drop(places);
                Runs::new(&keys, &sums.values(), 0, starts)
            })
            .collect();
        self.absorb(&runs);
    }

    /// Renames every group; those that come to have the same key are added up.
    #[must_use]
    pub fn rekey(mut self, rename: impl Fn(K) -> K) -> Self {
        self.settle();
        let mut out = Self::default();
        let runs: Vec<_> = self
            .partitions
            .into_iter()
            .map(|Partition { keys, sums, .. }| {
                let keys: Vec<K> = keys.into_iter().map(&rename).collect();
                Runs::new(&keys, &sums.values(), 0, &out.starts)
            })
            .collect();
        out.absorb(&runs);
        out
    }

    /// All groups in the order of the keys that `rank` makes of theirs, in pieces of at least
    /// `size` groups but for the last, and what `make` makes of each; at least one piece.
    pub fn into_pieces<R: Rank, T: Send>(
        mut self,
        size: usize,
        rank: impl Fn(K) -> R + Sync,
        make: impl Fn(Piece<R>) -> T + Sync,
    ) -> Vec<T> {
        self.settle();
        let mut pieces = vec![Vec::new()];
        let mut groups = 0;
        for partition in self.partitions {
            if groups >= size {
                pieces.push(Vec::new());
                groups = 0;
            }
            groups += partition.keys.len();
            if let Some(piece) = pieces.last_mut() {
                piece.push(partition);
            }
        }
        pieces
            .into_par_iter()
            .map(|partitions| make(Piece::sorted(partitions, &rank)))
            .collect()
    }

    /// All groups in the order of the keys that `rank` makes of theirs.
    pub fn into_sorted<R: Rank>(self, rank: impl Fn(K) -> R + Sync) -> Piece<R> {
        let mut out = Piece {
            keys: Vec::with_capacity(self.len()),
            sums: Sums::with_room(self.len()),
        };
        for Piece { keys, sums } in self.into_pieces(MANY, rank, |piece| piece) {
            let all: Vec<u32> = (0..keys.len() as u32).collect();
            out.sums.append(&sums.values(), &all);
            out.keys.extend(keys);
        }
        out
    }

    /// The `n` groups with the most of a measure, the most first; of groups with as much, those
    /// with the first keys. Groups without a value of the measure come last.
    pub fn into_top<R: Ord + Copy + Send>(
        mut self,
        n: usize,
        by: Measure,
        rank: impl Fn(K) -> R + Sync,
    ) -> Piece<R> {
        self.settle();
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
        let values: Vec<MeasureValues> = self.partitions.iter().map(|p| p.sums.values()).collect();
        let mut sums = Sums::default();
        for (_, _, partition, place) in &top {
            sums.append(&values[*partition as usize], &[*place]);
        }
        Piece {
            sums,
            keys: top.into_iter().map(|(_, key, ..)| key).collect(),
        }
    }
}

impl<R: Rank> Piece<R> {
    /// The groups of consecutive partitions.
    fn sorted<K: GroupKey>(partitions: Vec<Partition<K>>, rank: impl Fn(K) -> R) -> Self {
        let groups = partitions.iter().map(|part| part.keys.len()).sum();
        let mut out = Self {
            keys: Vec::with_capacity(groups),
            sums: Sums::with_room(groups),
        };
        for Partition { places, keys, sums } in partitions {
            drop(places);
            let keys: Vec<R> = keys.into_iter().map(&rank).collect();
            let order = order(&keys);
            out.keys
                .extend(order.iter().map(|group| keys[*group as usize]));
            out.sums.append(&sums.values(), &order);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;

    use super::*;
    use crate::group_by::order::FIELDS;

    impl GroupKey for u64 {
        fn place(&self) -> u64 {
            *self
        }
    }

    impl Rank for u64 {
        fn fields(&self) -> [u64; FIELDS] {
            [*self, 0, 0, 0, 0]
        }
    }

    fn add(groups: &mut Groups<u64>, keys: &[u64]) {
        let measures = MeasureColumns {
            flows: Int64Array::from(vec![1; keys.len()]),
            sums: [const { None }; 5],
            first: None,
            last: None,
            most: [None, None],
        };
        groups.add_rows(keys.len(), |row| keys[row], &measures);
    }

    fn counts(groups: Groups<u64>) -> Vec<(u64, Option<i64>)> {
        let Piece { keys, sums } = groups.into_sorted(|key| key);
        let flows = |group| sums.get(group, Measure::Flows);
        keys.into_iter().zip((0..).map(flows)).collect()
    }

    #[test]
    fn rows_that_come_in_order_are_laid_out_anew() {
        const ROWS: u64 = 1 << 19;
        let mut groups = Groups::default();
        for part in 0..4 {
            let keys: Vec<u64> = (part * ROWS..(part + 1) * ROWS).collect();
            add(&mut groups, &keys);
        }
        groups.settle();
        let largest = groups.partitions.iter().map(|part| part.keys.len()).max();
        assert!(largest < Some(MANY), "{largest:?}");
        add(&mut groups, &[0, ROWS, ROWS]);
        let expected = (0..4 * ROWS).map(|key| match key {
            0 => (key, Some(2)),
            ROWS => (key, Some(3)),
            _ => (key, Some(1)),
        });
        assert!(counts(groups).into_iter().eq(expected));
    }

    #[test]
    fn few_groups_and_then_many_are_counted_alike() {
        let mut groups = Groups::default();
        let few: Vec<u64> = (0..40_000).map(|row| row % 7 * 1000).collect();
        let many: Vec<u64> = (0..40_000).rev().collect();
        add(&mut groups, &few);
        add(&mut groups, &many);
        add(&mut groups, &[]);
        let expected = (0..40_000).map(|key| {
            let of_few = few.iter().filter(|other| **other == key);
            let count = if key % 1000 == 0 { of_few.count() } else { 0 };
            (key, Some(count as i64 + 1))
        });
        assert!(counts(groups).into_iter().eq(expected));
    }
}
