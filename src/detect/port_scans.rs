//! Port scans: many ports of one destination within a day, most of them without an answer.

use hashbrown::HashSet;

use crate::detect::conversation::{Conversation, Source};
use crate::detect::draft::{Draft, place};
use crate::detect::findings::{Finding, Severity, evidence};
use crate::detect::humanize::{span, thousands};
use crate::detect::limits::limits;
use crate::detect::log::Log;
use crate::detect::record::Record;
use crate::detect::tries::Tries;
use crate::direction::rules::Direction;
use crate::flow::initiator::ports::initiated;

limits! {
    "port_scans",
    /// Minimum number of ports.
    min_ports,
    /// Minimum share of ports without an answer.
    min_failed,
    /// Time within which the ports count, in seconds.
    window,
}

/// Find the port scans of an initiator.
pub fn find(log: &Log, source: &Source, limits: &Limits) -> Vec<Finding> {
    source
        .by_dest()
        .filter_map(|pair| of(log, pair, limits))
        .collect()
}

fn of(log: &Log, pair: &[Conversation], limits: &Limits) -> Option<Finding> {
    if (pair.len() as f64) < limits.min_ports {
        return None;
    }
    let is_port = |conversation: &&Conversation| {
        conversation.key.port().is_some() && log.is_transport(conversation.key.protocol())
    };
    let all: Vec<&Conversation> = pair.iter().filter(is_port).collect();
    if (all.len() as f64) < limits.min_ports {
        return None;
    }
    let own = own_ports(log, all[0]);
    let is_service = |conversation: &&&Conversation| {
        let key = conversation.key;
        let is_own = |port| own.contains(&(key.protocol(), port));
        !key.port().is_some_and(is_own)
            && !is_from_service(conversation)
            && !is_traceroute(log, conversation)
    };
    let tried: Vec<&Conversation> = all.iter().filter(is_service).copied().collect();
    let found = Tries::of(&tried, limits.window)?;
    if (found.within as f64) < limits.min_ports || found.failed_share < limits.min_failed {
        return None;
    }
    let key = all[0].key;
    let summary = format!(
        "{} tried {} ports of {} within {}, {:.0} % without an answer.",
        place(log, key.source()),
        thousands(tried.len() as u64),
        place(log, key.dest()),
        span(found.seconds),
        100.0 * found.failed_share
    );
    let inbound = log.direction(all[0]) == Direction::Inbound;
    let draft = Draft {
        detector: NAME,
        severity: if inbound {
            Severity::Warning
        } else {
            Severity::High
        },
        score: found.score(limits.min_ports),
        summary,
        evidence: vec![
            evidence("ports", tried.len() as f64, limits.min_ports),
            evidence("ports_within_window", found.within as f64, limits.min_ports),
            evidence("failed_share", found.failed_share, limits.min_failed),
            evidence(
                "ports_of_answers_and_traces",
                (all.len() - tried.len()) as f64,
                None,
            ),
        ],
        technique: if inbound { "T1595" } else { "T1046" },
    };
    let mut finding = draft.about(log, &all);
    finding.port = None;
    finding.filter.ports = Vec::new();
    Some(finding)
}

/// Whether all flows come from a well-known port to another, as the late answers of a service do.
fn is_from_service(conversation: &Conversation) -> bool {
    let from_service =
        |record: &Record| initiated(Some(record.src_port), conversation.key.port()) == Some(false);
    conversation.records.iter().all(from_service)
}

/// Whether a flow is a probe of traceroute, whose UDP ports count the hops.
fn is_traceroute(log: &Log, conversation: &Conversation) -> bool {
    let key = conversation.key;
    log.is_udp(key.protocol())
        && key
            .port()
            .is_some_and(|port| (33_434..=33_534).contains(&port))
}

/// Ports from which the responder itself sent to the initiator, or to a group of which the
/// initiator may be a member: what comes to these is an answer.
fn own_ports(log: &Log, conversation: &Conversation) -> HashSet<(Option<u32>, u16)> {
    let (source, dest) = (conversation.key.source(), conversation.key.dest());
    let to_group = |record: &&Record| log.is_group(record.key.dest());
    let sent = log.between(dest, source).iter();
    let port = |record: &Record| (record.key.protocol(), record.src_port);
    let to_groups = log.from(dest).iter().filter(to_group);
    sent.chain(to_groups).map(port).collect()
}
