//! Flow records in a form in which they can be compared with each other.

pub mod compare;
pub mod reporters;
pub mod states;
pub mod stitch;

use std::collections::HashMap;

use arrow::array::{Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::concat_batches;

use crate::columns::cast::int64;
use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::flow::initiator::Evidence;
use crate::flow::schema::CANONICAL;
use crate::flow::tcp_flags;
use crate::ip::Ip;
use crate::ip::column::Addresses;

/// Two ends of a flow and what they spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FiveTuple {
    source: Ip,
    dest: Ip,
    src_port: Option<u16>,
    dst_port: Option<u16>,
    protocol: u32,
}

impl FiveTuple {
    /// The tuple of an answer.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self {
            source: self.dest,
            dest: self.source,
            src_port: self.dst_port,
            dst_port: self.src_port,
            protocol: self.protocol,
        }
    }
}

/// All records of a stream of flows.
pub struct Records {
    /// The flows as they came.
    pub batch: RecordBatch,
    source: Addresses,
    dest: Addresses,
    src_port: Option<Int64Array>,
    dst_port: Option<Int64Array>,
    protocol: Vec<u32>,
    flags: Vec<Option<u8>>,
    /// Number of the machine that saw the record.
    pub host: Vec<u32>,
    starts: Option<TimestampMicrosecondArray>,
    ends: Option<TimestampMicrosecondArray>,
}

impl Records {
    /// Collects a stream.
    pub fn collect(flows: impl Iterator<Item = Result<FlowBatch>>) -> Result<Self> {
        let batches = flows
            .map(|batch| Ok(batch?.record_batch().clone()))
            .collect::<Result<Vec<_>>>()?;
        let schema = batches
            .first()
            .map_or_else(|| CANONICAL.clone(), RecordBatch::schema);
        let batch = concat_batches(&schema, &batches)?;
        let flows = FlowBatch::new(batch.clone(), 0)?;
        let number = |name: &str| {
            let column = flows.column(name);
            column.map(|array| int64(name, array)).transpose()
        };
        Ok(Self {
            source: flows.addresses("src_ip")?,
            dest: flows.addresses("dst_ip")?,
            src_port: number("src_port")?,
            dst_port: number("dst_port")?,
            protocol: numbered(&flows, "protocol")?,
            flags: flows
                .text("tcp_flags")?
                .map(|text| text.and_then(|text| tcp_flags::parse(text, 10))),
            host: numbered(&flows, "host")?,
            starts: flows.start_times()?,
            ends: flows.measures()?.last,
            batch,
        })
    }

    /// Number of records.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// The ends of a record, if both addresses are known.
    pub fn tuple(&self, row: usize) -> Option<FiveTuple> {
        Some(FiveTuple {
            source: self.source.get(row).get()?,
            dest: self.dest.get(row).get()?,
            src_port: port(self.src_port.as_ref(), row),
            dst_port: port(self.dst_port.as_ref(), row),
            protocol: self.protocol[row],
        })
    }

    /// What ports and flags of a record tell.
    pub fn evidence(&self, row: usize) -> Evidence {
        Evidence {
            src_port: port(self.src_port.as_ref(), row),
            dst_port: port(self.dst_port.as_ref(), row),
            flags: self.flags[row],
        }
    }

    /// Start and end of a record; one that does not tell its end ends when it starts.
    pub fn span(&self, row: usize) -> Option<(i64, i64)> {
        let time = |times: &Option<TimestampMicrosecondArray>| {
            let times = times.as_ref().filter(|times| times.is_valid(row))?;
            Some(times.value(row))
        };
        let start = time(&self.starts)?;
        Some((start, time(&self.ends).unwrap_or(start).max(start)))
    }

    /// A column of counts.
    pub fn counts(&self, name: &str) -> Result<Option<Int64Array>> {
        let column = crate::columns::batch::find(&self.batch, name);
        column.map(|array| int64(name, array)).transpose()
    }
}

/// A port of a row.
fn port(ports: Option<&Int64Array>, row: usize) -> Option<u16> {
    let ports = ports.filter(|ports| ports.is_valid(row))?;
    u16::try_from(ports.value(row)).ok()
}

/// Numbers that stand for the texts of a column.
fn numbered(flows: &FlowBatch, name: &str) -> Result<Vec<u32>> {
    let text = flows.text(name)?;
    let mut numbers: HashMap<Option<&str>, u32> = HashMap::new();
    let rows = 0..flows.rows();
    Ok(rows
        .map(|row| {
            let next = numbers.len() as u32;
            *numbers.entry(text.get(row)).or_insert(next)
        })
        .collect())
}
