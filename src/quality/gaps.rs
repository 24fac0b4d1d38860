//! Coverage gaps, ranges of time in which no flow starts, and starts far from all others.

use std::collections::BTreeMap;

use rayon::prelude::*;

/// Minimum length of a gap: five minutes.
const MIN_GAP: i64 = 5 * 60 * 1_000_000;
/// Maximum number of spans in memory; beyond it, the minimum length of a gap is doubled.
const MAX_SPANS: usize = 1 << 18;

/// Distance of an outlier from the other starts: 30 days.
const FAR: i64 = 30 * 86_400 * 1_000_000;

/// Distance from the median of a start that is an outlier among any number: ten years.
const IMPLAUSIBLE: i64 = 3_653 * 86_400 * 1_000_000;

/// Spans of time in which flows start, separated by more than `min_gap`; their end and number of
/// starts by their first start.
pub struct ActiveSpans {
    spans: BTreeMap<i64, (i64, u64)>,
    min_gap: i64,
}

impl Default for ActiveSpans {
    fn default() -> Self {
        Self {
            spans: BTreeMap::new(),
            min_gap: MIN_GAP,
        }
    }
}

impl ActiveSpans {
    /// Add start times.
    pub fn add(&mut self, starts: Vec<i64>) {
        for (first, last, starts) in spans(starts, self.min_gap) {
            self.join(first, last, starts);
        }
        while self.spans.len() > MAX_SPANS {
            self.min_gap = self.min_gap.saturating_mul(2);
            for (first, (last, starts)) in std::mem::take(&mut self.spans) {
                self.join(first, last, starts);
            }
        }
    }

    fn join(&mut self, mut first: i64, mut last: i64, mut starts: u64) {
        while let Some((from, to)) = self.before(last.saturating_add(self.min_gap)) {
            if to.saturating_add(self.min_gap) < first {
                break;
            }
            starts += self.spans.remove(&from).map_or(0, |(_, starts)| starts);
            (first, last) = (first.min(from), last.max(to));
        }
        self.spans.insert(first, (last, starts));
    }

    fn before(&self, time: i64) -> Option<(i64, i64)> {
        let (first, (last, _)) = self.spans.range(..=time).next_back()?;
        Some((*first, *last))
    }

    /// Number of starts more than ten years from the median, and of those more than 30 days from
    /// the others, if these are at least nine tenths.
    pub fn outliers(&self) -> u64 {
        let total: u64 = self.spans.values().map(|(_, starts)| starts).sum();
        let mut before = 0;
        let median = self.spans.iter().find(|(_, (_, starts))| {
            before += starts;
            before * 2 >= total
        });
        let Some((median_first, (median_last, _))) = median else {
            return 0;
        };
        let (mut plausible, mut largest, mut group) = (0, 0, 0_u64);
        let mut end = i64::MIN;
        for (first, (last, starts)) in &self.spans {
            let is_implausible = median_first.saturating_sub(*last) > IMPLAUSIBLE
                || first.saturating_sub(*median_last) > IMPLAUSIBLE;
            if is_implausible {
                continue;
            }
            if first.saturating_sub(end) > FAR {
                group = 0;
            }
            group += starts;
            plausible += starts;
            largest = largest.max(group);
            end = *last;
        }
        let others = plausible - largest;
        let few = others.saturating_mul(10) <= plausible;
        total - plausible + if few { others } else { 0 }
    }

    /// Number of gaps longer than five minutes and twice the record duration, and the longest gap.
    pub fn gaps(&self, record_duration: i64) -> (u64, Option<(i64, i64)>) {
        let min_gap = self.min_gap.max(record_duration.saturating_mul(2));
        let ends = self.spans.values().map(|(end, _)| end);
        let between = ends.zip(self.spans.keys().skip(1));
        let long = between.filter(|(end, start)| start.saturating_sub(**end) > min_gap);
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

/// First and last start, and number of starts, of spans of which no two starts that follow each
/// other are more than `min_gap` apart.
fn spans(mut starts: Vec<i64>, min_gap: i64) -> Vec<(i64, i64, u64)> {
    let (Some(first), Some(last)) = (starts.iter().min().copied(), starts.iter().max()) else {
        return Vec::new();
    };
    // Starts within a range of the length of a gap belong together, in whatever order.
    let range = |start: i64| start.abs_diff(first) / min_gap.unsigned_abs();
    if range(*last) < starts.len() as u64 {
        let mut ranges = vec![(i64::MAX, i64::MIN, 0); range(*last) as usize + 1];
        for start in starts {
            let (from, to, count) = &mut ranges[range(start) as usize];
            (*from, *to) = (start.min(*from), start.max(*to));
            *count += 1;
        }
        ranges.retain(|(_, _, count)| *count > 0);
        return ranges;
    }
    starts.par_sort_unstable();
    starts
        .chunk_by(|a, b| b.saturating_sub(*a) <= min_gap)
        .map(|span| (span[0], span[span.len() - 1], span.len() as u64))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gaps between all sorted starts.
    fn naive(mut starts: Vec<i64>, record: i64) -> (u64, Option<(i64, i64)>) {
        starts.sort_unstable();
        let min_gap = MIN_GAP.max(2 * record);
        let gaps = starts.windows(2).filter(|pair| pair[1] - pair[0] > min_gap);
        let mut gaps: Vec<_> = gaps.map(|pair| (pair[0], pair[1])).collect();
        let count = gaps.len() as u64;
        gaps.sort_by_key(|(from, to)| (from - to, *from));
        (count, gaps.first().copied())
    }

    #[test]
    fn gaps_do_not_depend_on_the_order_of_rows() {
        let mut state = 7_u64;
        let mut next = |max: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % max
        };
        for _ in 0..200 {
            let starts: Vec<i64> = (0..60).map(|_| next(100) as i64 * 150_000_000).collect();
            let record = next(4) as i64 * 100_000_000;
            let mut spans = ActiveSpans::default();
            starts.chunks(7).for_each(|part| spans.add(part.to_vec()));
            assert_eq!(spans.gaps(record), naive(starts, record));
        }
    }

    #[test]
    fn few_starts_far_from_the_others_are_outliers() {
        let outliers = |far: &[i64]| {
            let mut spans = ActiveSpans::default();
            spans.add((0..20).map(|n| n * 1_000_000).collect());
            for start in far {
                spans.add(vec![*start]);
            }
            spans.outliers()
        };
        assert_eq!(outliers(&[]), 0);
        assert_eq!(outliers(&[FAR]), 0);
        assert_eq!(outliers(&[2 * FAR]), 1);
        assert_eq!(outliers(&[2 * FAR, -2 * FAR]), 2);
        assert_eq!(outliers(&[2 * FAR, -2 * FAR, 4 * FAR]), 0);
        let old = -2 * IMPLAUSIBLE;
        assert_eq!(outliers(&[old, old + 2 * FAR, 4 * IMPLAUSIBLE]), 3);
    }
}
