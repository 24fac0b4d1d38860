//! Rare networks: outside networks that a single host called, in few flows.

use hashbrown::HashMap;

use crate::detect::circumstances::Circumstances;
use crate::detect::conversation::{Conversation, Source};
use crate::detect::draft::{Draft, place};
use crate::detect::findings::{Finding, Severity, evidence};
use crate::detect::humanize::plural;
use crate::detect::limits::limits;
use crate::detect::log::Log;
use crate::detect::systems::Systems;
use crate::direction::rules::Direction;

limits! {
    "rare_networks",
    /// Maximum number of flows.
    max_flows,
    /// Maximum number of internal hosts that call the network.
    max_hosts,
}

/// Find networks that the initiator seldom calls; `keep` drops those that others call, too.
pub fn find(log: &Log, source: &Source, limits: &Limits, systems: &Systems) -> Vec<Finding> {
    if !source.is_internal {
        return Vec::new();
    }
    let mut networks: HashMap<u32, Vec<&Conversation>> = HashMap::new();
    for conversation in &source.conversations {
        let outbound = log.direction(conversation) == Direction::Outbound;
        if let Some(asn) = systems.asn(conversation.key.dest()).filter(|_| outbound) {
            networks.entry(asn).or_default().push(conversation);
        }
    }
    let found = networks.into_iter().filter_map(|(asn, conversations)| {
        let flows: u64 = conversations
            .iter()
            .map(|conversation| conversation.flows)
            .sum();
        let failed = conversations
            .iter()
            .all(|c| c.failed > 0 && c.answered == 0);
        if flows as f64 > limits.max_flows || failed {
            return None;
        }
        Some(of(
            log,
            source,
            limits,
            systems,
            (asn, &conversations),
            flows,
        ))
    });
    found.collect()
}

fn of(
    log: &Log,
    source: &Source,
    limits: &Limits,
    systems: &Systems,
    (asn, conversations): (u32, &[&Conversation]),
    flows: u64,
) -> Finding {
    let rank = conversations[0].key.dest();
    let country = systems.country(rank);
    let summary = format!(
        "{} called {}{} in {}; no other host did.",
        place(log, source.rank),
        systems
            .name(rank)
            .map_or_else(|| format!("AS{asn}"), str::to_owned),
        country.map_or_else(String::new, |country| format!(" ({country})")),
        plural(flows, "flow"),
    );
    let draft = Draft {
        detector: NAME,
        severity: Severity::Information,
        score: 0.5 * (1.0 - (flows as f64 - 1.0).max(0.0) / limits.max_flows.max(1.0)),
        summary,
        evidence: vec![evidence("flows", flows as f64, limits.max_flows)],
        technique: "T1071",
    };
    let mut finding = draft.about(log, conversations);
    finding.system = Some(asn);
    finding
}

/// Whether hardly any host calls the network of a finding; a country of its own raises the score.
pub fn keep(
    finding: &mut Finding,
    circumstances: &Circumstances,
    systems: &Systems,
    limits: &Limits,
) -> bool {
    let callers = finding
        .system
        .and_then(|asn| circumstances.callers.get(&asn).copied());
    let callers = callers.unwrap_or_default();
    let rank = finding.filter.dests.first();
    let country = rank.and_then(|rank| systems.country(*rank));
    let others = country.and_then(|country| circumstances.countries.get(country));
    let others = others.map_or(0, |flows| flows.saturating_sub(finding.flows));
    finding
        .evidence
        .push(evidence("hosts", callers as f64, limits.max_hosts));
    finding
        .evidence
        .push(evidence("other_flows_to_country", others as f64, None));
    finding.score += 0.5 / (1.0 + others as f64);
    callers as f64 <= limits.max_hosts
}
