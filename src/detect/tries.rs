//! Tries of many ports or hosts, and how many of them failed.

use crate::detect::conversation::Conversation;
use crate::detect::window::most_within;

/// What an initiator tried.
pub struct Tries {
    /// Maximum number within the window; all, if no flow has a time.
    pub within: usize,
    /// Share of those of known outcome that were never answered.
    pub failed_share: f64,
    /// Seconds from the first start to the last end.
    pub seconds: f64,
}

impl Tries {
    /// Count tries; `None` if no outcome is known.
    pub fn of(tried: &[&Conversation], window: f64) -> Option<Self> {
        let is_known = |tried: &&&Conversation| tried.failed_share().is_some();
        let known = tried.iter().filter(is_known).count();
        let failed = tried
            .iter()
            .filter(is_known)
            .filter(|tried| tried.answered == 0);
        let starts: Vec<i64> = tried.iter().filter_map(|tried| tried.first).collect();
        let first = starts.iter().min().copied();
        let last = tried.iter().filter_map(|tried| tried.last).max();
        let span = first.zip(last).map(|(first, last)| last - first);
        (known > 0).then(|| Self {
            failed_share: failed.count() as f64 / known as f64,
            seconds: span.map_or(0.0, |span| span as f64 / 1e6),
            within: if starts.is_empty() {
                tried.len()
            } else {
                most_within(starts, window)
            },
        })
    }

    /// How well they fit a scan that needs at least `min` of them.
    pub fn score(&self, min: f64) -> f64 {
        let many = (self.within as f64 / (4.0 * min.max(1.0))).min(1.0);
        f64::midpoint(self.failed_share, many)
    }
}
