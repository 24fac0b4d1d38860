//! Floods: more flows, or more bytes without an answer, in a minute than a service can take.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hashbrown::HashMap;

use crate::detect::conversation::{Conversation, Source};
use crate::detect::draft::{place, service};
use crate::detect::filter::Filter;
use crate::detect::findings::{Finding, Severity, evidence};
use crate::detect::humanize::{bytes, plural, thousands};
use crate::detect::limits::limits;
use crate::detect::log::Log;
use crate::detect::record::{Key, NO_START, ONE_WAY, Outcome, RESPONSE, Record};
use crate::direction::rules::Direction;

limits! {
    "floods",
    /// Minimum flows in a minute.
    min_flows,
    /// Minimum share of these that fail.
    min_failed,
    /// Minimum bytes without an answer in a minute.
    min_bytes,
}

const MINUTE: i64 = 60_000_000;

const SLOTS: usize = 1 << 18;

/// Upper bounds of the failed flows and the unanswered bytes of every target: targets share slots,
/// so a sum may be too large, never too small. Only targets above a limit are counted exactly.
#[derive(Debug)]
pub struct Bounds {
    flows: Vec<AtomicU64>,
    bytes: Vec<AtomicU64>,
}

impl Bounds {
    /// Sum all conversations of a log.
    pub fn new(log: &Log) -> Self {
        let zeros = || (0..SLOTS).map(|_| AtomicU64::new(0)).collect();
        let out = Self {
            flows: zeros(),
            bytes: zeros(),
        };
        drop(log.fold(|(): &mut (), source| {
            for conversation in &source.conversations {
                if conversation.failed > 0 {
                    let slot = slot(target(conversation.key));
                    out.flows[slot].fetch_add(conversation.failed, Relaxed);
                    out.bytes[slot].fetch_add(unanswered(conversation), Relaxed);
                }
            }
        }));
        out
    }

    fn may_reach(&self, key: Key, limits: &Limits) -> bool {
        let slot = slot(key);
        let flows = self.flows[slot].load(Relaxed) as f64;
        let bytes = self.bytes[slot].load(Relaxed) as f64;
        flows >= limits.min_flows * limits.min_failed || bytes >= limits.min_bytes
    }
}

fn slot(key: Key) -> usize {
    let mixed = (key.dest() ^ u64::from(key.port().unwrap_or_default()) << 17)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as usize % SLOTS
}

/// The key of a target: a conversation's without its initiator.
fn target(key: Key) -> Key {
    Key::new(0, key.dest(), key.port(), key.protocol())
}

/// Bytes of the flows that failed, at most 32 bits of megabytes, so that sums cannot overflow.
fn unanswered(conversation: &Conversation) -> u64 {
    if conversation.answered > 0 {
        0
    } else {
        conversation.sent.min(1 << 44)
    }
}

/// Flows to targets that may be flooded.
#[derive(Debug, Default)]
pub struct Targets(HashMap<Key, Target>);

/// Flows of all initiators to a target.
#[derive(Clone, Debug)]
struct Target {
    /// Number of initiators, and one of them.
    sources: u64,
    source: u64,
    direction: Direction,
    flows: u64,
    sent: u64,
    received: u64,
    has_bytes: bool,
    exchanged: bool,
    first: Option<i64>,
    last: Option<i64>,
    /// Flows, failed flows, flows with a known outcome, and bytes without an answer, by minute.
    minutes: HashMap<i64, [u64; 4]>,
}

impl Targets {
    /// Add the flows of an initiator.
    pub fn add(&mut self, log: &Log, source: &Source, limits: &Limits, bounds: &Bounds) {
        for conversation in &source.conversations {
            let key = target(conversation.key);
            if bounds.may_reach(key, limits) && !log.is_group(conversation.key.dest()) {
                self.merge_one(key, Target::new(log, conversation));
            }
        }
    }

    /// Add the flows of other initiators.
    pub fn merge(&mut self, other: Self) {
        for (key, target) in other.0 {
            self.merge_one(key, target);
        }
    }

    fn merge_one(&mut self, key: Key, other: Target) {
        match self.0.get_mut(&key) {
            Some(target) => target.merge(other),
            None => drop(self.0.insert(key, other)),
        }
    }

    /// Find the floods.
    pub fn find(&self, log: &Log, limits: &Limits) -> Vec<Finding> {
        let found = self.0.iter();
        found
            .filter_map(|(key, target)| of(log, *key, target, limits))
            .collect()
    }
}

impl Target {
    fn new(log: &Log, conversation: &Conversation) -> Self {
        let mut minutes: HashMap<i64, [u64; 4]> = HashMap::new();
        for record in conversation.records {
            if record.start != NO_START && !record.has(RESPONSE) {
                let sums = minutes.entry(record.start.div_euclid(MINUTE)).or_default();
                add(sums, counts(record, conversation));
            }
        }
        Self {
            sources: 1,
            source: conversation.key.source(),
            direction: log.direction(conversation),
            flows: conversation.flows,
            sent: conversation.sent,
            received: conversation.received,
            has_bytes: conversation.has_bytes,
            exchanged: conversation.exchanged,
            first: conversation.first,
            last: conversation.last,
            minutes,
        }
    }

    fn merge(&mut self, other: Self) {
        self.sources += other.sources;
        self.direction = self.direction.min(other.direction);
        for (sum, count) in [
            (&mut self.flows, other.flows),
            (&mut self.sent, other.sent),
            (&mut self.received, other.received),
        ] {
            *sum = sum.saturating_add(count);
        }
        self.has_bytes |= other.has_bytes;
        self.exchanged |= other.exchanged;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
        for (minute, counts) in other.minutes {
            add(self.minutes.entry(minute).or_default(), counts);
        }
    }
}

fn add(sums: &mut [u64; 4], counts: [u64; 4]) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum = sum.saturating_add(count);
    }
}

fn counts(record: &Record, conversation: &Conversation) -> [u64; 4] {
    let flows = u64::from(record.flows);
    let silent = record.has(ONE_WAY) && conversation.answered == 0 && conversation.failed > 0;
    let failed = match record.outcome {
        Outcome::Failed => flows,
        Outcome::Unknown if silent => flows,
        _ => 0,
    };
    let known = if record.outcome == Outcome::Unknown && !silent {
        0
    } else {
        flows
    };
    let in_minute = 60_000.0 / f64::from(record.millis.max(60_000));
    let bytes = if failed > 0 && record.received == 0 {
        (record.sent as f64 * in_minute) as u64
    } else {
        0
    };
    [flows, failed, known, bytes]
}

fn of(log: &Log, key: Key, target: &Target, limits: &Limits) -> Option<Finding> {
    let fits = |[flows, failed, known, bytes]: &[u64; 4]| {
        let share = *failed as f64 / (*known).max(1) as f64;
        let many = *flows as f64 >= limits.min_flows && share >= limits.min_failed && *known > 0;
        many || *bytes as f64 >= limits.min_bytes
    };
    let flooded: Vec<&[u64; 4]> = target
        .minutes
        .values()
        .filter(|counts| fits(counts))
        .collect();
    let flows = flooded.iter().map(|counts| counts[0]).max()?;
    let unanswered = flooded.iter().map(|counts| counts[3]).max()?;
    let (failed, known) = flooded
        .iter()
        .fold((0_u64, 0_u64), |(failed, known), counts| {
            (
                failed.saturating_add(counts[1]),
                known.saturating_add(counts[2]),
            )
        });
    let failed = failed as f64 / known.max(1) as f64;
    let source = (target.sources == 1).then_some(target.source);
    let direction = target.direction;
    let from = source.map_or_else(
        || plural(target.sources, "source"),
        |source| place(log, source),
    );
    let summary = format!(
        "{from} sent up to {} flows and {} without an answer in a minute to {} {}.",
        thousands(flows),
        bytes(unanswered),
        place(log, key.dest()),
        service(log, key.port(), key.protocol())
    );
    let by_flows = flows as f64 / limits.min_flows.max(1.0);
    let by_bytes = unanswered as f64 / limits.min_bytes.max(1.0);
    Some(Finding {
        detector: NAME,
        severity: if direction == Direction::Inbound {
            Severity::Warning
        } else {
            Severity::High
        },
        score: (0.5 * (1.0 + by_flows.max(by_bytes).log10())).clamp(0.0, 1.0),
        source,
        dest: Some(key.dest()),
        port: key.port(),
        protocol: key.protocol(),
        direction,
        system: None,
        as_name: None,
        country: None,
        first: target.first,
        last: target.last,
        flows: target.flows,
        sent: target.sent,
        received: target.received,
        has_bytes: target.has_bytes,
        summary,
        evidence: vec![
            evidence("flows_in_minute", flows as f64, limits.min_flows),
            evidence("failed_share", failed, limits.min_failed),
            evidence(
                "unanswered_bytes_in_minute",
                unanswered as f64,
                limits.min_bytes,
            ),
            evidence("sources", target.sources as f64, None),
            evidence("minutes", flooded.len() as f64, None),
        ],
        technique: "T1498",
        context: Vec::new(),
        filter: Filter {
            source,
            dests: vec![key.dest()],
            ports: vec![key.port()],
            protocols: vec![key.protocol()],
            exchanged: target.exchanged,
        },
    })
}
