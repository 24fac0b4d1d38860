//! Conversations: the flows of an initiator with one responder, port and protocol.

use crate::detect::record::{EXCHANGED, HAS_BYTES, Key, NO_START, Outcome, RESPONSE, Record};
use crate::direction::rules::Direction;

/// An initiator with all of its conversations, ordered by key.
#[derive(Debug)]
pub struct Source<'a> {
    /// Rank of its address.
    pub rank: u64,
    /// Whether it is internal.
    pub is_internal: bool,
    /// Its conversations.
    pub conversations: Vec<Conversation<'a>>,
}

impl<'a> Source<'a> {
    /// Summarise the records of an initiator; `by_responses` tells whether the log has responses as
    /// records of their own.
    pub fn new(records: &'a [Record], is_internal: bool, by_responses: bool) -> Self {
        let rank = records.first().map_or(0, |record| record.key.source());
        let conversations = records
            .chunk_by(|a, b| a.key == b.key)
            .map(|records| Conversation::new(records, by_responses));
        Self {
            rank,
            is_internal,
            conversations: conversations.collect(),
        }
    }

    /// The conversations by responder.
    pub fn by_dest(&self) -> impl Iterator<Item = &[Conversation<'a>]> {
        let same = |a: &Conversation, b: &Conversation| a.key.dest() == b.key.dest();
        self.conversations.chunk_by(same)
    }

    /// The conversations by port and protocol.
    pub fn by_port(&self) -> Vec<Vec<&Conversation<'a>>> {
        let service =
            |conversation: &&Conversation| (conversation.key.protocol(), conversation.key.port());
        let mut all: Vec<_> = self.conversations.iter().collect();
        all.sort_by_key(service);
        let chunks = all.chunk_by(|a, b| service(a) == service(b));
        chunks.map(<[_]>::to_vec).collect()
    }
}

/// Sums of the flows of one key.
#[derive(Clone, Debug)]
pub struct Conversation<'a> {
    /// Endpoints, port and protocol.
    pub key: Key,
    /// The records, by start.
    pub records: &'a [Record],
    /// Flows, allowed and denied.
    pub flows: u64,
    /// Flows that were answered.
    pub answered: u64,
    /// Flows that failed.
    pub failed: u64,
    /// Bytes that the initiator sent.
    pub sent: u64,
    /// Bytes that the responder sent.
    pub received: u64,
    /// Whether the bytes of both directions are known.
    pub has_bytes: bool,
    /// Whether records have exchanged endpoints.
    pub exchanged: bool,
    /// First start.
    pub first: Option<i64>,
    /// Last end.
    pub last: Option<i64>,
    /// Layer-7 protocols as bits.
    pub services: u16,
}

impl<'a> Conversation<'a> {
    fn new(records: &'a [Record], by_responses: bool) -> Self {
        let mut out = Self {
            key: records
                .first()
                .map_or_else(Key::default, |record| record.key),
            records,
            flows: 0,
            answered: 0,
            failed: 0,
            sent: 0,
            received: 0,
            has_bytes: false,
            exchanged: false,
            first: None,
            last: None,
            services: 0,
        };
        let (mut unknown, mut responses) = (0, 0);
        for record in records {
            out.sent = out.sent.saturating_add(record.sent);
            out.received = out.received.saturating_add(record.received);
            out.has_bytes |= record.has(HAS_BYTES) || (by_responses && record.has(RESPONSE));
            out.exchanged |= record.has(EXCHANGED);
            out.services |= record.services;
            let flows = u64::from(record.flows);
            if record.start != NO_START {
                out.first = out.first.or(Some(record.start));
                out.last = out.last.max(Some(record.end()));
            }
            if record.has(RESPONSE) {
                responses += flows;
                continue;
            }
            out.flows += flows;
            match record.outcome {
                Outcome::Answered => out.answered += flows,
                Outcome::Failed => out.failed += flows,
                Outcome::Unknown => unknown += flows,
            }
        }
        // A response whose request is not logged is a flow, too.
        if out.flows == 0 {
            out.flows = responses;
        }
        if by_responses {
            let answered = responses.min(unknown);
            out.answered += answered;
            out.failed += unknown - answered;
        }
        out
    }

    /// Starts of the flows in order, in microseconds; without continuations and responses.
    pub fn starts(&self) -> impl Iterator<Item = i64> {
        let is_flow = |record: &&Record| {
            record.start != NO_START && record.flows > 0 && !record.has(RESPONSE)
        };
        self.records
            .iter()
            .filter(is_flow)
            .map(|record| record.start)
    }

    /// Share of the flows with a known outcome that failed; `None` if none has one.
    pub fn failed_share(&self) -> Option<f64> {
        let known = self.answered + self.failed;
        (known > 0).then(|| self.failed as f64 / known as f64)
    }

    /// The logged direction that is most frequent.
    pub fn logged(&self) -> Direction {
        let mut counts = [0_usize; Direction::ALL.len()];
        for record in self.records {
            if let Some(count) = counts.get_mut(usize::from(record.direction)) {
                *count += 1;
            }
        }
        let directions = Direction::ALL.into_iter().zip(counts);
        let found = directions.filter(|(_, count)| *count > 0);
        let top = found.min_by_key(|(direction, count)| (usize::MAX - count, *direction));
        top.map_or(Direction::External, |(direction, _)| direction)
    }
}
