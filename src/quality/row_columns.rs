//! The columns of flows that show their quality.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;

use crate::columns::text::Text;
use crate::direction::rules::{Direction, DirectionRules};
use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::flow::view::{FlowView, Integers};
use crate::quality::findings::Findings;
use crate::records::compare::Observation;

/// Duration beyond which a record is long.
const YEAR: i64 = 365 * 86_400 * 1_000_000;

/// Hash that is the same in every process, so that estimates from a sample are.
fn hash_of(value: impl Hash) -> u64 {
    FixedState::with_seed(0).hash_one(value)
}

/// The columns by which rows are compared.
pub struct RowColumns {
    flows: FlowView,
    protocol: Text,
    reported: Text,
    state: Text,
    host: Text,
}

impl RowColumns {
    /// Read the columns of a batch.
    pub fn read(batch: &FlowBatch) -> Result<Self> {
        Ok(Self {
            flows: FlowView::read(batch)?,
            protocol: batch.text("protocol")?,
            reported: batch.text("reported_direction")?,
            state: batch.text("state")?,
            host: batch.text("host")?,
        })
    }

    /// The exporters.
    pub fn host(&self) -> &Text {
        &self.host
    }

    /// The start times.
    pub fn starts(&self) -> Vec<i64> {
        self.flows.starts.valid().collect()
    }

    /// Count what a row shows by itself.
    pub fn count(&self, row: usize, rules: &DirectionRules, found: &mut Findings) {
        self.count_times(row, found);
        found.flows += i128::from(self.flows.flows.count(row));
        found.denied_flows += i128::from(self.flows.denied.count(row));
        let reported = self.reported.get(row).and_then(Direction::parse);
        found.unidirectional += u64::from(self.sent(0, row) != self.sent(1, row));
        let counted = self.is_counted(row);
        found.counted += u64::from(counted);
        found.equal_sides += u64::from(counted && self.has_equal_sides(row));
        found.uncounted_initiators += u64::from(self.misses_initiator(row));
        let [packets, bytes] = self.uncounted(row);
        found.packets_without_bytes += u64::from(packets);
        found.bytes_without_packets += u64::from(bytes);
        found.counter_overflows += u64::from((0..2).any(|side| self.overflowed(side, row)));
        let conflicts =
            reported.is_some_and(|logged| rules.contradict(self.flows.ips(row), logged));
        found.direction_conflicts += u64::from(conflicts);
    }

    fn count_times(&self, row: usize, found: &mut Findings) {
        let (start, end) = (self.flows.starts.get(row), self.flows.ends.get(row));
        found.first = found.first.into_iter().chain(start).min();
        found.last = found.last.max(start).max(end);
        let Some(duration) = start.zip(end).map(|(start, end)| end.saturating_sub(start)) else {
            return;
        };
        found.long_records += u64::from(duration > YEAR);
        if duration >= 0 {
            found.max_record_duration = found.max_record_duration.max(Some(duration));
        }
    }

    /// Hash of everything that makes a row the same as another.
    pub fn hash(&self, row: usize) -> u64 {
        let flows = &self.flows;
        let both = |counts: &[Integers; 2]| counts.each_ref().map(|counts| counts.get(row));
        let ([src_bytes, dst_bytes], [src_packets, dst_packets]) =
            (both(&flows.bytes), both(&flows.packets));
        hash_of((
            flows.starts.get(row),
            flows.ends.get(row),
            self.tuple(row),
            (src_bytes, dst_bytes, src_packets, dst_packets),
            (flows.flows.get(row), flows.denied.get(row)),
            self.state.get(row),
            self.host.get(row),
        ))
    }

    /// Hash of the 5-tuple of a row.
    fn tuple(&self, row: usize) -> u64 {
        let [source, dest] = self.flows.ips(row);
        let [src_port, dst_port] = self.flows.ports.each_ref().map(|ports| ports.get(row));
        hash_of((source, dest, src_port, dst_port, self.protocol.get(row)))
    }

    /// An observation of a flow, with the hash of the flow.
    pub fn observation(&self, row: usize, first: u64) -> Option<(u64, Observation)> {
        let [Some(_), Some(_)] = self.flows.ips(row) else {
            return None;
        };
        let (start, end) = self.flows.span(row)?;
        let denied = self.flows.denied.count(row) > 0;
        let observation = Observation {
            host: self.host.get(row).map_or(0, hash_of),
            start,
            end,
            bytes: self.flows.total_bytes(row),
            row: first + row as u64,
        };
        Some((hash_of((self.tuple(row), denied)), observation))
    }

    /// Whether an endpoint sent anything.
    fn sent(&self, side: usize, row: usize) -> bool {
        let FlowView { bytes, packets, .. } = &self.flows;
        bytes[side].count(row) > 0 || packets[side].count(row) > 0
    }

    /// Whether a flow has bytes, and its answer may have another size than its request.
    fn is_counted(&self, row: usize) -> bool {
        let bytes = self.flows.bytes.each_ref();
        let is_icmp = || matches!(self.protocol.get(row), Some("icmp" | "ipv6-icmp"));
        bytes.iter().any(|bytes| bytes.count(row) > 0) && !is_icmp()
    }

    /// Whether both endpoints sent the same bytes and packets.
    fn has_equal_sides(&self, row: usize) -> bool {
        let FlowView { bytes, packets, .. } = &self.flows;
        bytes[0].get(row) == bytes[1].get(row) && packets[0].get(row) == packets[1].get(row)
    }

    /// Whether the source of a TCP flow sent nothing although it was answered, which cannot be.
    fn misses_initiator(&self, row: usize) -> bool {
        let FlowView { bytes, packets, .. } = &self.flows;
        let counted = packets[0].get(row).or_else(|| bytes[0].get(row));
        counted == Some(0) && self.sent(1, row) && self.protocol.get(row) == Some("tcp")
    }

    /// Whether an endpoint sent packets of 0 bytes, and whether one sent bytes in 0 packets.
    fn uncounted(&self, row: usize) -> [bool; 2] {
        let FlowView { bytes, packets, .. } = &self.flows;
        let without = |some: &[Integers; 2], zero: &[Integers; 2]| {
            (0..2).any(|side| some[side].count(row) > 0 && zero[side].get(row) == Some(0))
        };
        [without(packets, bytes), without(bytes, packets)]
    }

    /// Whether a 32-bit counter of an endpoint is at its maximum or wrapped around: then its
    /// packets have fewer bytes than their headers, and a possible number with 2^32 more.
    fn overflowed(&self, side: usize, row: usize) -> bool {
        const MAX: i64 = u32::MAX as i64;
        const MIN_PACKET: i64 = 20;
        const MAX_PACKET: i64 = 65_535;
        let FlowView { bytes, packets, .. } = &self.flows;
        let (bytes, packets) = (bytes[side].get(row), packets[side].get(row));
        if bytes == Some(MAX) || packets == Some(MAX) {
            return true;
        }
        let (Some(bytes), Some(packets)) = (bytes, packets) else {
            return false;
        };
        bytes < packets.saturating_mul(MIN_PACKET)
            && bytes.saturating_add(MAX) < packets.saturating_mul(MAX_PACKET)
    }
}
