//! Typed columns of flows.

use arrow::array::{ArrowPrimitiveType, PrimitiveArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};

use crate::columns::nulls::get;
use crate::columns::text::Text;
use crate::error::Result;
use crate::flow::batch::{FlowBatch, MeasureColumns};
use crate::flow::initiator::Evidence;
use crate::flow::tcp_flags;
use crate::ip::Ip;
use crate::ip::column::Addresses;

/// A column that may be absent; then all its values are null.
#[derive(Debug)]
pub struct OptionalColumn<T: ArrowPrimitiveType>(Option<PrimitiveArray<T>>);

/// Integers.
pub type Integers = OptionalColumn<Int64Type>;

/// Microseconds since 1970 UTC.
pub type Times = OptionalColumn<TimestampMicrosecondType>;

impl<T: ArrowPrimitiveType> OptionalColumn<T> {
    /// The value of a row.
    #[inline]
    pub fn get(&self, row: usize) -> Option<T::Native> {
        self.0.as_ref().and_then(|values| get(values, row))
    }

    /// The values that are not null.
    pub fn valid(&self) -> impl Iterator<Item = T::Native> {
        self.0.iter().flatten().flatten()
    }
}

impl Integers {
    /// Read a column by either of its names.
    pub fn read(batch: &FlowBatch, name: &str) -> Result<Self> {
        Ok(Self(batch.integers(name)?))
    }

    /// The value of a row; 0 for null.
    #[inline]
    pub fn count(&self, row: usize) -> i64 {
        self.get(row).unwrap_or_default()
    }

    /// The value of a row, if it is a port.
    #[inline]
    pub fn port(&self, row: usize) -> Option<u16> {
        u16::try_from(self.get(row)?).ok()
    }
}

impl Times {
    /// Read the start times.
    pub fn starts(batch: &FlowBatch) -> Result<Self> {
        Ok(Self(batch.start_times()?))
    }
}

/// Endpoints, times and counters of flows; in pairs, that of the source comes first.
#[derive(Debug)]
pub struct FlowView {
    /// Addresses.
    pub ips: [Addresses; 2],
    /// Ports.
    pub ports: [Integers; 2],
    /// Start times.
    pub starts: Times,
    /// End times.
    pub ends: Times,
    /// Bytes sent by each endpoint.
    pub bytes: [Integers; 2],
    /// Packets sent by each endpoint.
    pub packets: [Integers; 2],
    /// Allowed flows.
    pub flows: Integers,
    /// Denied flows.
    pub denied: Integers,
}

impl FlowView {
    /// Read the columns of a batch.
    pub fn read(batch: &FlowBatch) -> Result<Self> {
        let measures = batch.measures()?;
        let MeasureColumns { flows, sums, .. } = measures;
        let [denied, src_bytes, dst_bytes, src_packets, dst_packets] = sums.map(OptionalColumn);
        Ok(Self {
            ips: [batch.addresses("src_ip")?, batch.addresses("dst_ip")?],
            ports: ports(batch)?,
            starts: OptionalColumn(measures.first),
            ends: OptionalColumn(measures.last),
            bytes: [src_bytes, dst_bytes],
            packets: [src_packets, dst_packets],
            flows: OptionalColumn(Some(flows)),
            denied,
        })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.ips[0].rows()
    }

    /// Addresses of a row.
    #[inline]
    pub fn ips(&self, row: usize) -> [Option<Ip>; 2] {
        self.ips.each_ref().map(|ips| ips.get(row).get())
    }

    /// Start and end of a flow; without an end later than its start, it ends there.
    #[inline]
    pub fn span(&self, row: usize) -> Option<(i64, i64)> {
        let start = self.starts.get(row)?;
        Some((start, self.ends.get(row).unwrap_or(start).max(start)))
    }

    /// Bytes sent in both directions.
    #[inline]
    pub fn total_bytes(&self, row: usize) -> i64 {
        let [sent, received] = self.bytes.each_ref().map(|bytes| bytes.count(row));
        sent.saturating_add(received)
    }
}

/// Ports, TCP flags and counters: the evidence of who initiated a flow.
#[derive(Debug)]
pub struct EvidenceColumns {
    ports: [Integers; 2],
    flags: Text,
    packets: Integers,
    bytes: Integers,
}

impl EvidenceColumns {
    /// Read the columns of a batch.
    pub fn read(batch: &FlowBatch) -> Result<Self> {
        Ok(Self {
            ports: ports(batch)?,
            flags: batch.text("tcp_flags")?,
            packets: Integers::read(batch, "src_packets")?,
            bytes: Integers::read(batch, "src_bytes")?,
        })
    }

    /// The evidence of a row.
    #[inline]
    pub fn get(&self, row: usize) -> Evidence {
        let [src_port, dst_port] = self.ports.each_ref().map(|ports| ports.port(row));
        let flags = self.flags.get(row);
        let flags = flags.and_then(|text| tcp_flags::parse(text, 10));
        Evidence {
            src_port,
            dst_port,
            flags,
            several_packets: flags.is_some() && self.has_several_packets(row),
        }
    }

    /// Whether a record has more than one packet: by their number, or else by its bytes, which
    /// are at least 40 for each TCP packet.
    fn has_several_packets(&self, row: usize) -> bool {
        match self.packets.get(row) {
            Some(packets) => packets > 1,
            None => self.bytes.get(row) >= Some(80),
        }
    }
}

fn ports(batch: &FlowBatch) -> Result<[Integers; 2]> {
    Ok([
        Integers::read(batch, "src_port")?,
        Integers::read(batch, "dst_port")?,
    ])
}
