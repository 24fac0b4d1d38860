//! Many hashes, kept to find the repeated ones.

use rayon::prelude::*;

const SHARD_BITS: u32 = 8;

/// Hashes by their first bits; 8 bytes each.
#[derive(Clone, Debug)]
pub struct Hashes {
    shards: Vec<Vec<u64>>,
    count: usize,
}

impl Default for Hashes {
    fn default() -> Self {
        Self {
            shards: vec![Vec::new(); 1 << SHARD_BITS],
            count: 0,
        }
    }
}

impl Hashes {
    /// Add a hash.
    #[inline]
    pub fn add(&mut self, hash: u64) {
        let shard = &mut self.shards[shard(hash)];
        if shard.len() == shard.capacity() {
            // All shards grow at about the same time, so doubling would waste as much again.
            shard.reserve_exact((shard.len() / 8).max(64));
        }
        shard.push(hash);
        self.count += 1;
    }

    /// Number of hashes added.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Keep the hashes for which `keep` holds.
    pub fn retain(&mut self, keep: impl Fn(u64) -> bool + Sync) {
        self.shards
            .par_iter_mut()
            .for_each(|hashes| hashes.retain(|hash| keep(*hash)));
        self.count = self.shards.iter().map(Vec::len).sum();
    }

    /// Keep one of each hash; call `repeated` with those added more than once, and how often again.
    pub fn deduplicate(&mut self, mut repeated: impl FnMut(u64, u64)) {
        let shards = &mut self.shards;
        let found: Vec<_> = shards
            .par_iter_mut()
            .map(|hashes| {
                let found = shared(hashes);
                hashes.dedup();
                found
            })
            .collect();
        self.count = self.shards.iter().map(Vec::len).sum();
        for (hash, again) in found.into_iter().flatten() {
            repeated(hash, again);
        }
    }

    /// The hashes that were added more than once.
    pub fn into_repeated(self) -> Repeated {
        let repeated = |mut hashes: Vec<u64>| -> Vec<u64> {
            let shared = shared(&mut hashes);
            shared.into_iter().map(|(hash, _)| hash).collect()
        };
        let shards: Vec<_> = self.shards.into_par_iter().map(repeated).collect();
        let mut count = 0;
        let first = |shard: &Vec<u64>| {
            count += shard.len();
            count - shard.len()
        };
        let firsts = shards.iter().map(first).collect();
        Repeated {
            shards,
            firsts,
            count,
        }
    }
}

/// Sort hashes; return those that occur several times, with how often again.
fn shared(hashes: &mut [u64]) -> Vec<(u64, u64)> {
    hashes.sort_unstable();
    let shared = hashes.chunk_by(|a, b| a == b).filter(|same| same.len() > 1);
    shared
        .map(|same| (same[0], same.len() as u64 - 1))
        .collect()
}

/// Hashes that were added more than once.
#[derive(Clone, Debug)]
pub struct Repeated {
    /// Sorted hashes, by their first bits.
    shards: Vec<Vec<u64>>,
    /// Number of the hashes before each shard.
    firsts: Vec<usize>,
    count: usize,
}

impl Repeated {
    /// Number of different hashes.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The number of a hash among them, below their count.
    #[inline]
    pub fn number(&self, hash: u64) -> Option<usize> {
        let shard = shard(hash);
        let index = self.shards[shard].binary_search(&hash).ok()?;
        Some(self.firsts[shard] + index)
    }
}

#[inline]
fn shard(hash: u64) -> usize {
    (hash >> (u64::BITS - SHARD_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_hashes_are_found() {
        let mut hashes = Hashes::default();
        for value in 0..1_000_u64 {
            hashes.add(value.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        for value in [7_u64, 9, 7] {
            hashes.add(value.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        assert_eq!(hashes.count(), 1_003);
        let repeated = hashes.into_repeated();
        assert_eq!(repeated.count(), 2);
        let number = |value: u64| repeated.number(value.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut numbers = [7, 8, 9].map(number);
        assert_eq!(numbers[1], None);
        numbers.sort_unstable();
        assert_eq!(numbers, [None, Some(0), Some(1)]);
    }
}
