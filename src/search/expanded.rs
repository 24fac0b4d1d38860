//! All flows of an address or of several, by addresses and ports.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, UInt16Array, UInt32Array,
};
use rayon::prelude::*;

use crate::columns::batch::{NamedColumn, batch, named};
use crate::columns::cast::int64;
use crate::columns::interner::{Interner, Sorted};
use crate::columns::nulls::NullsLast;
use crate::columns::write::texts;
use crate::error::{Error, Result};
use crate::flow::batch::{FlowBatch, MeasureColumns};
use crate::group_by::address_codes::{AddressCodes, AddressRanks, partition_rank};
use crate::group_by::groups::{Groups, Piece};
use crate::group_by::key::GroupKey;
use crate::group_by::order::{FIELDS, Rank};
use crate::group_by::sums::{Measure, Sums};
use crate::ip::range_map::RangeMap;
use crate::ip::{Ip, parse_ip};
use crate::search::{mean, port};

/// Addresses and ports: the key of a row of the result, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Endpoints {
    src: u64,
    dst: u64,
    src_port: NullsLast<u16>,
    dst_port: NullsLast<u16>,
}

/// Groups have the protocol in their key, too, until the order of protocols is known.
type SearchKey = (Endpoints, NullsLast<u32>);

impl Rank for SearchKey {
    fn fields(&self) -> [u64; FIELDS] {
        let (endpoints, protocol) = self;
        let port = |port: NullsLast<u16>| port.get().map_or(1 << 16, u64::from);
        [
            endpoints.src,
            endpoints.dst,
            port(endpoints.src_port),
            port(endpoints.dst_port),
            protocol.get().map_or(1 << 32, u64::from),
        ]
    }
}

impl GroupKey for SearchKey {
    fn partition_rank(&self) -> u64 {
        partition_rank(self.0.src, self.0.dst)
    }
}

/// The addresses to find.
#[derive(Debug)]
enum Hosts {
    One(Ip),
    Several(RangeMap<()>),
}

impl Hosts {
    fn parse<S: AsRef<str>>(hosts: &[S]) -> Result<Self> {
        match hosts {
            [host] if !host.as_ref().contains('/') => Ok(Self::One(parse_ip(host.as_ref())?)),
            several => Ok(Self::Several(RangeMap::from_prefixes(several)?)),
        }
    }

    /// Rows of an address column that hold one of the addresses.
    fn rows(&self, batch: &FlowBatch, name: &str) -> Result<Vec<u32>> {
        let hosts = match self {
            Self::One(ip) => return batch.rows_of(name, *ip),
            Self::Several(hosts) => hosts,
        };
        let addresses = batch.addresses(name)?;
        let is_host = |row: &u32| {
            let ip = addresses.get(*row as usize).get();
            ip.is_some_and(|ip| hosts.contains(ip))
        };
        let rows = (0..batch.rows() as u32).into_par_iter();
        Ok(rows.filter(is_host).collect())
    }
}

/// Flows of the addresses.
#[derive(Debug)]
pub struct SearchResult {
    hosts: Hosts,
    groups: Groups<SearchKey>,
    addresses: AddressCodes,
    protocols: Interner,
}

/// Find the flows from and to addresses, given as such or as CIDR prefixes.
pub fn collect<S: AsRef<str>>(
    flows: impl Iterator<Item = Result<FlowBatch>>,
    hosts: &[S],
) -> Result<SearchResult> {
    let mut result = SearchResult {
        hosts: Hosts::parse(hosts)?,
        groups: Groups::default(),
        addresses: AddressCodes::default(),
        protocols: Interner::default(),
    };
    for batch in flows {
        result.add(&batch?)?;
    }
    Ok(result)
}

impl SearchResult {
    fn add(&mut self, batch: &FlowBatch) -> Result<()> {
        let rows = ["src_ip", "dst_ip"].map(|name| self.hosts.rows(batch, name));
        let [from, to] = rows;
        let rows = union(from?, to?);
        // Invalid measures are an error whether or not their flows match.
        batch.measures()?;
        if rows.is_empty() {
            return Ok(());
        }
        let found = if rows.len() < batch.rows() {
            batch.take(&rows)?
        } else {
            batch.clone()
        };
        let (source, dest) = (found.addresses("src_ip")?, found.addresses("dst_ip")?);
        let row_number = |i: usize| batch.first_row() + rows.value(i) as usize;
        let src_port = ports(&found, "src_port", row_number)?;
        let dst_port = ports(&found, "dst_port", row_number)?;
        let protocol = self.protocols.encode(&found.text("protocol")?);
        self.addresses.prepare(&[&source, &dest]);
        let coded = [&source, &dest].map(|column| self.addresses.encode(column));
        let key = |row| {
            let endpoints = Endpoints {
                src: coded[0].code(row),
                dst: coded[1].code(row),
                src_port: src_port[row],
                dst_port: dst_port[row],
            };
            (endpoints, protocol.id(row))
        };
        let measures = with_max(found.measures()?)?;
        self.groups.add_rows(found.rows(), key, &measures);
        Ok(())
    }

    /// The flows as a table, a row for each combination of addresses and ports, in order.
    pub fn into_table(self) -> Result<RecordBatch> {
        let (ranks, protocols) = (self.addresses.into_ranks(), self.protocols.into_sorted());
        let rank = |(endpoints, protocol): SearchKey| {
            let endpoints = Endpoints {
                src: ranks.rank(endpoints.src),
                dst: ranks.rank(endpoints.dst),
                ..endpoints
            };
            (endpoints, protocols.rank(protocol))
        };
        let Piece { keys, sums } = self.groups.into_sorted(rank);
        let rows = Rows::new(&keys);
        let sums = Sums::regroup(&[(&sums, &rows.of_keys)], rows.endpoints.len());
        let protocols = rows.protocols(&keys, &protocols)?;
        columns(&rows.endpoints, sums, &ranks, protocols)
    }
}

/// The sorted union of two lists of rows.
fn union(mut rows: Vec<u32>, others: Vec<u32>) -> UInt32Array {
    rows.extend(others);
    rows.par_sort_unstable();
    rows.dedup();
    rows.into()
}

/// Read a column of ports; `row_number` gives the row in messages.
fn ports(
    flows: &FlowBatch,
    name: &str,
    row_number: impl Fn(usize) -> usize,
) -> Result<Vec<NullsLast<u16>>> {
    let Some(array) = flows.column(name) else {
        return Ok(vec![None.into(); flows.rows()]);
    };
    let ports = int64(name, array).map_err(|error| error.at(&row_number))?;
    (0..flows.rows())
        .map(|row| Ok(port(name, &ports, row, row_number(row))?.into()))
        .collect()
}

/// Add the bytes and packets of each record in both directions.
fn with_max(measures: MeasureColumns) -> Result<MeasureColumns> {
    let [_, src_bytes, dst_bytes, src_packets, dst_packets] = &measures.sums;
    let max = [
        both_directions(src_bytes.as_ref(), dst_bytes.as_ref())?,
        both_directions(src_packets.as_ref(), dst_packets.as_ref())?,
    ];
    Ok(MeasureColumns { max, ..measures })
}

fn both_directions(
    src: Option<&Int64Array>,
    dst: Option<&Int64Array>,
) -> Result<Option<Int64Array>> {
    let (Some(src), Some(dst)) = (src, dst) else {
        return Ok(src.or(dst).cloned());
    };
    let sum = |(src, dst): (Option<i64>, Option<i64>)| match (src, dst) {
        (Some(src), Some(dst)) => match src.checked_add(dst) {
            None => Err(Error::Overflow("bytes or packets of a record")),
            sum => Ok(sum),
        },
        (one, other) => Ok(one.or(other)),
    };
    src.iter()
        .zip(dst)
        .map(sum)
        .collect::<Result<_>>()
        .map(Some)
}

/// The rows of the result.
struct Rows {
    endpoints: Vec<Endpoints>,
    /// Row of each key.
    of_keys: Vec<u32>,
}

impl Rows {
    fn new(keys: &[SearchKey]) -> Self {
        let mut endpoints: Vec<Endpoints> = Vec::new();
        let mut of_keys = Vec::with_capacity(keys.len());
        for (of_key, _) in keys {
            if endpoints.last() != Some(of_key) {
                endpoints.push(*of_key);
            }
            of_keys.push(endpoints.len() as u32 - 1);
        }
        Self { endpoints, of_keys }
    }

    /// The protocols of each row, which are already in order.
    fn protocols(&self, keys: &[SearchKey], protocols: &Sorted) -> Result<StringArray> {
        texts(self.endpoints.len(), |row, bytes| {
            let first = self
                .of_keys
                .partition_point(|of_key| (*of_key as usize) < row);
            let start = bytes.len();
            let of_row = keys[first..]
                .iter()
                .take_while(|(endpoints, _)| *endpoints == self.endpoints[row]);
            let names = of_row.filter_map(|(_, protocol)| protocols.value(*protocol));
            for name in names.filter(|name| !name.is_empty()) {
                if bytes.len() > start {
                    bytes.push(b',');
                }
                bytes.extend_from_slice(name.as_bytes());
            }
            true
        })
    }
}

/// Denied flows, the first of the sums.
const DENIED: Measure = Measure::Sum(0);

fn columns(
    endpoints: &[Endpoints],
    sums: Sums,
    ranks: &AddressRanks,
    protocols: StringArray,
) -> Result<RecordBatch> {
    let rows = endpoints.len();
    let port = |name, end: fn(&Endpoints) -> NullsLast<u16>| {
        let ports = endpoints.iter().map(|endpoints| end(endpoints).get());
        named(name, Arc::new(ports.collect::<UInt16Array>()))
    };
    let max = |name, index: usize| {
        let max = (0..rows).map(|row| sums.max(row)[index]);
        named(name, Arc::new(max.collect::<Int64Array>()))
    };
    sums.check()?;
    let mean = |name, measure| -> Result<NamedColumn> {
        let mean = |row| {
            let allowed = sums.flows(row).unwrap_or_default();
            let denied = sums.get(row, DENIED)?;
            Ok(mean(sums.get(row, measure)?, allowed, denied))
        };
        let means = (0..rows).map(mean).collect::<Result<Float64Array>>()?;
        Ok(named(name, Arc::new(means)))
    };
    let per_record: [NamedColumn; 4] = [
        max("max_packets", 1),
        mean("mean_packets", Measure::Packets)?,
        max("max_bytes", 0),
        mean("mean_bytes", Measure::Bytes)?,
    ];
    let texts = ranks.texts()?;
    let [
        connections,
        denied,
        src_bytes,
        dst_bytes,
        src_packets,
        dst_packets,
        first,
        last,
    ] = <[NamedColumn; 8]>::try_from(sums.into_columns("connections")?)
        .unwrap_or_else(|_| unreachable!("there are eight measures"));
    let mut out = vec![
        first,
        last,
        named(
            "src_ip",
            Arc::new(texts.column(rows, |row| endpoints[row].src)?),
        ),
        named(
            "dst_ip",
            Arc::new(texts.column(rows, |row| endpoints[row].dst)?),
        ),
        port("src_port", |endpoints| endpoints.src_port),
        port("dst_port", |endpoints| endpoints.dst_port),
        connections,
    ];
    out.extend(per_record);
    out.extend([src_bytes, dst_bytes, src_packets, dst_packets]);
    out.push(named("denied_connections", denied.1));
    out.push(named("protocols", Arc::new(protocols) as ArrayRef));
    batch(out)
}
