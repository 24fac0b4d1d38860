//! Internal hosts: their peers and traffic, and the findings about them.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondArray,
};
use hashbrown::{HashMap, HashSet};

use crate::columns::batch::{batch, named};
use crate::detect::conversation::{Conversation, Source};
use crate::detect::findings::{Finding, Severity};
use crate::detect::log::Log;
use crate::detect::systems::Systems;
use crate::error::Result;
use crate::ip::Ip;

/// Totals of internal hosts, by the rank of the address.
#[derive(Debug, Default)]
pub struct Hosts(HashMap<u64, Host>);

#[derive(Debug, Default)]
struct Host {
    peers: HashSet<u64>,
    flows: u64,
    /// Bytes sent and received.
    bytes: Option<[u64; 2]>,
    first: Option<i64>,
    last: Option<i64>,
}

impl Hosts {
    /// Add the conversations of an initiator.
    pub fn add(&mut self, log: &Log, source: &Source) {
        let to_group = |rank: u64| log.ip(rank).is_none() || log.is_group(rank);
        for conversation in &source.conversations {
            let (source, dest) = (conversation.key.source(), conversation.key.dest());
            let (sent, received) = (conversation.sent, conversation.received);
            if log.is_internal(source) && log.ip(source).is_some() {
                let peer = (!to_group(dest)).then_some(dest);
                self.host(source).add(conversation, peer, [sent, received]);
            }
            if source != dest && log.is_internal(dest) && !to_group(dest) {
                self.host(dest)
                    .add(conversation, Some(source), [received, sent]);
            }
        }
    }

    fn host(&mut self, rank: u64) -> &mut Host {
        self.0.entry(rank).or_default()
    }

    /// Add the hosts of other initiators.
    pub fn merge(&mut self, other: Self) {
        for (rank, other) in other.0 {
            let host = self.host(rank);
            host.peers.extend(other.peers);
            host.flows = host.flows.saturating_add(other.flows);
            host.add_bytes(other.bytes);
            host.first = earlier(host.first, other.first);
            host.last = host.last.max(other.last);
        }
    }

    /// The hosts as a table, those with the most severe findings first.
    pub fn into_table(
        self,
        log: &Log,
        systems: &Systems,
        findings: &[Finding],
    ) -> Result<RecordBatch> {
        let mut counts: HashMap<u64, [i64; 3]> = HashMap::new();
        for finding in findings {
            let ends: BTreeSet<u64> = [finding.source, finding.dest]
                .into_iter()
                .flatten()
                .collect();
            for rank in ends {
                counts.entry(rank).or_default()[finding.severity as usize] += 1;
            }
        }
        let mut rows: Vec<Row> = (self.0.into_iter())
            .map(|(rank, host)| Row::new(log, systems, rank, host, counts.get(&rank).copied()))
            .collect();
        rows.sort_by_key(|row| {
            let [information, warning, high] = row.counts.map(|count| -count);
            (
                high,
                warning,
                information,
                std::cmp::Reverse(row.host.flows),
                row.ip,
            )
        });
        write(&rows)
    }
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

impl Host {
    fn add(&mut self, conversation: &Conversation, peer: Option<u64>, bytes: [u64; 2]) {
        self.peers.extend(peer);
        self.flows = self.flows.saturating_add(conversation.flows);
        self.add_bytes(conversation.has_bytes.then_some(bytes));
        self.first = earlier(self.first, conversation.first);
        self.last = self.last.max(conversation.last);
    }

    fn add_bytes(&mut self, bytes: Option<[u64; 2]>) {
        if let Some(bytes) = bytes {
            let sums = self.bytes.get_or_insert_default();
            for (sum, count) in sums.iter_mut().zip(bytes) {
                *sum = sum.saturating_add(count);
            }
        }
    }
}

struct Row {
    ip: Option<Ip>,
    networks: usize,
    countries: BTreeSet<String>,
    counts: [i64; 3],
    host: Host,
}

impl Row {
    fn new(log: &Log, systems: &Systems, rank: u64, host: Host, counts: Option<[i64; 3]>) -> Self {
        let networks: HashSet<u32> = host
            .peers
            .iter()
            .filter_map(|peer| systems.asn(*peer))
            .collect();
        let countries = host.peers.iter().filter_map(|peer| systems.country(*peer));
        Self {
            ip: log.ip(rank),
            networks: networks.len(),
            countries: countries.map(str::to_owned).collect(),
            counts: counts.unwrap_or_default(),
            host,
        }
    }
}

fn write(rows: &[Row]) -> Result<RecordBatch> {
    let numbers = |name: &str, value: &dyn Fn(&Row) -> Option<u64>| {
        let numbers = rows.iter().map(value);
        let numbers = numbers.map(|n| n.map(|n| i64::try_from(n).unwrap_or(i64::MAX)));
        named(name, Arc::new(numbers.collect::<Int64Array>()) as ArrayRef)
    };
    let times = |name: &str, value: fn(&Host) -> Option<i64>| {
        let times = rows.iter().map(|row| value(&row.host));
        let times = times
            .collect::<TimestampMicrosecondArray>()
            .with_timezone("UTC");
        named(name, Arc::new(times))
    };
    let count = |severity: Severity| {
        let counts = rows.iter().map(|row| row.counts[severity as usize]);
        named(
            severity.name(),
            Arc::new(counts.map(Some).collect::<Int64Array>()),
        )
    };
    let mut countries = ListBuilder::new(StringBuilder::new());
    for row in rows {
        for country in &row.countries {
            countries.values().append_value(country);
        }
        countries.append(true);
    }
    let hosts = rows.iter().map(|row| row.ip.map(|ip| ip.to_string()));
    batch(vec![
        named("host", Arc::new(hosts.collect::<StringArray>())),
        count(Severity::High),
        count(Severity::Warning),
        count(Severity::Information),
        numbers("peers", &|row| Some(row.host.peers.len() as u64)),
        numbers("networks", &|row| Some(row.networks as u64)),
        named("countries", Arc::new(countries.finish())),
        numbers("flows", &|row| Some(row.host.flows)),
        numbers("bytes_out", &|row| row.host.bytes.map(|[sent, _]| sent)),
        numbers("bytes_in", &|row| {
            row.host.bytes.map(|[_, received]| received)
        }),
        times("first_seen", |host| host.first),
        times("last_seen", |host| host.last),
    ])
}
