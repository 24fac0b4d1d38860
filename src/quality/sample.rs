//! Records of the same flow, among as many as can be held.

use crate::records::compare::Observation;
use crate::records::reporters;
use crate::records::states::superseded;

/// Records that are kept, at most; with more, only those of a share of the flows are.
const MOST: usize = 1 << 21;

/// Records by the hash of their flow.
pub struct Sample {
    kept: Vec<(u64, Observation)>,
    zeros: u32,
    most: usize,
}

impl Default for Sample {
    fn default() -> Self {
        Self::of(MOST)
    }
}

impl Sample {
    fn of(most: usize) -> Self {
        Self {
            kept: Vec::new(),
            zeros: 0,
            most,
        }
    }

    /// Notes a record.
    pub fn add(&mut self, (flow, seen): (u64, Observation)) {
        if flow.trailing_zeros() < self.zeros {
            return;
        }
        self.kept.push((flow, seen));
        while self.kept.len() > self.most && self.zeros < u64::BITS {
            self.zeros += 1;
            let least = self.zeros;
            self.kept.retain(|(flow, _)| flow.trailing_zeros() >= least);
        }
    }

    /// Number of records that other machines told too, and of earlier states of flows.
    pub fn count(mut self, several_hosts: bool) -> (u64, u64) {
        self.kept
            .sort_unstable_by_key(|(flow, seen)| (*flow, seen.row));
        let (mut again, mut earlier) = (0, 0);
        for records in self
            .kept
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|r| r.len() > 1)
        {
            let mut records: Vec<Observation> = records.iter().map(|(_, seen)| *seen).collect();
            superseded(&mut records, &mut |_| earlier += 1);
            if several_hosts {
                reporters::duplicates(&mut records, &mut |_| again += 1);
            }
        }
        (again << self.zeros, earlier << self.zeros)
    }

    /// Whether the numbers are estimates.
    pub fn is_sampled(&self) -> bool {
        self.zeros > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_are_sampled_whole() {
        for most in [100_000, 1_000] {
            let mut sample = Sample::of(most);
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
