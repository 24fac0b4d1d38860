//! Counting distinct values by their hashes.

use hashbrown::HashSet;

/// Hashes that are kept, at most; with more, only those of a known share are.
const MOST: usize = 14_000_000;

/// Distinct values, exact up to 14 million of them and estimated from a share of them beyond.
pub struct Distinct {
    kept: HashSet<u64>,
    /// Hashes met again, by the number of zero bits at their end.
    again: [u64; 65],
    /// Zero bits that a hash must end with to be in the share.
    zeros: u32,
    most: usize,
}

impl Default for Distinct {
    fn default() -> Self {
        Self::of(MOST)
    }
}

impl Distinct {
    fn of(most: usize) -> Self {
        Self {
            kept: HashSet::new(),
            again: [0; 65],
            zeros: 0,
            most,
        }
    }

    /// Notes a value.
    pub fn add(&mut self, hash: u64) {
        let zeros = hash.trailing_zeros();
        if zeros < self.zeros {
            return;
        }
        if !self.kept.insert(hash) {
            self.again[zeros as usize] += 1;
        } else if self.kept.len() > self.most {
            self.zeros += 1;
            let least = self.zeros;
            self.kept.retain(|hash| hash.trailing_zeros() >= least);
        }
    }

    /// Number of distinct values.
    pub fn count(&self) -> u64 {
        (self.kept.len() as u64) << self.zeros
    }

    /// Number of values that had been there before.
    pub fn again(&self) -> u64 {
        self.again[self.zeros as usize..].iter().sum::<u64>() << self.zeros
    }

    /// Whether the numbers are estimates.
    pub fn is_sampled(&self) -> bool {
        self.zeros > 0
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
    fn few_values_are_counted_exactly_and_many_nearly() {
        for (most, sampled) in [(100_000, false), (1_000, true)] {
            let mut distinct = Distinct::of(most);
            for value in 0..40_000 {
                distinct.add(mixed(value));
                if value % 4 == 0 {
                    distinct.add(mixed(value));
                }
            }
            assert_eq!(distinct.is_sampled(), sampled);
            assert!(distinct.kept.len() <= most + 1);
            let near = |found: u64, truth: u64| found.abs_diff(truth) * 5 < truth;
            assert!(near(distinct.count(), 40_000), "{}", distinct.count());
            assert!(near(distinct.again(), 10_000), "{}", distinct.again());
            if !sampled {
                assert_eq!((distinct.count(), distinct.again()), (40_000, 10_000));
            }
        }
    }
}
