//! Persistent retries: a host that goes on calling a destination that never answers.

use crate::detect::conversation::{Conversation, Source};
use crate::detect::draft::{Draft, peer, place};
use crate::detect::findings::{Finding, Severity, evidence};
use crate::detect::humanize::{span, thousands};
use crate::detect::limits::limits;
use crate::detect::log::Log;
use crate::direction::rules::Direction;

limits! {
    "retries",
    /// Minimum number of tries.
    min_tries,
    /// Minimum share of tries that fail.
    min_failed,
    /// Minimum time from the first to the last try, in seconds.
    min_span,
    /// Whether tries from outside are findings.
    inbound,
}

/// Whether a conversation is a persistent retry.
pub fn fits(conversation: &Conversation, limits: &Limits) -> bool {
    let failed = conversation
        .failed_share()
        .is_some_and(|share| share >= limits.min_failed);
    failed
        && conversation.failed as f64 >= limits.min_tries * limits.min_failed
        && conversation.flows as f64 >= limits.min_tries
        && time(conversation) >= limits.min_span
}

/// Time from the first to the last start, in seconds.
fn time(conversation: &Conversation) -> f64 {
    let last = conversation.records.last().map(|record| record.start);
    let span = conversation.first.zip(last);
    span.map_or(0.0, |(first, last)| (last - first) as f64 / 1e6)
}

/// Find the retries of an initiator.
pub fn find(log: &Log, source: &Source, limits: &Limits) -> Vec<Finding> {
    let is_wanted = |conversation: &&Conversation| match log.direction(conversation) {
        Direction::Inbound => limits.inbound > 0.0,
        _ => log.is_transport(conversation.key.protocol()),
    };
    let found = source.conversations.iter().filter(is_wanted);
    found
        .filter(|conversation| fits(conversation, limits))
        .map(|conversation| of(log, conversation, limits))
        .collect()
}

fn of(log: &Log, conversation: &Conversation, limits: &Limits) -> Finding {
    let share = conversation.failed_share().unwrap_or_default();
    let (flows, time) = (conversation.flows as f64, time(conversation));
    // Twice the limits count fully.
    let parts = [
        share,
        (flows / (2.0 * limits.min_tries.max(1.0))).min(1.0),
        (time / (2.0 * limits.min_span.max(1.0))).min(1.0),
    ];
    let summary = format!(
        "{} tried {} {} times for {}, {:.0} % without an answer.",
        place(log, conversation.key.source()),
        peer(log, conversation),
        thousands(conversation.flows),
        span(time),
        100.0 * share
    );
    let draft = Draft {
        detector: NAME,
        severity: Severity::Warning,
        score: parts.iter().sum::<f64>() / parts.len() as f64,
        summary,
        evidence: vec![
            evidence("tries", flows, limits.min_tries),
            evidence("failed_share", share, limits.min_failed),
            evidence("span_seconds", time, limits.min_span),
        ],
        technique: "T1071",
    };
    draft.about(log, &[conversation])
}
