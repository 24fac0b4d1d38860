//! Uploads: a host that sends far more to an outside address than comes back.

use crate::detect::conversation::{Conversation, Source};
use crate::detect::draft::{Draft, place};
use crate::detect::findings::{Finding, Severity, evidence};
use crate::detect::humanize::{bytes, plural};
use crate::detect::limits::limits;
use crate::detect::log::Log;
use crate::direction::rules::Direction;

limits! {
    "uploads",
    /// Minimum bytes sent.
    min_bytes,
    /// Minimum ratio of bytes sent to bytes received.
    min_ratio,
    /// Bytes sent from which the severity is high.
    high_bytes,
}

/// Find the uploads of an initiator.
pub fn find(log: &Log, source: &Source, limits: &Limits) -> Vec<Finding> {
    source
        .by_dest()
        .filter_map(|pair| of(log, pair, limits))
        .collect()
}

fn of(log: &Log, pair: &[Conversation], limits: &Limits) -> Option<Finding> {
    if log.direction(&pair[0]) != Direction::Outbound {
        return None;
    }
    let counts = |conversation: &&Conversation| log.is_transport(conversation.key.protocol());
    let all: Vec<&Conversation> = pair.iter().filter(counts).collect();
    let sum = |value: fn(&Conversation) -> u64| {
        all.iter()
            .map(|conversation| value(conversation))
            .fold(0, u64::saturating_add)
    };
    let (sent, received) = (sum(|c| c.sent), sum(|c| c.received));
    let ratio = sent as f64 / received.max(1) as f64;
    if !all.iter().any(|conversation| conversation.has_bytes) {
        return None;
    }
    if received == 0 || (sent as f64) < limits.min_bytes || ratio < limits.min_ratio {
        return None;
    }
    let flows = sum(|c| c.flows);
    let summary = format!(
        "{} sent {} to {} in {} and received {}.",
        place(log, source_of(&all)?),
        bytes(sent),
        place(log, all[0].key.dest()),
        plural(flows, "flow"),
        bytes(received)
    );
    // A hundred times the volume and four times the ratio count fully.
    let volume = ((sent as f64 / limits.min_bytes.max(1.0)).log10() / 2.0).min(1.0);
    let excess = (ratio / (4.0 * limits.min_ratio.max(1.0))).min(1.0);
    let is_high = sent as f64 >= limits.high_bytes;
    let draft = Draft {
        detector: NAME,
        severity: if is_high {
            Severity::High
        } else {
            Severity::Warning
        },
        score: 0.5 + (volume + excess) / 4.0,
        summary,
        evidence: vec![
            evidence("bytes_out", sent as f64, limits.min_bytes),
            evidence("ratio", ratio, limits.min_ratio),
        ],
        technique: "T1048",
    };
    let mut finding = draft.about(log, &all);
    finding.filter.ports = Vec::new();
    Some(finding)
}

fn source_of(all: &[&Conversation]) -> Option<u64> {
    all.first().map(|conversation| conversation.key.source())
}
