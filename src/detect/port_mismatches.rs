//! Port mismatches: a layer-7 protocol on a port of another one, or away from its own ports.

use crate::detect::conversation::{Conversation, Source};
use crate::detect::draft::{Draft, peer, place};
use crate::detect::findings::{Finding, Severity, evidence};
use crate::detect::humanize::plural;
use crate::detect::limits::limits;
use crate::detect::log::Log;
use crate::detect::service::{RDP, SMB, SSH, name};
use crate::detect::service_ports::{is_owned, misplaced};
use crate::direction::rules::Direction;

limits! {
    "port_mismatches",
    /// Minimum number of flows.
    min_flows,
}

/// Protocols that give control of a host, or carry anything through a filter.
const CONTROL: u16 = SSH | RDP | SMB;

/// Find the port mismatches of an initiator.
pub fn find(log: &Log, source: &Source, limits: &Limits) -> Vec<Finding> {
    let found = source.conversations.iter();
    found
        .filter_map(|conversation| of(log, conversation, limits))
        .collect()
}

fn of(log: &Log, conversation: &Conversation, limits: &Limits) -> Option<Finding> {
    let port = conversation.key.port()?;
    let bits = misplaced(port, conversation.services);
    if bits == 0 {
        return None;
    }
    let records = conversation.records.iter();
    let flows: u64 = records
        .filter(|record| record.services & bits != 0)
        .map(|record| u64::from(record.flows))
        .sum();
    if (flows as f64) < limits.min_flows.max(1.0) {
        return None;
    }
    let share = (flows as f64 / conversation.flows.max(1) as f64).min(1.0);
    let summary = format!(
        "{} spoke {} with {} in {}.",
        place(log, conversation.key.source()),
        name(bits),
        peer(log, conversation),
        plural(flows, "flow")
    );
    let outbound = log.direction(conversation) == Direction::Outbound;
    let hidden = is_owned(port);
    let is_serious = outbound && (bits & CONTROL != 0 || hidden);
    let draft = Draft {
        detector: NAME,
        severity: if is_serious {
            Severity::Warning
        } else {
            Severity::Information
        },
        score: 0.5 + 0.5 * share,
        summary,
        evidence: vec![
            evidence("mismatched_flows", flows as f64, limits.min_flows),
            evidence("mismatched_share", share, None),
        ],
        technique: "T1571",
    };
    Some(draft.about(log, &[conversation]))
}
