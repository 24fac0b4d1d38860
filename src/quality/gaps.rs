//! Stretches of time without the start of a flow.

use std::collections::BTreeMap;

use rayon::prelude::*;

/// Five minutes: a shorter stretch is no gap.
const LEAST: i64 = 5 * 60 * 1_000_000;
/// Stretches in between that are kept; with more, only longer gaps are told.
const MOST: usize = 1 << 18;

/// Spans of time in which flows start, with more than `least` between them.
pub struct Busy {
    spans: BTreeMap<i64, i64>,
    least: i64,
}

impl Default for Busy {
    fn default() -> Self {
        Self {
            spans: BTreeMap::new(),
            least: LEAST,
        }
    }
}

impl Busy {
    /// Notes starts.
    pub fn add(&mut self, mut starts: Vec<i64>) {
        starts.par_sort_unstable();
        let least = self.least;
        for span in starts.chunk_by(|a, b| b.saturating_sub(*a) <= least) {
            if let (Some(first), Some(last)) = (span.first(), span.last()) {
                self.join(*first, *last);
            }
        }
        while self.spans.len() > MOST {
            self.least = self.least.saturating_mul(2);
            for (first, last) in std::mem::take(&mut self.spans) {
                self.join(first, last);
            }
        }
    }

    fn join(&mut self, mut first: i64, mut last: i64) {
        while let Some((from, to)) = self.before(last.saturating_add(self.least)) {
            if to.saturating_add(self.least) < first {
                break;
            }
            self.spans.remove(&from);
            (first, last) = (first.min(from), last.max(to));
        }
        self.spans.insert(first, last);
    }

    fn before(&self, time: i64) -> Option<(i64, i64)> {
        let (first, last) = self.spans.range(..=time).next_back()?;
        Some((*first, *last))
    }

    /// Number of gaps longer than two records and five minutes, and the longest of them.
    pub fn gaps(&self, record: i64) -> (u64, Option<(i64, i64)>) {
        let least = self.least.max(record.saturating_mul(2));
        let between = self.spans.values().zip(self.spans.keys().skip(1));
        let long = between.filter(|(end, start)| start.saturating_sub(**end) > least);
        let mut count = 0;
        let mut longest: Option<(i64, i64)> = None;
        for (end, start) in long {
            count += 1;
            let longer = |(a, b): (i64, i64)| start.saturating_sub(*end) > b.saturating_sub(a);
            if longest.is_none_or(longer) {
                longest = Some((*end, *start));
            }
        }
        (count, longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gaps as they are found in all starts at once.
    fn naive(mut starts: Vec<i64>, record: i64) -> (u64, Option<(i64, i64)>) {
        starts.sort_unstable();
        let least = LEAST.max(2 * record);
        let gaps = starts.windows(2).filter(|pair| pair[1] - pair[0] > least);
        let mut gaps: Vec<_> = gaps.map(|pair| (pair[0], pair[1])).collect();
        let count = gaps.len() as u64;
        gaps.sort_by_key(|(from, to)| (from - to, *from));
        (count, gaps.first().copied())
    }

    #[test]
    fn gaps_do_not_depend_on_the_order_of_rows() {
        let mut state = 7_u64;
        let mut next = |most: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % most
        };
        for _ in 0..200 {
            let starts: Vec<i64> = (0..60).map(|_| next(100) as i64 * 150_000_000).collect();
            let record = next(4) as i64 * 100_000_000;
            let mut busy = Busy::default();
            starts.chunks(7).for_each(|part| busy.add(part.to_vec()));
            assert_eq!(busy.gaps(record), naive(starts, record));
        }
    }
}
