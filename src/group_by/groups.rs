//! Groups in partitions by rank, filled in parallel.

use std::cmp::Reverse;
use std::mem::take;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use hashbrown::DefaultHashBuilder;
use rayon::prelude::*;

use crate::columns::parallel::{MORSEL, by_part};
use crate::error::Result;
use crate::flow::batch::MeasureColumns;
use crate::group_by::key::GroupKey;
use crate::group_by::order::{Rank, order};
use crate::group_by::partition::Partition;
use crate::group_by::runs::{Runs, starts};
use crate::group_by::sums::{Measure, MeasureValues, Sums};

/// Initial groups of a partition, so that its table fits the cache.
const PARTITION_GROUPS: usize = 1 << 12;

/// Groups at which a partition is split.
const MAX_PARTITION_GROUPS: usize = 1 << 15;

/// Rows per known group of a range of rows that is grouped before its groups are partitioned.
const ROWS_PER_GROUP: usize = 8;

/// Rows that are added together; the maximum bounds the time between checks for Ctrl-C.
const MIN_WAITING: usize = 1 << 20;

const MAX_WAITING: usize = 1 << 22;

/// First rows that are likely to be followed by as many as are added together.
const PART_OF_MANY: usize = 1 << 16;

const MAX_PARTITIONS: usize = 1 << 9;

/// Sampled ranks per partition.
const SAMPLES: usize = 64;

/// Groups and their sums.
#[derive(Debug)]
pub struct Groups<K> {
    hasher: DefaultHashBuilder,
    /// First rank of every partition after the first.
    starts: Vec<u64>,
    partitions: Vec<Partition<K>>,
    /// Number of groups when the partitions were last split.
    split_at: usize,
    /// Partitioned rows that are not yet added.
    waiting: Vec<Runs<K>>,
    /// Whether every morsel so far has had few groups.
    repetitive: AtomicBool,
}

/// Sorted groups and their sums.
#[derive(Debug)]
pub struct Piece<K> {
    /// The keys.
    pub keys: Vec<K>,
    /// Their sums.
    pub sums: Sums,
}

impl<K: GroupKey> Default for Groups<K> {
    fn default() -> Self {
        Self {
            hasher: DefaultHashBuilder::default(),
            starts: Vec::new(),
            partitions: vec![Partition::default()],
            split_at: 0,
            waiting: Vec::new(),
            repetitive: AtomicBool::new(true),
        }
    }
}

impl<K: GroupKey> Groups<K> {
    /// Add rows, each to the group of its key.
    pub fn add_rows(
        &mut self,
        rows: usize,
        key: impl Fn(usize) -> K + Sync,
        measures: &MeasureColumns,
    ) {
        if self.len() == 0 && self.waiting.is_empty() {
            let rank = |row| key(row).partition_rank();
            self.split(rows, |step| (0..rows).step_by(step).map(rank).collect());
        }
        // Ranges of rows that have each of the known groups several times are grouped first.
        let known = self.len() * ROWS_PER_GROUP;
        let groups_first = known > MORSEL && known <= rows / 2;
        let size = if groups_first { known } else { MORSEL };
        let Self {
            hasher,
            starts,
            repetitive,
            ..
        } = &*self;
        let values = MeasureValues::of(measures);
        let runs = by_part(rows, size, |rows| {
            if groups_first || repetitive.load(Relaxed) {
                if let Some(local) = Partition::of_morsel(rows.clone(), &key, &values, hasher) {
                    return Runs::new(&local.keys, &local.sums.values(), 0, starts);
                }
                repetitive.store(false, Relaxed);
            }
            let first = rows.start;
            let keys: Vec<K> = rows.map(&key).collect();
            Runs::new(&keys, &values, first, starts)
        });
        self.waiting.extend(runs);
        // Each addition moves all tables through the cache, so it pays to add many rows together;
        // few groups stay in the cache.
        let waiting: usize = self.waiting.iter().map(Runs::rows).sum();
        let enough = (self.len() / 2).clamp(MIN_WAITING, MAX_WAITING);
        if waiting >= enough || groups_first || *self.repetitive.get_mut() {
            self.flush();
        }
    }

    /// Add the waiting rows.
    fn flush(&mut self) {
        let waiting = take(&mut self.waiting);
        self.absorb(&waiting);
        drop(waiting);
        self.balance();
    }

    /// Number of groups.
    fn len(&self) -> usize {
        self.partitions.iter().map(|part| part.keys.len()).sum()
    }

    /// Make empty partitions for a number of rows or groups; `sample` returns the rank of every
    /// n-th one.
    fn split(&mut self, rows: usize, sample: impl Fn(usize) -> Vec<u64>) {
        let expected = if rows < PART_OF_MANY {
            rows
        } else {
            rows.max(MIN_WAITING)
        };
        let parts = (expected / PARTITION_GROUPS).clamp(1, MAX_PARTITIONS);
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

    /// Split the partitions again once one of them is too large.
    fn balance(&mut self) {
        let groups = self.len();
        let largest = self.partitions.iter().map(|part| part.keys.len()).max();
        let too_large = MAX_PARTITION_GROUPS.max(4 * groups / MAX_PARTITIONS);
        if largest < Some(too_large) || groups < 2 * self.split_at {
            return;
        }
        let old = take(&mut self.partitions);
        self.split(groups, |step| {
            let keys = old.iter().flat_map(|part| &part.keys).step_by(step);
            keys.map(GroupKey::partition_rank).collect()
        });
        self.split_at = groups;
        let starts = &self.starts;
        let runs: Vec<_> = old
            .into_par_iter()
            .map(|Partition { slots, keys, sums }| {
                drop(slots);
                Runs::new(&keys, &sums.values(), 0, starts)
            })
            .collect();
        self.absorb(&runs);
    }

    /// Rename every group; groups of the same new key are merged.
    #[must_use]
    pub fn rekey(mut self, rename: impl Fn(K) -> K) -> Self {
        self.flush();
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

    /// Sort the groups by the ranks of their keys and map pieces of at least `size` groups with
    /// `make`. The last piece may be smaller; there is at least one.
    pub fn into_pieces<R: Rank, T: Send>(
        mut self,
        size: usize,
        rank: impl Fn(K) -> R + Sync,
        make: impl Fn(Piece<R>) -> T + Sync,
    ) -> Vec<T> {
        self.flush();
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

    /// Sort the groups by the ranks of their keys.
    pub fn into_sorted<R: Rank>(self, rank: impl Fn(K) -> R + Sync) -> Piece<R> {
        let mut out = Piece {
            keys: Vec::with_capacity(self.len()),
            sums: Sums::with_capacity(self.len()),
        };
        for Piece { keys, sums } in self.into_pieces(MAX_PARTITION_GROUPS, rank, |piece| piece) {
            let all: Vec<u32> = (0..keys.len() as u32).collect();
            out.sums.append(&sums.values(), &all);
            out.keys.extend(keys);
        }
        out
    }

    /// The top `n` groups by a measure, in descending order; ties by key, nulls last.
    pub fn into_top<R: Ord + Copy + Send>(
        mut self,
        n: usize,
        by: Measure,
        rank: impl Fn(K) -> R + Sync,
    ) -> Result<Piece<R>> {
        self.flush();
        // Groups outside of the top may be there only because their sums overflowed.
        for partition in &self.partitions {
            partition.sums.check()?;
        }
        let measure = |partition: &Partition<K>, slot: usize| partition.sums.get(slot, by);
        let keep_top = |groups: &mut Vec<(Reverse<Option<i64>>, R, u32, u32)>| {
            if groups.len() > n {
                groups.select_nth_unstable(n);
                groups.truncate(n);
            }
        };
        let tops = self
            .partitions
            .par_iter()
            .enumerate()
            .map(|(number, partition)| -> Result<Vec<_>> {
                let slots = 0..partition.keys.len();
                let measures = slots.map(|slot| measure(partition, slot));
                let measures = measures.collect::<Result<Vec<_>>>()?;
                // Ties with the last one of the top may precede it by their keys.
                let least = least_of_top(&measures, n);
                let kept = (measures.into_iter().zip(0_u32..))
                    .filter(|(measure, _)| *measure >= least)
                    .map(|(measure, slot)| {
                        let key = rank(partition.keys[slot as usize]);
                        (Reverse(measure), key, number as u32, slot)
                    });
                let mut groups = kept.collect();
                keep_top(&mut groups);
                Ok(groups)
            })
            .collect::<Result<Vec<_>>>()?;
        let mut top = tops.concat();
        keep_top(&mut top);
        top.sort_unstable();
        let values: Vec<MeasureValues> = self.partitions.iter().map(|p| p.sums.values()).collect();
        let mut sums = Sums::default();
        for (_, _, partition, slot) in &top {
            sums.append(&values[*partition as usize], &[*slot]);
        }
        Ok(Piece {
            sums,
            keys: top.into_iter().map(|(_, key, ..)| key).collect(),
        })
    }
}

/// The least of the `n` largest measures; `None`, which is less than any, if there are no more.
fn least_of_top(measures: &[Option<i64>], n: usize) -> Option<i64> {
    if n == 0 || measures.len() <= n {
        return None;
    }
    let mut measures = measures.to_vec();
    *measures.select_nth_unstable_by(n - 1, |a, b| b.cmp(a)).1
}

impl<R: Rank> Piece<R> {
    /// Sort the groups of consecutive partitions.
    fn sorted<K: GroupKey>(partitions: Vec<Partition<K>>, rank: impl Fn(K) -> R) -> Self {
        let groups = partitions.iter().map(|part| part.keys.len()).sum();
        let mut out = Self {
            keys: Vec::with_capacity(groups),
            sums: Sums::with_capacity(groups),
        };
        for Partition { slots, keys, sums } in partitions {
            drop(slots);
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
        fn partition_rank(&self) -> u64 {
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
            max: [None, None],
        };
        groups.add_rows(keys.len(), |row| keys[row], &measures);
    }

    fn counts(groups: Groups<u64>) -> Vec<(u64, Option<i64>)> {
        let Piece { keys, sums } = groups.into_sorted(|key| key);
        let flows = |group| sums.flows(group);
        keys.into_iter().zip((0..).map(flows)).collect()
    }

    #[test]
    fn sorted_rows_split_partitions_again() {
        const ROWS: u64 = 1 << 19;
        let mut groups = Groups::default();
        for part in 0..4 {
            let keys: Vec<u64> = (part * ROWS..(part + 1) * ROWS).collect();
            add(&mut groups, &keys);
        }
        groups.flush();
        let largest = groups.partitions.iter().map(|part| part.keys.len()).max();
        assert!(largest < Some(MAX_PARTITION_GROUPS), "{largest:?}");
        add(&mut groups, &[0, ROWS, ROWS]);
        let expected = (0..4 * ROWS).map(|key| match key {
            0 => (key, Some(2)),
            ROWS => (key, Some(3)),
            _ => (key, Some(1)),
        });
        assert!(counts(groups).into_iter().eq(expected));
    }

    #[test]
    fn few_groups_followed_by_many_are_counted() {
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
