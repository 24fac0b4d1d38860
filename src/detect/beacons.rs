//! Beacons: calls of a host to one destination, or to one network, in a regular rhythm.

use hashbrown::{HashMap, HashSet};

use crate::detect::conversation::{Conversation, Source};
use crate::detect::draft::{Draft, peer, place, service};
use crate::detect::findings::{Finding, Severity, evidence};
use crate::detect::humanize::{span, thousands};
use crate::detect::limits::limits;
use crate::detect::log::Log;
use crate::detect::retries;
use crate::detect::rhythm::{Rhythm, RhythmLimits, rhythm};
use crate::detect::systems::Systems;
use crate::direction::rules::Direction;

limits! {
    "beacons",
    /// Minimum number of calls.
    min_calls,
    /// Minimum number of calls of a strict rhythm.
    few_calls,
    /// Largest deviation of a regular gap, as a share of the period.
    tolerance,
    /// As `tolerance`, for few calls.
    few_tolerance,
    /// Minimum share of regular gaps.
    min_share,
    /// Maximum probability that random times are as regular.
    max_chance,
    /// Minimum period in seconds.
    min_period,
    /// Minimum addresses of a network that are called in turn.
    min_servers,
    /// Whether calls from outside are findings.
    inbound,
}

/// Weights of the parts of the score: share of regular gaps, equal sizes, share of the log's time.
const WEIGHTS: [f64; 3] = [0.7, 0.15, 0.15];

impl Limits {
    fn rhythm(&self) -> RhythmLimits {
        RhythmLimits {
            calls: self.min_calls as usize,
            few_calls: self.few_calls as usize,
            tolerance: self.tolerance,
            few_tolerance: self.few_tolerance,
            share: self.min_share,
            chance: self.max_chance,
            period: self.min_period,
        }
    }
}

/// Find the beacons of an initiator; calls that are never answered are left to `retries`.
pub fn find(
    log: &Log,
    source: &Source,
    limits: &Limits,
    unanswered: &retries::Limits,
    systems: &Systems,
) -> Vec<Finding> {
    let is_wanted = |conversation: &&Conversation| match log.direction(conversation) {
        Direction::Inbound => limits.inbound > 0.0,
        _ => true,
    };
    let mut out = Vec::new();
    let mut rest = Vec::new();
    let mut known = HashSet::new();
    for conversation in source.conversations.iter().filter(is_wanted) {
        if retries::fits(conversation, unanswered) {
            continue;
        }
        let starts: Vec<i64> = conversation.starts().collect();
        match rhythm(&starts, &limits.rhythm()) {
            Some(found) => {
                known.insert(network(conversation, systems));
                out.push(of_dest(log, conversation, &found, limits));
            }
            None => rest.push(conversation),
        }
    }
    rest.retain(|conversation| !known.contains(&network(conversation, systems)));
    out.extend(by_network(log, source, &rest, limits, systems));
    out
}

/// The network that a conversation calls, with port and protocol.
fn network(
    conversation: &Conversation,
    systems: &Systems,
) -> (Option<u32>, Option<u16>, Option<u32>) {
    let key = conversation.key;
    (systems.asn(key.dest()), key.port(), key.protocol())
}

fn of_dest(log: &Log, conversation: &Conversation, found: &Rhythm, limits: &Limits) -> Finding {
    let summary = format!(
        "{} called {} {}.",
        place(log, conversation.key.source()),
        peer(log, conversation),
        in_words(found, conversation.first, conversation.last)
    );
    draft(log, found, &[conversation], summary, limits).about(log, &[conversation])
}

fn in_words(found: &Rhythm, first: Option<i64>, last: Option<i64>) -> String {
    let time = first
        .zip(last)
        .map_or(0.0, |(first, last)| (last - first) as f64 / 1e6);
    let missed = match found.missed {
        0 => String::new(),
        missed => format!(", with {} missed", thousands(missed as u64)),
    };
    format!(
        "{} times, every {} (± {:.0} %){missed}, for {}",
        thousands(found.calls as u64),
        span(found.period),
        100.0 * found.jitter,
        span(time)
    )
}

fn draft(
    log: &Log,
    found: &Rhythm,
    conversations: &[&Conversation],
    summary: String,
    limits: &Limits,
) -> Draft {
    let constant = constant_size(conversations);
    let active = (found.period * (found.calls + found.missed) as f64 / log.facts.span()).min(1.0);
    let parts = [found.share, constant.unwrap_or(found.share), active];
    let score = parts
        .iter()
        .zip(WEIGHTS)
        .map(|(part, weight)| part * weight)
        .sum();
    let (calls, tolerance) = if found.few {
        (limits.few_calls, limits.few_tolerance)
    } else {
        (limits.min_calls, limits.tolerance)
    };
    let mut parts = vec![
        evidence("calls", found.calls as f64, calls),
        evidence("period_seconds", found.period, limits.min_period),
        evidence(
            "regular_gaps",
            found.share,
            if found.few { 1.0 } else { limits.min_share },
        ),
        evidence("jitter", found.jitter, tolerance),
        evidence("missed_calls", found.missed as f64, None),
        evidence("active_share", active, None),
    ];
    parts.extend(constant.map(|constant| evidence("constant_size", constant, None)));
    Draft {
        detector: NAME,
        severity: if found.few {
            Severity::Information
        } else {
            Severity::Warning
        },
        score,
        summary,
        evidence: parts,
        technique: "T1071",
    }
}

/// Share of the flows that sent about as many bytes as their median.
fn constant_size(conversations: &[&Conversation]) -> Option<f64> {
    if conversations
        .iter()
        .any(|conversation| !conversation.has_bytes)
    {
        return None;
    }
    let records = conversations
        .iter()
        .flat_map(|conversation| conversation.records);
    let mut sizes: Vec<u64> = records.map(|record| record.sent).collect();
    let middle = sizes.len().checked_sub(1)? / 2;
    let median = *sizes.select_nth_unstable(middle).1;
    let near = |size: &&u64| size.abs_diff(median) as f64 <= 0.1 * median as f64;
    Some(sizes.iter().filter(near).count() as f64 / sizes.len() as f64)
}

/// Find a rhythm in the calls to several servers of one network, of which none has its own.
fn by_network(
    log: &Log,
    source: &Source,
    rest: &[&Conversation],
    limits: &Limits,
    systems: &Systems,
) -> Vec<Finding> {
    let mut groups: HashMap<_, Vec<&Conversation>> = HashMap::new();
    for conversation in rest {
        let outbound = log.direction(conversation) == Direction::Outbound;
        if let (Some(system), port, protocol) = network(conversation, systems)
            && outbound
        {
            let group = (system, port, protocol);
            groups.entry(group).or_default().push(conversation);
        }
    }
    let found = groups
        .into_iter()
        .filter_map(|((asn, port, protocol), conversations)| {
            if (conversations.len() as f64) < limits.min_servers.max(2.0) {
                return None;
            }
            let mut starts: Vec<i64> = conversations.iter().flat_map(|c| c.starts()).collect();
            starts.sort_unstable();
            let found = rhythm(&starts, &limits.rhythm()).filter(|found| !found.few)?;
            let first = conversations.iter().filter_map(|c| c.first).min();
            let last = conversations.iter().filter_map(|c| c.last).max();
            let summary = format!(
                "{} called {} addresses of {} on {} {}.",
                place(log, source.rank),
                conversations.len(),
                systems
                    .name(conversations[0].key.dest())
                    .unwrap_or("one network"),
                service(log, port, protocol),
                in_words(&found, first, last)
            );
            let mut finding =
                draft(log, &found, &conversations, summary, limits).about(log, &conversations);
            finding.system = Some(asn);
            Some(finding)
        });
    found.collect()
}
