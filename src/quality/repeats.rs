//! Count of rows that repeat an earlier one.

use crate::columns::hashes::Hashes;

/// Hashes of rows: all of them up to a limit, a sample of known share beyond.
pub struct Repeats {
    hashes: Hashes,
    /// Repeated rows that were dropped, by the number of trailing zero bits of their hashes.
    dropped: [u64; 65],
    /// Minimum number of trailing zero bits of a hash in the sample.
    min_zeros: u32,
    max_rows: usize,
}

impl Repeats {
    /// Keep all rows up to a number of them.
    pub fn with_limit(max_rows: usize) -> Self {
        Self {
            hashes: Hashes::default(),
            dropped: [0; 65],
            min_zeros: 0,
            max_rows,
        }
    }

    /// Whether the hash of a row belongs to the sample.
    #[inline]
    pub fn takes(&self, hash: u64) -> bool {
        hash.trailing_zeros() >= self.min_zeros
    }

    /// Add a row by its hash.
    pub fn add(&mut self, hash: u64) {
        if !self.takes(hash) {
            return;
        }
        self.hashes.add(hash);
        if self.hashes.count() <= self.max_rows {
            return;
        }
        self.deduplicate();
        while self.hashes.count() > self.max_rows / 2 {
            self.min_zeros += 1;
            let min_zeros = self.min_zeros;
            self.hashes
                .retain(|hash| hash.trailing_zeros() >= min_zeros);
        }
    }

    fn deduplicate(&mut self) {
        let dropped = &mut self.dropped;
        self.hashes
            .deduplicate(|hash, again| dropped[hash.trailing_zeros() as usize] += again);
    }

    /// Number of rows that repeat an earlier one.
    pub fn repeats(&mut self) -> u64 {
        self.deduplicate();
        self.dropped[self.min_zeros as usize..].iter().sum::<u64>() << self.min_zeros
    }

    /// Whether the count is an estimate.
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
    fn repeats_are_exact_below_the_limit_and_close_above() {
        for (max_rows, sampled) in [(100_000, false), (1_000, true)] {
            let mut rows = Repeats::with_limit(max_rows);
            for value in 0..40_000 {
                rows.add(mixed(value));
                if value % 4 == 0 {
                    rows.add(mixed(value));
                }
            }
            assert_eq!(rows.is_sampled(), sampled);
            assert!(rows.hashes.count() <= max_rows);
            let found = rows.repeats();
            if sampled {
                assert!(found.abs_diff(10_000) < 2_500, "{found}");
            } else {
                assert_eq!(found, 10_000);
            }
        }
    }
}
