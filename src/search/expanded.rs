//! All flows of one address, by the four of its ends and ports.

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
use crate::group_by::address_codes::{AddressCodes, AddressRanks, place};
use crate::group_by::groups::{Groups, Piece};
use crate::group_by::key::GroupKey;
use crate::group_by::order::{FIELDS, Rank};
use crate::group_by::sums::{Measure, Sums};
use crate::ip::Ip;
use crate::search::{mean, port, sought};

/// What rows of the result are told apart by, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Ends {
    src: u64,
    dst: u64,
    src_port: NullsLast<u16>,
    dst_port: NullsLast<u16>,
}

/// Groups are told apart by the protocol, too, until the order of protocols is known.
type SearchKey = (Ends, NullsLast<u32>);

impl Rank for SearchKey {
    fn fields(&self) -> [u64; FIELDS] {
        let (ends, protocol) = self;
        let port = |port: NullsLast<u16>| port.get().map_or(1 << 16, u64::from);
        [
            ends.src,
            ends.dst,
            port(ends.src_port),
            port(ends.dst_port),
            protocol.get().map_or(1 << 32, u64::from),
        ]
    }
}

impl GroupKey for SearchKey {
    fn place(&self) -> u64 {
        place(self.0.src, self.0.dst)
    }
}

/// The flows of an address that were found so far.
#[derive(Debug)]
pub struct Found {
    ip: Ip,
    groups: Groups<SearchKey>,
    book: AddressCodes,
    protocols: Interner,
}

/// Finds the flows that have an address at either end.
pub fn collect(flows: impl Iterator<Item = Result<FlowBatch>>, ip: &str) -> Result<Found> {
    let mut found = Found {
        ip: sought(ip)?,
        groups: Groups::default(),
        book: AddressCodes::default(),
        protocols: Interner::default(),
    };
    for batch in flows {
        found.add(&batch?)?;
    }
    Ok(found)
}

impl Found {
    fn add(&mut self, batch: &FlowBatch) -> Result<()> {
        let ends = ["src_ip", "dst_ip"].map(|name| batch.rows_of(name, self.ip));
        let [at_source, at_dest] = ends;
        let rows = united(at_source?, at_dest?);
        // What cannot be used is told whether it is sought or not.
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
        let told = |i: usize| batch.first_row() + rows.value(i) as usize;
        let src_port = ports(&found, "src_port", told)?;
        let dst_port = ports(&found, "dst_port", told)?;
        let protocol = self.protocols.encode(&found.text("protocol")?);
        self.book.prepare(&[&source, &dest]);
        let book = &self.book;
        let key = |row| {
            let ends = Ends {
                src: book.code(&source, row),
                dst: book.code(&dest, row),
                src_port: src_port[row],
                dst_port: dst_port[row],
            };
            (ends, protocol.id(row))
        };
        let measures = with_most(found.measures()?)?;
        self.groups.add_rows(found.rows(), key, &measures);
        Ok(())
    }

    /// The flows as a table, a row for each pair of ends and ports, in their order.
    pub fn into_table(self) -> Result<RecordBatch> {
        let (ranks, protocols) = (self.book.into_ranks(), self.protocols.into_sorted());
        let rank = |(ends, protocol): SearchKey| {
            let ends = Ends {
                src: ranks.rank(ends.src),
                dst: ranks.rank(ends.dst),
                ..ends
            };
            (ends, protocols.rank(protocol))
        };
        let Piece { keys, sums } = self.groups.into_sorted(rank);
        let rows = Rows::new(&keys);
        let sums = Sums::regroup(&[(&sums, &rows.of_keys)], rows.ends.len());
        let protocols = rows.protocols(&keys, &protocols)?;
        columns(&rows.ends, sums, &ranks, protocols)
    }
}

/// The rows of both lists, in order.
fn united(mut rows: Vec<u32>, others: Vec<u32>) -> UInt32Array {
    rows.extend(others);
    rows.par_sort_unstable();
    rows.dedup();
    rows.into()
}

/// A column of ports; `told` numbers rows in messages.
fn ports(
    flows: &FlowBatch,
    name: &str,
    told: impl Fn(usize) -> usize,
) -> Result<Vec<NullsLast<u16>>> {
    let Some(array) = flows.column(name) else {
        return Ok(vec![None.into(); flows.rows()]);
    };
    let ports = int64(name, array)?;
    (0..flows.rows())
        .map(|row| Ok(port(name, &ports, row, told(row))?.into()))
        .collect()
}

/// Measures with the bytes and packets of each record, both ways.
fn with_most(measures: MeasureColumns) -> Result<MeasureColumns> {
    let [_, src_bytes, dst_bytes, src_packets, dst_packets] = &measures.sums;
    let most = [
        both_ways(src_bytes.as_ref(), dst_bytes.as_ref())?,
        both_ways(src_packets.as_ref(), dst_packets.as_ref())?,
    ];
    Ok(MeasureColumns { most, ..measures })
}

fn both_ways(src: Option<&Int64Array>, dst: Option<&Int64Array>) -> Result<Option<Int64Array>> {
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
    ends: Vec<Ends>,
    /// For each key its row.
    of_keys: Vec<u32>,
}

impl Rows {
    fn new(keys: &[SearchKey]) -> Self {
        let mut ends: Vec<Ends> = Vec::new();
        let mut of_keys = Vec::with_capacity(keys.len());
        for (of_key, _) in keys {
            if ends.last() != Some(of_key) {
                ends.push(*of_key);
            }
            of_keys.push(ends.len() as u32 - 1);
        }
        Self { ends, of_keys }
    }

    /// For each row its protocols, which are in order already.
    fn protocols(&self, keys: &[SearchKey], protocols: &Sorted) -> Result<StringArray> {
        texts(self.ends.len(), |row, bytes| {
            let first = self
                .of_keys
                .partition_point(|of_key| (*of_key as usize) < row);
            let start = bytes.len();
            let of_row = keys[first..]
                .iter()
                .take_while(|(ends, _)| *ends == self.ends[row]);
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

fn columns(
    ends: &[Ends],
    sums: Sums,
    ranks: &AddressRanks,
    protocols: StringArray,
) -> Result<RecordBatch> {
    let rows = ends.len();
    let port = |name, end: fn(&Ends) -> NullsLast<u16>| {
        let ports = ends.iter().map(|ends| end(ends).get());
        named(name, Arc::new(ports.collect::<UInt16Array>()))
    };
    let most = |name, place: usize| {
        let most = (0..rows).map(|row| sums.most(row)[place]);
        named(name, Arc::new(most.collect::<Int64Array>()))
    };
    let mean = |name, measure| {
        let connections = |row| sums.get(row, Measure::Flows).unwrap_or_default();
        let means = (0..rows).map(|row| mean(sums.get(row, measure), connections(row)));
        named(name, Arc::new(means.collect::<Float64Array>()))
    };
    let per_record: [NamedColumn; 4] = [
        most("max_packets", 1),
        mean("mean_packets", Measure::Packets),
        most("max_bytes", 0),
        mean("mean_bytes", Measure::Bytes),
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
        .unwrap_or_else(|_| unreachable!("sums have eight columns"));
    let mut out = vec![
        first,
        last,
        named("src_ip", Arc::new(texts.column(rows, |row| ends[row].src)?)),
        named("dst_ip", Arc::new(texts.column(rows, |row| ends[row].dst)?)),
        port("src_port", |ends| ends.src_port),
        port("dst_port", |ends| ends.dst_port),
        connections,
    ];
    out.extend(per_record);
    out.extend([src_bytes, dst_bytes, src_packets, dst_packets]);
    out.push(named("denied_connections", denied.1));
    out.push(named("protocols", Arc::new(protocols) as ArrayRef));
    batch(out)
}
