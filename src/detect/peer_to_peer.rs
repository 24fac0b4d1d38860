//! Peer-to-peer programs: one UDP port of a host that sends to many ports of many addresses.

use hashbrown::{HashMap, HashSet};

use crate::detect::conversation::Source;
use crate::detect::findings::{Finding, Severity};
use crate::detect::log::Log;
use crate::direction::rules::Direction;

/// Addresses and ports from which a program is one of peers; a scanner tries one port, or all ports
/// of one address.
const MIN_PEERS: usize = 20;

/// Lower the severity of findings about peers of an initiator: they come and go, answer or not, and
/// are asked at intervals.
pub fn demote(log: &Log, source: &Source, findings: &mut [Finding]) {
    let is_about = |finding: &Finding| {
        finding.severity > Severity::Information
            && finding.direction == Direction::Outbound
            && log.is_udp(finding.protocol)
    };
    if !findings.iter().any(is_about) {
        return;
    }
    let ports = own_ports(log, source);
    if ports.is_empty() {
        return;
    }
    let of_peers: HashSet<_> = (source.conversations.iter())
        .filter(|conversation| {
            let mut records = conversation.records.iter();
            log.is_udp(conversation.key.protocol())
                && records.all(|record| ports.contains(&record.src_port))
        })
        .map(|conversation| (conversation.key.dest(), conversation.key.port()))
        .collect();
    for finding in findings.iter_mut().filter(|finding| is_about(finding)) {
        let dests = &finding.filter.dests;
        let is_peer = |dest: &u64| of_peers.contains(&(*dest, finding.port));
        let of_port = || {
            of_peers
                .iter()
                .filter(|(_, port)| *port == finding.port)
                .count()
        };
        let hosts = finding.evidence.iter().find(|part| part.name == "hosts");
        let is_sweep =
            dests.is_empty() && hosts.is_some_and(|hosts| 2.0 * of_port() as f64 >= hosts.value);
        if is_sweep || (!dests.is_empty() && dests.iter().all(is_peer)) {
            finding.demote("peer-to-peer: one UDP port to many ports and addresses".into());
        }
    }
}

/// UDP ports from which an initiator sends to many ports of many outside addresses.
fn own_ports(log: &Log, source: &Source) -> HashSet<u16> {
    let mut peers: HashMap<u16, (HashSet<u64>, HashSet<Option<u16>>)> = HashMap::new();
    for conversation in &source.conversations {
        let key = conversation.key;
        if !log.is_udp(key.protocol()) || log.direction(conversation) != Direction::Outbound {
            continue;
        }
        for record in conversation
            .records
            .iter()
            .filter(|record| record.src_port != 0)
        {
            let (dests, ports) = peers.entry(record.src_port).or_default();
            dests.insert(key.dest());
            ports.insert(key.port());
        }
    }
    let many = peers
        .into_iter()
        .filter(|(_, (dests, ports))| dests.len() >= MIN_PEERS && ports.len() >= MIN_PEERS);
    many.map(|(port, _)| port).collect()
}
