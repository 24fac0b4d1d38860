//! The flows of a log as sorted compact records: the one input of all detectors.
//!
//! The records are a multiset, so logs merge exactly: in any order, from any chunks and threads.

use rayon::prelude::*;

use crate::columns::interner::{Interner, Sorted};
use crate::columns::parallel::by_morsel;
use crate::detect::conversation::{Conversation, Source};
use crate::detect::facts::Facts;
use crate::detect::outcome::OutcomeColumns;
use crate::detect::record::{
    EXCHANGED, HAS_BYTES, HAS_END, Key, NO_START, ONE_WAY, Outcome, RESPONSE, Record,
};
use crate::detect::service;
use crate::direction::classify::Responses;
use crate::direction::rules::{Direction, DirectionRules};
use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::flow::initiator::addresses::may_be_broadcast;
use crate::flow::view::FlowView;
use crate::group_by::address_codes::{AddressCodes, AddressRanks, lasting};
use crate::ip::Ip;

/// Number of buckets; each has all records of its initiators.
const BUCKETS: usize = 128;

/// Unsorted records.
#[derive(Debug)]
pub struct Records {
    buckets: Vec<Vec<Record>>,
    addresses: AddressCodes,
    protocols: Interner,
    rules: DirectionRules,
}

impl Records {
    /// No records.
    pub fn new(rules: DirectionRules) -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| Vec::new()).collect(),
            addresses: AddressCodes::default(),
            protocols: Interner::default(),
            rules,
        }
    }

    /// Add flows.
    pub fn add(&mut self, batch: &FlowBatch) -> Result<()> {
        let view = FlowView::read(batch)?;
        let outcomes = OutcomeColumns::read(batch)?;
        let responses = Responses::read(batch)?;
        let services = (batch.text("service")?).map(|name| name.map_or(0, service::bits));
        let parse = |text: Option<&str>| text.and_then(Direction::parse);
        let logged = batch.text("reported_direction")?.map(parse);
        let names = batch.text("protocol")?;
        let is_tcp = names.map(|name| name == Some("tcp"));
        let protocols = self.protocols.encode(&names);
        self.addresses.prepare(&[&view.ips[0], &view.ips[1]]);
        let codes = [&view.ips[0], &view.ips[1]].map(|ips| self.addresses.encode(ips));
        let rules = &self.rules;
        let read = |row: usize| {
            let ips = view.ips(row);
            let ends = codes.each_ref().map(|codes| codes.code(row));
            let ports = [0, 1].map(|end: usize| view.ports[end].port(row));
            let counts = [0, 1].map(|end: usize| view.bytes[end].get(row));
            let by_address = by_addresses(rules, ips);
            let is_one_way = responses.is_one_way(row);
            let is_response = by_address.is_none() && responses.contains(row);
            let exchanged = is_response || by_address == Some(false);
            let pair = |[first, second]: [u64; 2]| {
                if exchanged {
                    [second, first]
                } else {
                    [first, second]
                }
            };
            let [source, dest] = pair(ends);
            let [sent, received] = pair(counts.map(|count| count.unwrap_or_default() as u64));
            let [src_port, dst_port] = if exchanged {
                [ports[1], ports[0]]
            } else {
                ports
            };
            let span = view.span(row);
            let (start, end) = span.unwrap_or((NO_START, NO_START));
            let flows = view.flows.count(row).saturating_add(view.denied.count(row));
            let flag = |flag, set| if set { flag } else { 0 };
            Record {
                key: Key::new(source, dest, dst_port, protocols.id(row).get()),
                start,
                sent,
                received,
                millis: u32::try_from(end.saturating_sub(start) / 1000).unwrap_or(u32::MAX),
                flows: u32::try_from(flows).unwrap_or(u32::MAX),
                src_port: src_port.unwrap_or_default(),
                services: services[row],
                outcome: match by_address {
                    _ if is_response => Outcome::Answered,
                    None if !is_broadcast(ips) => outcomes.get(&view, row, is_tcp[row]),
                    // Nobody has to answer a group.
                    _ => Outcome::Unknown,
                },
                flags: flag(RESPONSE, is_response)
                    | flag(EXCHANGED, exchanged)
                    | flag(ONE_WAY, is_one_way)
                    | flag(HAS_BYTES, counts.iter().all(Option::is_some))
                    | flag(HAS_END, view.ends.get(row).is_some() && span.is_some()),
                direction: logged[row].map_or(NO_DIRECTION, |direction| direction as u8),
            }
        };
        let parts = by_morsel(batch.rows(), |rows| {
            let mut records: Vec<(u8, Record)> = rows
                .map(|row| {
                    let record = read(row);
                    (bucket_of(record.key.source()) as u8, record)
                })
                .collect();
            records.sort_by_key(|(bucket, _)| *bucket);
            records
        });
        self.buckets
            .par_iter_mut()
            .enumerate()
            .for_each(|(number, bucket)| {
                for part in &parts {
                    let from = part.partition_point(|(of, _)| usize::from(*of) < number);
                    let until = part.partition_point(|(of, _)| usize::from(*of) <= number);
                    let missing = (bucket.len() + until - from).saturating_sub(bucket.capacity());
                    if missing > 0 {
                        bucket.reserve_exact(missing.max(bucket.len() / 4));
                    }
                    bucket.extend(part[from..until].iter().map(|(_, record)| *record));
                }
            });
        Ok(())
    }

    /// Sort the records.
    pub fn into_log(self) -> Log {
        let (ranks, protocols) = (self.addresses.into_ranks(), self.protocols.into_sorted());
        let mut buckets = self.buckets;
        buckets.par_iter_mut().for_each(|bucket| {
            for record in &mut *bucket {
                let key = record.key;
                record.key = Key::new(
                    ranks.rank(key.source()),
                    ranks.rank(key.dest()),
                    key.port(),
                    protocols.rank(key.protocol().into()).get(),
                );
            }
            bucket.par_sort_unstable();
        });
        let facts = Facts::of(&buckets);
        let id = |name: &str| {
            let found = protocols.values.iter().position(|value| value == name);
            found.map(|index| index as u32)
        };
        Log {
            transports: [id("tcp"), id("udp")],
            buckets,
            ranks,
            protocols,
            rules: self.rules,
            facts,
        }
    }
}

/// Whether the source initiated the flow, because one of the addresses only receives.
fn by_addresses(rules: &DirectionRules, [source, dest]: [Option<Ip>; 2]) -> Option<bool> {
    rules.broadcasts().initiated(source?, dest?)
}

/// Whether the destination may be the broadcast address of the source's network.
fn is_broadcast([source, dest]: [Option<Ip>; 2]) -> bool {
    source
        .zip(dest)
        .is_some_and(|(source, dest)| may_be_broadcast(dest, source))
}

/// Number of a direction that is not logged.
const NO_DIRECTION: u8 = 5;

/// The bucket of an initiator, given its code or rank; the same in every run.
fn bucket_of(address: u64) -> usize {
    let mixed = lasting(address).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize % BUCKETS
}

/// The records of a log, sorted.
#[derive(Debug)]
pub struct Log {
    buckets: Vec<Vec<Record>>,
    /// The addresses.
    pub ranks: AddressRanks,
    /// The protocols.
    pub protocols: Sorted,
    /// What is internal.
    pub rules: DirectionRules,
    /// What the log contains.
    pub facts: Facts,
    transports: [Option<u32>; 2],
}

impl Log {
    /// Add every initiator with its conversations to one of several results, in parallel and in no
    /// particular order.
    pub fn fold<T: Default + Send>(&self, add: impl Fn(&mut T, &Source) + Sync) -> Vec<T> {
        let by_responses = self.facts.sees_responses();
        let of_bucket = |bucket: &Vec<Record>| {
            let mut out = T::default();
            for records in bucket.chunk_by(|a, b| a.key.source() == b.key.source()) {
                let is_internal = self.is_internal(records[0].key.source());
                add(&mut out, &Source::new(records, is_internal, by_responses));
            }
            out
        };
        self.buckets.par_iter().map(of_bucket).collect()
    }

    /// The records from one address to another.
    pub fn between(&self, source: u64, dest: u64) -> &[Record] {
        let bucket = &self.buckets[bucket_of(source)];
        let ends = |record: &Record| (record.key.source(), record.key.dest());
        let from = bucket.partition_point(|record| ends(record) < (source, dest));
        let until = bucket.partition_point(|record| ends(record) <= (source, dest));
        &bucket[from..until]
    }

    /// The records of an initiator.
    pub fn from(&self, source: u64) -> &[Record] {
        let bucket = &self.buckets[bucket_of(source)];
        let from = bucket.partition_point(|record| record.key.source() < source);
        let until = bucket.partition_point(|record| record.key.source() <= source);
        &bucket[from..until]
    }

    /// All records.
    pub fn records(&self) -> impl ParallelIterator<Item = &[Record]> {
        self.buckets.par_iter().map(Vec::as_slice)
    }

    /// The address of a rank.
    pub fn ip(&self, rank: u64) -> Option<Ip> {
        self.ranks.address(rank).get()
    }

    /// Whether an address is internal.
    pub fn is_internal(&self, rank: u64) -> bool {
        self.ip(rank).is_some_and(|ip| self.rules.is_internal(ip))
    }

    /// Whether an address only receives: multicast, or the broadcast address of a known network.
    pub fn is_group(&self, rank: u64) -> bool {
        self.ip(rank)
            .is_some_and(|ip| self.rules.broadcasts().receives_only(ip))
    }

    /// Whether flows of a protocol have ports.
    pub fn is_transport(&self, protocol: Option<u32>) -> bool {
        protocol.is_some() && self.transports.contains(&protocol)
    }

    /// Whether a protocol is TCP.
    pub fn is_tcp(&self, protocol: Option<u32>) -> bool {
        protocol.is_some() && self.transports[0] == protocol
    }

    /// Whether a protocol is UDP.
    pub fn is_udp(&self, protocol: Option<u32>) -> bool {
        protocol.is_some() && self.transports[1] == protocol
    }

    /// The name of a protocol.
    pub fn protocol(&self, id: Option<u32>) -> Option<&str> {
        self.protocols.value(id.into())
    }

    /// Direction of a conversation: by the internal networks, or else as logged.
    pub fn direction(&self, conversation: &Conversation) -> Direction {
        let key = conversation.key;
        match (self.is_internal(key.source()), self.is_internal(key.dest())) {
            (true, true) => Direction::Internal,
            (true, false) => Direction::Outbound,
            (false, true) => Direction::Inbound,
            (false, false) => conversation.logged(),
        }
    }
}
