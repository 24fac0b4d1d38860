//! A hash table of groups.

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::group_by::key::GroupKey;
use crate::group_by::runs::Runs;
use crate::group_by::sums::{MeasureValues, Sums};

/// Groups of a morsel that are few, however few rows it has.
const FEW_GROUPS: usize = 1 << 8;

/// Groups of one range of ranks.
#[derive(Debug)]
pub struct Partition<K> {
    /// Indices of `keys`, by the hash of the key.
    pub slots: HashTable<u32>,
    /// The keys in order of first appearance.
    pub keys: Vec<K>,
    /// The sums of the groups.
    pub sums: Sums,
}

impl<K> Default for Partition<K> {
    fn default() -> Self {
        Self {
            slots: HashTable::new(),
            keys: Vec::new(),
            sums: Sums::default(),
        }
    }
}

impl<K: GroupKey> Partition<K> {
    /// Group the rows of a morsel; `None` if it has too many groups for that to pay.
    pub fn of_morsel(
        rows: Range<usize>,
        key: impl Fn(usize) -> K,
        values: &MeasureValues,
        hasher: &DefaultHashBuilder,
    ) -> Option<Self> {
        let max_groups = (rows.len() / 4).max(FEW_GROUPS);
        let mut local = Self::default();
        let mut slots = Vec::with_capacity(rows.len());
        for row in rows.clone() {
            slots.push(local.slot(key(row), hasher));
            if local.keys.len() > max_groups {
                return None;
            }
        }
        local.sums.resize(local.keys.len());
        local.sums.add(&slots, values, rows);
        Some(local)
    }

    /// Add the rows of a part of all runs; `values` are those of the runs.
    pub fn absorb(
        &mut self,
        part: usize,
        runs: &[Runs<K>],
        values: &[MeasureValues],
        hasher: &DefaultHashBuilder,
    ) {
        if self.keys.is_empty() {
            let count = runs.iter().map(|run| run.of(part).len()).sum();
            self.slots = HashTable::with_capacity(count);
            self.keys = Vec::with_capacity(count);
        }
        let mut slots = Vec::new();
        for run in runs {
            let keys = run.keys(part).iter();
            slots.extend(keys.map(|key| self.slot(*key, hasher)));
        }
        self.sums.resize(self.keys.len());
        let mut slots = slots.as_slice();
        for (run, values) in runs.iter().zip(values) {
            let rows = run.of(part);
            let (own, rest) = slots.split_at(rows.len());
            self.sums.add(own, values, rows);
            slots = rest;
        }
    }

    fn slot(&mut self, key: K, hasher: &DefaultHashBuilder) -> u32 {
        let Self { slots, keys, .. } = self;
        let hash = hasher.hash_one(key);
        if let Some(slot) = slots.find(hash, |slot| keys[*slot as usize] == key) {
            return *slot;
        }
        let slot = keys.len() as u32;
        keys.push(key);
        slots.insert_unique(hash, slot, |slot| hasher.hash_one(keys[*slot as usize]));
        slot
    }
}
