//! Bounded sample of flows with all of their records.

use crate::records::compare::Observation;
use crate::records::reporters;
use crate::records::states::superseded;

/// Records by the hash of their flow.
pub struct Sample {
    records: Vec<(u64, Observation)>,
    min_zeros: u32,
    max_records: usize,
}

impl Sample {
    /// Keep all records up to a number of them; beyond it, those of a sample of the flows.
    pub fn with_limit(max_records: usize) -> Self {
        Self {
            records: Vec::new(),
            min_zeros: 0,
            max_records,
        }
    }

    /// Whether the records of a flow belong to the sample, by its hash.
    #[inline]
    pub fn takes(&self, flow: u64) -> bool {
        flow.trailing_zeros() >= self.min_zeros
    }

    /// Add a record.
    pub fn add(&mut self, (flow, seen): (u64, Observation)) {
        if !self.takes(flow) {
            return;
        }
        self.records.push((flow, seen));
        while self.records.len() > self.max_records && self.min_zeros < u64::BITS {
            self.min_zeros += 1;
            let min_zeros = self.min_zeros;
            self.records
                .retain(|(flow, _)| flow.trailing_zeros() >= min_zeros);
        }
    }

    /// Number of duplicate observations, and of superseded records.
    pub fn count(mut self, several_hosts: bool) -> (u64, u64) {
        self.records
            .sort_unstable_by_key(|(flow, seen)| (*flow, seen.row));
        let (mut again, mut earlier) = (0, 0);
        for records in self
            .records
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|r| r.len() > 1)
        {
            let mut records: Vec<Observation> = records.iter().map(|(_, seen)| *seen).collect();
            superseded(&mut records, &mut |_| earlier += 1);
            if several_hosts {
                reporters::duplicates(&mut records, &mut |_| again += 1);
            }
        }
        (again << self.min_zeros, earlier << self.min_zeros)
    }

    /// Whether the counts are estimates.
    pub fn is_sampled(&self) -> bool {
        self.min_zeros > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_are_sampled_whole() {
        for max_records in [100_000, 1_000] {
            let mut sample = Sample::with_limit(max_records);
            for flow in 0..10_000_u64 {
                for host in 0..2 {
                    let seen = Observation {
                        host,
                        start: 5,
                        end: 9,
                        bytes: 1,
                        row: 2 * flow + host,
                    };
                    sample.add(((flow + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15), seen));
                }
            }
            let (again, earlier) = sample.count(true);
            assert!(again.abs_diff(10_000) < 2_000, "{again}");
            assert_eq!(earlier, 0);
        }
    }
}
