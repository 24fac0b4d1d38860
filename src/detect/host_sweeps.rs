//! Host sweeps: one port of many destinations within a day, most of them without an answer.

use crate::detect::conversation::{Conversation, Source};
use crate::detect::draft::{Draft, place, service};
use crate::detect::findings::{Finding, Severity, evidence};
use crate::detect::humanize::{span, thousands};
use crate::detect::limits::limits;
use crate::detect::log::Log;
use crate::detect::record::Record;
use crate::detect::tries::Tries;
use crate::direction::rules::Direction;

limits! {
    "host_sweeps",
    /// Minimum number of destinations.
    min_hosts,
    /// Minimum share of destinations without an answer.
    min_failed,
    /// Time within which the destinations count, in seconds.
    window,
}

/// Find the host sweeps of an initiator.
pub fn find(log: &Log, source: &Source, limits: &Limits) -> Vec<Finding> {
    if (source.conversations.len() as f64) < limits.min_hosts {
        return Vec::new();
    }
    let ports = source.by_port();
    ports
        .iter()
        .filter_map(|port| of(log, port, limits))
        .collect()
}

fn of(log: &Log, port: &[&Conversation], limits: &Limits) -> Option<Finding> {
    let key = port.first()?.key;
    if (port.len() as f64) < limits.min_hosts
        || key.port().is_none()
        || !log.is_transport(key.protocol())
    {
        return None;
    }
    let is_host = |conversation: &&&Conversation| {
        let dest = conversation.key.dest();
        log.ip(dest).is_some() && !log.is_group(dest) && !is_answer(log, conversation)
    };
    let tried: Vec<&Conversation> = port.iter().filter(is_host).copied().collect();
    let found = Tries::of(&tried, limits.window)?;
    if (found.within as f64) < limits.min_hosts || found.failed_share < limits.min_failed {
        return None;
    }
    let summary = format!(
        "{} tried {} of {} addresses within {}, {:.0} % without an answer.",
        place(log, key.source()),
        service(log, key.port(), key.protocol()),
        thousands(tried.len() as u64),
        span(found.seconds),
        100.0 * found.failed_share
    );
    let inbound = log.direction(tried[0]) == Direction::Inbound;
    let draft = Draft {
        detector: NAME,
        severity: if inbound {
            Severity::Warning
        } else {
            Severity::High
        },
        score: found.score(limits.min_hosts),
        summary,
        evidence: vec![
            evidence("hosts", tried.len() as f64, limits.min_hosts),
            evidence("hosts_within_window", found.within as f64, limits.min_hosts),
            evidence("failed_share", found.failed_share, limits.min_failed),
        ],
        technique: if inbound { "T1595.001" } else { "T1018" },
    };
    let mut finding = draft.about(log, port);
    finding.dest = None;
    finding.filter.dests = Vec::new();
    Some(finding)
}

/// Whether the responder sent to the initiator from the port before, so that this is an answer.
fn is_answer(log: &Log, conversation: &Conversation) -> bool {
    let key = conversation.key;
    let from_port = |record: &Record| {
        Some(record.src_port) == key.port() && record.key.protocol() == key.protocol()
    };
    log.between(key.dest(), key.source()).iter().any(from_port)
}
