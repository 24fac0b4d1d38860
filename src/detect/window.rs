//! Counts within a sliding time window.

/// The largest number of times within a window of some seconds.
pub fn most_within(mut times: Vec<i64>, seconds: f64) -> usize {
    times.sort_unstable();
    let window = (seconds * 1e6) as i64;
    let mut from = 0;
    let mut most = 0;
    for until in 0..times.len() {
        while times[until] - times[from] > window {
            from += 1;
        }
        most = most.max(until + 1 - from);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides() {
        let times = vec![9_000_000, 0, 1_000_000, 2_000_000, 10_000_000];
        assert_eq!(most_within(times.clone(), 2.0), 3);
        assert_eq!(most_within(times, 9.0), 4);
        assert_eq!(most_within(Vec::new(), 1.0), 0);
    }
}
