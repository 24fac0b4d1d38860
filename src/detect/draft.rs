//! A finding about conversations, before context.

use crate::detect::conversation::Conversation;
use crate::detect::filter::Filter;
use crate::detect::findings::{Evidence, Finding, Severity};
use crate::detect::log::Log;
use crate::detect::record::Key;
use crate::direction::rules::Direction;

/// What a detector says about conversations.
pub struct Draft {
    /// Name of the detector.
    pub detector: &'static str,
    /// Severity without context.
    pub severity: Severity,
    /// How well the behaviour fits.
    pub score: f64,
    /// A sentence.
    pub summary: String,
    /// Parts of the score.
    pub evidence: Vec<Evidence>,
    /// ATT&CK technique.
    pub technique: &'static str,
}

impl Draft {
    /// The finding about conversations; an endpoint, port or protocol is named if all have the same.
    pub fn about(self, log: &Log, conversations: &[&Conversation]) -> Finding {
        let keys = || conversations.iter().map(|conversation| conversation.key);
        let sources = distinct(keys().map(Key::source));
        let dests = distinct(keys().map(Key::dest));
        let ports = distinct(keys().map(Key::port));
        let protocols = distinct(keys().map(Key::protocol));
        let sum = |value: fn(&Conversation) -> u64| {
            let values = conversations.iter().map(|conversation| value(conversation));
            values.fold(0_u64, u64::saturating_add)
        };
        let directions = conversations
            .iter()
            .map(|conversation| log.direction(conversation));
        Finding {
            detector: self.detector,
            severity: self.severity,
            score: self.score.clamp(0.0, 1.0),
            source: one(&sources),
            dest: one(&dests),
            port: one(&ports).flatten(),
            protocol: one(&protocols).flatten(),
            direction: directions.min().unwrap_or(Direction::Unknown),
            system: None,
            as_name: None,
            country: None,
            first: conversations
                .iter()
                .filter_map(|conversation| conversation.first)
                .min(),
            last: conversations
                .iter()
                .filter_map(|conversation| conversation.last)
                .max(),
            flows: sum(|conversation| conversation.flows),
            sent: sum(|conversation| conversation.sent),
            received: sum(|conversation| conversation.received),
            has_bytes: conversations
                .iter()
                .any(|conversation| conversation.has_bytes),
            summary: self.summary,
            evidence: self.evidence,
            technique: self.technique,
            context: Vec::new(),
            filter: Filter {
                source: one(&sources),
                dests,
                ports,
                protocols,
                exchanged: conversations
                    .iter()
                    .any(|conversation| conversation.exchanged),
            },
        }
    }
}

/// Distinct values in order.
pub fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

fn one<T: Copy>(values: &[T]) -> Option<T> {
    match values {
        [one] => Some(*one),
        _ => None,
    }
}

/// An endpoint in a sentence.
pub fn place(log: &Log, rank: u64) -> String {
    (log.ip(rank)).map_or_else(|| "an unknown address".into(), |ip| ip.to_string())
}

/// A conversation's responder in a sentence, such as `192.0.2.1 port 443/tcp`.
pub fn peer(log: &Log, conversation: &Conversation) -> String {
    let key = conversation.key;
    format!(
        "{} {}",
        place(log, key.dest()),
        service(log, key.port(), key.protocol())
    )
}

/// A port and protocol in a sentence.
pub fn service(log: &Log, port: Option<u16>, protocol: Option<u32>) -> String {
    let protocol = log.protocol(protocol).unwrap_or("unknown protocol");
    let protocol: String = protocol
        .chars()
        .filter(|c| !c.is_control())
        .take(20)
        .collect();
    match port {
        Some(port) => format!("port {port}/{protocol}"),
        None => protocol,
    }
}
