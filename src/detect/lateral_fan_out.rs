//! Lateral fan-out: an internal host that reaches many others on administrative ports.

use crate::detect::conversation::{Conversation, Source};
use crate::detect::draft::{Draft, distinct, place};
use crate::detect::findings::{Finding, Severity, evidence};
use crate::detect::humanize::span;
use crate::detect::limits::limits;
use crate::detect::log::Log;
use crate::detect::window::most_within;
use crate::direction::rules::Direction;

limits! {
    "lateral_fan_out",
    /// Minimum number of hosts that are reached.
    min_hosts,
    /// Time within which the hosts count, in seconds.
    window,
}

/// Ports of remote administration: SSH, Telnet, RPC, SMB, RDP, VNC, `WinRM`.
const PORTS: [u16; 9] = [22, 23, 135, 139, 445, 3389, 5900, 5985, 5986];

/// Find the fan-out of an initiator. Hosts that do not answer are left to `host_sweeps`.
pub fn find(log: &Log, source: &Source, limits: &Limits) -> Option<Finding> {
    if !source.is_internal || (source.conversations.len() as f64) < limits.min_hosts {
        return None;
    }
    let is_administration = |conversation: &&Conversation| {
        let key = conversation.key;
        key.port().is_some_and(|port| PORTS.contains(&port))
            && log.is_tcp(key.protocol())
            && (conversation.answered > 0 || conversation.failed == 0)
            && log.direction(conversation) == Direction::Internal
    };
    let all: Vec<&Conversation> = source
        .conversations
        .iter()
        .filter(is_administration)
        .collect();
    let same_dest = |a: &&Conversation, b: &&Conversation| a.key.dest() == b.key.dest();
    let firsts: Vec<Option<i64>> = all
        .chunk_by(same_dest)
        .map(|pair| {
            pair.iter()
                .filter_map(|conversation| conversation.first)
                .min()
        })
        .collect();
    let reached = firsts.len();
    let times: Vec<i64> = firsts.into_iter().flatten().collect();
    let hosts = if times.is_empty() {
        reached
    } else {
        most_within(times, limits.window)
    };
    if (hosts as f64) < limits.min_hosts {
        return None;
    }
    let ports = distinct(
        all.iter()
            .filter_map(|conversation| conversation.key.port()),
    );
    let names: Vec<String> = ports.iter().map(u16::to_string).collect();
    let summary = format!(
        "{} reached {hosts} internal hosts within {} on administrative ports ({}).",
        place(log, source.rank),
        span(limits.window),
        names.join(", ")
    );
    let draft = Draft {
        detector: NAME,
        severity: Severity::Warning,
        score: (0.5 * hosts as f64 / limits.min_hosts.max(1.0)).min(1.0),
        summary,
        evidence: vec![
            evidence("hosts_within_window", hosts as f64, limits.min_hosts),
            evidence("hosts", reached as f64, None),
            evidence("ports", ports.len() as f64, None),
        ],
        technique: "T1021",
    };
    let dests = distinct(all.iter().map(|conversation| conversation.key.dest()));
    // The filter of the finding selects by address and port, whether answered or not.
    let is_selected = |conversation: &&Conversation| {
        let key = conversation.key;
        dests.binary_search(&key.dest()).is_ok()
            && key
                .port()
                .is_some_and(|port| ports.binary_search(&port).is_ok())
            && log.is_tcp(key.protocol())
    };
    let selected: Vec<&Conversation> = source.conversations.iter().filter(is_selected).collect();
    Some(draft.about(log, &selected))
}

/// Lower the severity of the fan-out of a host that scans: the scan says more.
pub fn demote(findings: &mut [Finding]) {
    let is_scan = |finding: &Finding| {
        matches!(finding.detector, "port_scans" | "host_sweeps")
            && finding.severity > Severity::Information
    };
    if findings.iter().any(is_scan) {
        let fan_outs = findings
            .iter_mut()
            .filter(|finding| finding.detector == NAME);
        fan_outs.for_each(|finding| finding.demote("scans of the same host".into()));
    }
}
