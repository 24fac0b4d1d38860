//! A hash table of groups.

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::group_by::key::GroupKey;
use crate::group_by::runs::Runs;
use crate::group_by::sums::{MeasureValues, Sums};

/// Groups of one part of the order.
#[derive(Debug)]
pub struct Partition<K> {
    /// Places in `keys`, by the hash of the key there.
    pub places: HashTable<u32>,
    /// The keys in the order in which they came.
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

impl<K: GroupKey> Partition<K> {
    /// Groups the rows of a morsel, unless they have so many groups that it does not pay.
    pub fn of_few(
        rows: Range<usize>,
        key: impl Fn(usize) -> K,
        values: &MeasureValues,
        hasher: &DefaultHashBuilder,
    ) -> Option<Self> {
        let most = rows.len() / 4;
        let mut local = Self::default();
        let mut places = Vec::with_capacity(rows.len());
        for row in rows.clone() {
            places.push(local.place(key(row), hasher));
            if local.keys.len() > most {
                return None;
            }
        }
        local.sums.resize(local.keys.len());
        local.sums.add(&places, values, rows);
        Some(local)
    }

    /// Adds the rows of a part of all runs; `values` are those of the runs.
    pub fn absorb(
        &mut self,
        part: usize,
        runs: &[Runs<K>],
        values: &[MeasureValues],
        hasher: &DefaultHashBuilder,
    ) {
        if self.keys.is_empty() {
            let count = runs.iter().map(|run| run.of(part).len()).sum();
            self.places = HashTable::with_capacity(count);
            self.keys = Vec::with_capacity(count);
        }
        let mut places = Vec::new();
        for run in runs {
            let keys = run.keys(part).iter();
            places.extend(keys.map(|key| self.place(*key, hasher)));
        }
        self.sums.resize(self.keys.len());
        let mut places = places.as_slice();
        for (run, values) in runs.iter().zip(values) {
            let rows = run.of(part);
            let (own, others) = places.split_at(rows.len());
            self.sums.add(own, values, rows);
            places = others;
        }
    }

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
