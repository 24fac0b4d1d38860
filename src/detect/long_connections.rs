//! Long connections, also those that are logged in several records.

use crate::detect::conversation::{Conversation, Source};
use crate::detect::draft::{Draft, peer, place};
use crate::detect::findings::{Finding, Severity, evidence};
use crate::detect::humanize::span;
use crate::detect::limits::limits;
use crate::detect::log::Log;
use crate::detect::record::{HAS_END, NO_START, Record};

limits! {
    "long_connections",
    /// Minimum duration in seconds.
    min_duration,
    /// Longest time between two records of one connection, in seconds.
    max_gap,
}

/// Find the long connections of an initiator; of one conversation, the longest.
pub fn find(log: &Log, source: &Source, limits: &Limits) -> Vec<Finding> {
    let found = source.conversations.iter();
    found
        .filter_map(|conversation| of(log, conversation, limits))
        .collect()
}

fn of(log: &Log, conversation: &Conversation, limits: &Limits) -> Option<Finding> {
    let within = conversation.first.zip(conversation.last);
    let within = within.map_or(0.0, |(first, last)| (last - first) as f64 / 1e6);
    if within < limits.min_duration {
        return None;
    }
    let (duration, records) = longest(conversation.records, limits);
    if duration < limits.min_duration {
        return None;
    }
    let summary = format!(
        "{} kept a connection to {} open for {}.",
        place(log, conversation.key.source()),
        peer(log, conversation),
        span(duration)
    );
    let draft = Draft {
        detector: NAME,
        severity: Severity::Warning,
        score: (0.5 * duration / limits.min_duration.max(1.0)).min(1.0),
        summary,
        evidence: vec![
            evidence("duration_seconds", duration, limits.min_duration),
            evidence("records", records as f64, None),
        ],
        technique: "T1071",
    };
    Some(draft.about(log, &[conversation]))
}

/// The longest connection in seconds, and its number of records.
fn longest(records: &[Record], limits: &Limits) -> (f64, usize) {
    let with_end = |record: &&Record| record.start != NO_START && record.has(HAS_END);
    let mut records: Vec<&Record> = records.iter().filter(with_end).collect();
    records.sort_by_key(|record| (record.src_port, record.start, record.end()));
    let gap = (limits.max_gap * 1e6) as i64;
    let mut best = (0, 0);
    let mut open: Option<(u16, i64, i64, usize)> = None;
    for record in records {
        let joined = open.filter(|(port, _, end, _)| {
            *port == record.src_port && *port != 0 && record.start <= end.saturating_add(gap)
        });
        let (start, end, count) = match joined {
            Some((_, start, end, count)) => (start, end.max(record.end()), count + 1),
            None => (record.start, record.end(), 1),
        };
        open = Some((record.src_port, start, end, count));
        best = best.max((end - start, count));
    }
    (best.0 as f64 / 1e6, best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continued_records_are_joined_by_port() {
        let record = |src_port, minute: i64, minutes: u32| Record {
            start: minute * 60_000_000,
            millis: minutes * 60_000,
            src_port,
            flags: HAS_END,
            ..Record::default()
        };
        let limits = Limits {
            min_duration: 1.0,
            max_gap: 60.0,
        };
        let records = [
            record(5, 0, 30),
            record(6, 30, 30),
            record(5, 31, 29),
            record(5, 70, 10),
        ];
        assert_eq!(longest(&records, &limits), (3600.0, 2));
        let unknown = [record(0, 0, 30), record(0, 30, 30)];
        assert_eq!(longest(&unknown, &limits), (1800.0, 1));
    }
}
