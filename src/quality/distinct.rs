//! Count of distinct values by their hashes.

use hashbrown::HashSet;

/// Maximum number of hashes in memory; beyond it, a sample of known share.
const MAX_HASHES: usize = 14_000_000;

/// Distinct values: exact up to 14 million, estimated from a sample beyond.
pub struct Distinct {
    hashes: HashSet<u64>,
    /// Repeated hashes, by their number of trailing zero bits.
    repeats: [u64; 65],
    /// Minimum number of trailing zero bits of a hash in the sample.
    min_zeros: u32,
    max_hashes: usize,
}

impl Default for Distinct {
    fn default() -> Self {
        Self::with_limit(MAX_HASHES)
    }
}

impl Distinct {
    fn with_limit(max_hashes: usize) -> Self {
        Self {
            hashes: HashSet::new(),
            repeats: [0; 65],
            min_zeros: 0,
            max_hashes,
        }
    }

    /// Add a value by its hash.
    pub fn add(&mut self, hash: u64) {
        let zeros = hash.trailing_zeros();
        if zeros < self.min_zeros {
            return;
        }
        if !self.hashes.insert(hash) {
            self.repeats[zeros as usize] += 1;
        } else if self.hashes.len() > self.max_hashes {
            self.min_zeros += 1;
            let min_zeros = self.min_zeros;
            self.hashes
                .retain(|hash| hash.trailing_zeros() >= min_zeros);
        }
    }

    /// Number of distinct values.
    pub fn count(&self) -> u64 {
        (self.hashes.len() as u64) << self.min_zeros
    }

    /// Number of values added before.
    pub fn repeats(&self) -> u64 {
        self.repeats[self.min_zeros as usize..].iter().sum::<u64>() << self.min_zeros
    }

    /// Whether the counts are estimates.
    pub fn is_sampled(&self) -> bool {
        self.min_zeros > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(value: u64) -> u64 {
        let value = (value ^ (value >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (value ^ (value >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    }

    #[test]
    fn counts_are_exact_below_the_limit_and_close_above() {
        for (max_hashes, sampled) in [(100_000, false), (1_000, true)] {
            let mut distinct = Distinct::with_limit(max_hashes);
            for value in 0..40_000 {
                distinct.add(mixed(value));
                if value % 4 == 0 {
                    distinct.add(mixed(value));
                }
            }
            assert_eq!(distinct.is_sampled(), sampled);
            assert!(distinct.hashes.len() <= max_hashes + 1);
            let near = |found: u64, truth: u64| found.abs_diff(truth) * 5 < truth;
            assert!(near(distinct.count(), 40_000), "{}", distinct.count());
            assert!(near(distinct.repeats(), 10_000), "{}", distinct.repeats());
            if !sampled {
                assert_eq!((distinct.count(), distinct.repeats()), (40_000, 10_000));
            }
        }
    }
}
