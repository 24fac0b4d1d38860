//! The rhythm of calls: bursts merged, gaps compared with their median and its multiples.

/// Limits of a rhythm.
#[derive(Clone, Copy, Debug)]
pub struct RhythmLimits {
    /// Minimum number of calls.
    pub calls: usize,
    /// Minimum number of calls of a strict rhythm.
    pub few_calls: usize,
    /// Largest deviation of a regular gap, as a share of the period.
    pub tolerance: f64,
    /// As `tolerance`, for few calls.
    pub few_tolerance: f64,
    /// Minimum share of regular gaps.
    pub share: f64,
    /// Maximum probability that random times are as regular.
    pub chance: f64,
    /// Minimum period in seconds.
    pub period: f64,
}

/// A regular rhythm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rhythm {
    /// Calls after bursts are merged.
    pub calls: usize,
    /// Period in seconds.
    pub period: f64,
    /// Share of gaps that are the period, or a multiple of it if calls are missed.
    pub share: f64,
    /// Calls that are missing between others.
    pub missed: usize,
    /// Median deviation from the period, as a share of it.
    pub jitter: f64,
    /// Whether there are only few calls.
    pub few: bool,
}

/// Times between calls below which these are a burst, in microseconds; from the second on, only if
/// hardly any gap is near the limit.
const BURSTS: [i64; 4] = [1_000_000, 10_000_000, 60_000_000, 300_000_000];

/// Range above a burst limit, as its multiple, that must be nearly empty.
const CLEAR: i64 = 3;

/// Maximum share of gaps in that range.
const MAX_UNCLEAR: f64 = 0.02;

/// Largest number of periods in a gap that still counts as missed calls.
const MAX_MULTIPLE: f64 = 5.0;

/// Gaps from which no chance is computed: the limits of the share are improbable anyway.
const MANY: usize = 200;

/// Find a rhythm in the sorted starts of calls, in microseconds.
pub fn rhythm(starts: &[i64], limits: &RhythmLimits) -> Option<Rhythm> {
    if starts.len() < limits.few_calls.min(limits.calls).max(3) {
        return None;
    }
    let found = BURSTS.iter().enumerate().filter_map(|(index, burst)| {
        if index > 0 && !is_clear(starts, *burst) {
            return None;
        }
        of_calls(&merged(starts, *burst), limits)
    });
    found.max_by(|a, b| a.share.total_cmp(&b.share).then(a.calls.cmp(&b.calls)))
}

/// Whether a burst limit separates the gaps: some are shorter, and hardly any is slightly longer.
fn is_clear(starts: &[i64], burst: i64) -> bool {
    let gaps = || starts.windows(2).map(|pair| pair[1] - pair[0]);
    let short = gaps().filter(|gap| *gap < burst).count();
    let unclear = gaps()
        .filter(|gap| (burst..CLEAR * burst).contains(gap))
        .count();
    short > 0 && unclear as f64 <= MAX_UNCLEAR * gaps().count() as f64
}

/// The first start of every burst: of starts that are closer than `burst`, or than a tenth of the
/// median gap.
fn merged(starts: &[i64], burst: i64) -> Vec<i64> {
    let mut limit = burst;
    loop {
        let calls = without_bursts(starts, limit);
        let wider = median(&mut gaps(&calls)).map_or(burst, |median| burst.max(median / 10));
        if wider <= limit {
            return calls;
        }
        limit = wider;
    }
}

fn without_bursts(starts: &[i64], limit: i64) -> Vec<i64> {
    let mut last = None;
    let is_first = |start: &i64| {
        let first = last.is_none_or(|last| start - last >= limit);
        last = Some(*start);
        first
    };
    starts.iter().copied().filter(is_first).collect()
}

fn gaps(calls: &[i64]) -> Vec<i64> {
    calls.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// The lower median.
fn median(values: &mut [i64]) -> Option<i64> {
    let middle = values.len().checked_sub(1)? / 2;
    Some(*values.select_nth_unstable(middle).1)
}

fn of_calls(calls: &[i64], limits: &RhythmLimits) -> Option<Rhythm> {
    let gaps = gaps(calls);
    let period = median(&mut gaps.clone())? as f64;
    if period < limits.period * 1e6 {
        return None;
    }
    let few = calls.len() < limits.calls;
    if few && calls.len() < limits.few_calls {
        return None;
    }
    let tolerance = if few {
        limits.few_tolerance
    } else {
        limits.tolerance
    };
    let multiples: Vec<(f64, f64)> =
        (gaps.iter().map(|gap| multiple(*gap as f64 / period))).collect();
    let is_hit = |(_, deviation): &&(f64, f64)| *deviation <= tolerance;
    let once = multiples
        .iter()
        .filter(|(times, _)| *times <= 1.0)
        .filter(is_hit)
        .count();
    let all = multiples
        .iter()
        .filter(|(times, _)| *times <= MAX_MULTIPLE)
        .filter(is_hit)
        .count();
    let count = gaps.len();
    let minimum = if few { 1.0 } else { limits.share };
    let regular = |hits: usize, most: f64| {
        let share = hits as f64 / count as f64;
        let chance = || at_least(hits, count, random_share(tolerance, most));
        share >= minimum && (count >= MANY || chance() <= limits.chance)
    };
    let (hits, most) = if regular(all, MAX_MULTIPLE) {
        (all, MAX_MULTIPLE)
    } else if regular(once, 1.0) {
        (once, 1.0)
    } else {
        return None;
    };
    let counted = multiples
        .iter()
        .filter(|(times, _)| *times <= most)
        .filter(is_hit);
    let missed: f64 = counted.clone().map(|(times, _)| times - 1.0).sum();
    let mut deviations: Vec<i64> = counted
        .map(|(_, deviation)| (deviation * 1e6) as i64)
        .collect();
    Some(Rhythm {
        calls: calls.len(),
        period: period / 1e6,
        share: hits as f64 / count as f64,
        missed: missed as usize,
        jitter: median(&mut deviations).unwrap_or_default() as f64 / 1e6,
        few,
    })
}

/// The nearest multiple of the period, at least 1, and the distance from it in periods.
fn multiple(gap: f64) -> (f64, f64) {
    let times = gap.round().max(1.0);
    (times, (gap - times).abs())
}

/// Share of the gaps of random (Poisson) times that are near a multiple of their median, up to
/// `most` periods.
fn random_share(tolerance: f64, most: f64) -> f64 {
    let below = |gap: f64| 1.0 - 0.5_f64.powf(gap.max(0.0));
    let tolerance = tolerance.min(0.5);
    let near = (1..=most as u32).map(f64::from);
    near.map(|times| below(times + tolerance) - below(times - tolerance))
        .sum()
}

/// Probability of at least `hits` of `count` independent trials.
fn at_least(hits: usize, count: usize, probability: f64) -> f64 {
    let ln_choose = |k: usize| -> f64 {
        (0..k)
            .map(|i| ((count - i) as f64 / (i + 1) as f64).ln())
            .sum()
    };
    let (ln_p, ln_q) = (probability.ln(), (1.0 - probability).ln());
    let term = |k: usize| (ln_choose(k) + k as f64 * ln_p + (count - k) as f64 * ln_q).exp();
    (hits..=count).map(term).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RhythmLimits = RhythmLimits {
        calls: 12,
        few_calls: 6,
        tolerance: 0.3,
        few_tolerance: 0.1,
        share: 0.6,
        chance: 1e-3,
        period: 1.0,
    };

    fn times(seconds: impl IntoIterator<Item = i64>) -> Vec<i64> {
        seconds.into_iter().map(|s| s * 1_000_000).collect()
    }

    #[test]
    fn missed_calls_and_bursts_do_not_hide_a_period() {
        let kept = (0..40).filter(|call| call % 7 != 3);
        let starts = times(kept.flat_map(|call| [60 * call, 60 * call + 2]));
        let found = rhythm(&starts, &LIMITS).unwrap();
        assert_eq!((found.period, found.share, found.missed), (60.0, 1.0, 6));
        assert_eq!(found.calls, 34);
    }

    #[test]
    fn growing_gaps_and_few_calls_have_no_rhythm() {
        assert_eq!(
            rhythm(&times((0..40).map(|call| call * call * call)), &LIMITS),
            None
        );
        assert_eq!(
            rhythm(&times((0..5).map(|call| 3600 * call)), &LIMITS),
            None
        );
        let six = rhythm(&times((0..6).map(|call| 3600 * call)), &LIMITS).unwrap();
        assert!(six.few);
    }

    #[test]
    fn chance_is_a_binomial_tail() {
        assert!((at_least(7, 11, 0.5) - 0.274_414).abs() < 1e-6);
        assert!((random_share(0.3, 1.0) - (0.5_f64.powf(0.7) - 0.5_f64.powf(1.3))).abs() < 1e-12);
    }
}
