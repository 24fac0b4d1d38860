//! The peers of an address, or of several together, by direction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};

use crate::columns::batch::{NamedColumn, batch, find, named};
use crate::columns::cast::{int64, micros};
use crate::columns::nulls::{NullsLast, get};
use crate::columns::text::Text;
use crate::direction::rules::{Direction, DirectionRules};
use crate::error::{Error, Result};
use crate::ip::Ip;
use crate::ip::column::Addresses;
use crate::ip::range_map::RangeMap;
use crate::ip::write::addresses;
use crate::search::{add, mean, port};

/// Maximum number of ports listed per peer.
const MAX_PORTS: usize = 10;

/// The peers of the addresses of a host or network in order.
pub struct Peers<'a> {
    hosts: RangeMap<()>,
    rules: &'a DirectionRules,
    by_address: BTreeMap<NullsLast<Ip>, Peer>,
    /// Allowed and denied flows between different addresses of these, which have no peer.
    inside: Option<i64>,
}

/// Totals of a peer.
#[derive(Default)]
struct Peer {
    is_inbound: bool,
    is_outbound: bool,
    connections: Volume,
    denied: Option<i64>,
    bytes: Volume,
    packets: Volume,
    first: Option<i64>,
    last: Option<i64>,
    /// The lowest ports.
    ports: BTreeSet<u16>,
}

/// A count in both directions and in each.
#[derive(Default)]
struct Volume {
    all: Option<i64>,
    from_peer: Option<i64>,
    to_peer: Option<i64>,
    max: Option<i64>,
}

/// Sum the result of `expanded_search` for addresses and CIDR prefixes by peer.
pub fn collect<'a>(
    search: impl Iterator<Item = Result<RecordBatch>>,
    hosts: &[String],
    rules: &'a DirectionRules,
) -> Result<Peers<'a>> {
    let mut out = Peers {
        hosts: RangeMap::from_prefixes(hosts)?,
        rules,
        by_address: BTreeMap::new(),
        inside: None,
    };
    let mut first_row = 0;
    for batch in search {
        let batch = batch?;
        out.add(&Search::read(&batch, first_row)?, hosts)?;
        first_row += batch.num_rows();
    }
    Ok(out)
}

impl Peers<'_> {
    fn add(&mut self, search: &Search, hosts: &[String]) -> Result<()> {
        for row in 0..search.src.rows() {
            let ends = [search.src.get(row), search.dst.get(row)];
            let own = ends.map(|end| end.get().filter(|ip| self.hosts.contains(*ip)));
            let (own, peer) = match own {
                [Some(src), Some(dst)] if src != dst => {
                    add(&mut self.inside, Some(search.connections(row)?))?;
                    add(&mut self.inside, get(&search.denied, row))?;
                    continue;
                }
                [_, Some(dst)] => (dst, ends[0]),
                [Some(src), None] => (src, ends[1]),
                [None, None] => {
                    let more = match hosts.len() {
                        0 | 1 => String::new(),
                        2 => " or 1 other".into(),
                        number => format!(" or {} others", number - 1),
                    };
                    return Err(Error::Argument(format!(
                        "row {} of the search is not from or to {}{more}; give the result of \
                         expanded_search for the same addresses",
                        search.first_row + row,
                        hosts[0]
                    )));
                }
            };
            let (is_source, is_dest) = (ends[1] == Some(own).into(), ends[0] == Some(own).into());
            let is_internal = self.rules.is_internal(own);
            let peer = self.by_address.entry(peer).or_default();
            peer.is_inbound |= if is_internal { is_source } else { is_dest };
            peer.is_outbound |= if is_internal { is_dest } else { is_source };
            peer.add(search, row, is_source, is_dest)?;
        }
        Ok(())
    }

    /// Flows between different addresses of the host, which have no peer.
    pub fn inside(&self) -> i64 {
        self.inside.unwrap_or_default()
    }

    /// The peers as a table.
    pub fn into_table(self) -> Result<RecordBatch> {
        let ips: Vec<NullsLast<Ip>> = self.by_address.keys().copied().collect();
        let peers: Vec<&Peer> = self.by_address.values().collect();
        let words = peers.iter().map(|peer| Some(peer.direction()));
        let mut out = vec![
            named("peer", Arc::new(addresses(ips.len(), |row| ips[row])?)),
            named("direction", Arc::new(words.collect::<StringArray>())),
        ];
        out.extend(directions("connections", &peers, |peer| &peer.connections));
        let denied = peers
            .iter()
            .map(|peer| Some(peer.denied.unwrap_or_default()));
        out.push(named(
            "denied_connections",
            Arc::new(denied.collect::<Int64Array>()),
        ));
        out.extend(directions("bytes", &peers, |peer| &peer.bytes));
        out.extend(directions("packets", &peers, |peer| &peer.packets));
        out.extend(per_record("packets", &peers, |peer| &peer.packets));
        out.extend(per_record("bytes", &peers, |peer| &peer.bytes));
        out.push(times("first_seen", &peers, |peer| peer.first));
        out.push(times("last_seen", &peers, |peer| peer.last));
        let ports = peers.iter().map(|peer| {
            let ports: Vec<String> = peer.ports.iter().map(u16::to_string).collect();
            Some(ports.join(","))
        });
        out.push(named(
            "peer_ports",
            Arc::new(ports.collect::<StringArray>()),
        ));
        batch(out)
    }
}

impl Peer {
    fn add(&mut self, search: &Search, row: usize, is_source: bool, is_dest: bool) -> Result<()> {
        let connections = search.connections(row)?;
        add(&mut self.connections.all, Some(connections))?;
        for (is_there, sum) in [
            (is_source, &mut self.connections.from_peer),
            (is_dest, &mut self.connections.to_peer),
        ] {
            add(sum, Some(if is_there { connections } else { 0 }))?;
        }
        add(&mut self.denied, get(&search.denied, row))?;
        let (of_peer, of_own) = if is_source { (0, 1) } else { (1, 0) };
        for (volume, sent, max) in [
            (&mut self.bytes, &search.bytes, &search.max_bytes),
            (&mut self.packets, &search.packets, &search.max_packets),
        ] {
            let sent = [get(&sent[of_peer], row), get(&sent[of_own], row)];
            for count in sent {
                add(&mut volume.all, count)?;
            }
            // Traffic of an address with itself counts in both directions.
            let both = is_source && is_dest;
            let swapped = [(sent[0], sent[1]), (sent[1], sent[0])];
            for (sum, (own, other)) in [&mut volume.from_peer, &mut volume.to_peer]
                .into_iter()
                .zip(swapped)
            {
                add(sum, own)?;
                add(sum, other.filter(|_| both))?;
            }
            volume.max = volume.max.max(get(max, row));
        }
        let (first, last) = (get(&search.first, row), get(&search.last, row));
        self.first = self.first.into_iter().chain(first).min();
        self.last = self.last.max(last);
        for (is_there, name, ports) in [
            (is_source, "src_port", &search.ports[0]),
            (is_dest, "dst_port", &search.ports[1]),
        ] {
            if is_there {
                self.ports
                    .extend(port(name, ports, row, search.first_row + row)?);
            }
        }
        while self.ports.len() > MAX_PORTS {
            self.ports.pop_last();
        }
        Ok(())
    }

    /// Direction of the flows, as seen from the internal endpoint.
    fn direction(&self) -> &'static str {
        match (self.is_inbound, self.is_outbound) {
            (true, true) => "two-way",
            (true, false) => Direction::Inbound.word(),
            _ => Direction::Outbound.word(),
        }
    }
}

/// Typed columns of a search result.
struct Search {
    first_row: usize,
    src: Addresses,
    dst: Addresses,
    ports: [Int64Array; 2],
    connections: Int64Array,
    denied: Int64Array,
    bytes: [Int64Array; 2],
    packets: [Int64Array; 2],
    max_bytes: Int64Array,
    max_packets: Int64Array,
    first: TimestampMicrosecondArray,
    last: TimestampMicrosecondArray,
}

impl Search {
    fn read(batch: &RecordBatch, first_row: usize) -> Result<Self> {
        let column = |name: &str| {
            find(batch, name).ok_or_else(|| {
                Error::Schema(format!(
                    "column {name:?} is missing in the search; give the result of expanded_search"
                ))
            })
        };
        let number = |name: &str| {
            int64(name, column(name)?).map_err(|error| error.at(|row| first_row + row))
        };
        let time = |name: &str| micros(name, column(name)?);
        let ips = |name: &str| {
            let text = Text::read(name, column(name)?)?;
            Addresses::parse(&text).map_err(|row| Error::Value {
                row: first_row + row,
                column: name.into(),
                value: text.get(row).unwrap_or_default().into(),
                reason: "is not an IP address",
            })
        };
        Ok(Self {
            first_row,
            src: ips("src_ip")?,
            dst: ips("dst_ip")?,
            ports: [number("src_port")?, number("dst_port")?],
            connections: number("connections")?,
            denied: match find(batch, "denied_connections") {
                Some(_) => number("denied_connections")?,
                None => Int64Array::new_null(batch.num_rows()),
            },
            bytes: [number("src_bytes")?, number("dst_bytes")?],
            packets: [number("src_packets")?, number("dst_packets")?],
            max_bytes: number("max_bytes")?,
            max_packets: number("max_packets")?,
            first: time("first_seen")?,
            last: time("last_seen")?,
        })
    }

    fn connections(&self, row: usize) -> Result<i64> {
        get(&self.connections, row).ok_or_else(|| Error::Value {
            row: self.first_row + row,
            column: "connections".into(),
            value: "null".into(),
            reason: "is not a connection count",
        })
    }
}

fn directions(unit: &str, peers: &[&Peer], volume: fn(&Peer) -> &Volume) -> [NamedColumn; 3] {
    let column = |name: String, part: fn(&Volume) -> Option<i64>| {
        let values = peers.iter().map(|peer| part(volume(peer)));
        named(&name, Arc::new(values.collect::<Int64Array>()))
    };
    [
        column(unit.into(), |volume| volume.all),
        column(format!("{unit}_from_peer"), |volume| volume.from_peer),
        column(format!("{unit}_to_peer"), |volume| volume.to_peer),
    ]
}

fn per_record(unit: &str, peers: &[&Peer], volume: fn(&Peer) -> &Volume) -> [NamedColumn; 2] {
    let max = peers.iter().map(|peer| volume(peer).max);
    let means = peers.iter().map(|peer| {
        let connections = peer.connections.all.unwrap_or_default();
        mean(volume(peer).all, connections, peer.denied)
    });
    [
        named(
            &format!("max_{unit}"),
            Arc::new(max.collect::<Int64Array>()),
        ),
        named(
            &format!("mean_{unit}"),
            Arc::new(means.collect::<Float64Array>()),
        ),
    ]
}

fn times(name: &str, peers: &[&Peer], time: fn(&Peer) -> Option<i64>) -> NamedColumn {
    let times: TimestampMicrosecondArray = peers.iter().map(|peer| time(peer)).collect();
    named(name, Arc::new(times.with_timezone("UTC")) as ArrayRef)
}
