//! Quality of flows, measured in one pass and bounded memory.

mod distinct;
mod gaps;
mod sample;

use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::array::Array;

use crate::columns::parallel::by_row;
use crate::columns::text::Text;
use crate::direction::rules::{Direction, DirectionRules};
use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::flow::schema::CANONICAL;
use crate::flow::view::{FlowView, Integers};
use crate::quality::distinct::Distinct;
use crate::quality::gaps::ActiveSpans;
use crate::quality::sample::Sample;
use crate::records::compare::Observation;

/// Duration beyond which a record is long.
const YEAR: i64 = 365 * 86_400 * 1_000_000;

/// Findings over all rows. Counts are exact unless listed in `estimated`.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Number of rows.
    pub rows: u64,
    /// Number of null values, by column of the canonical schema.
    pub nulls: Vec<(String, u64)>,
    /// First start of a flow, in microseconds since 1970.
    pub first: Option<i64>,
    /// Last start or end.
    pub last: Option<i64>,
    /// Maximum duration of a record, in microseconds.
    pub max_record_duration: Option<i64>,
    /// Records that last more than a year.
    pub long_records: u64,
    /// Number of coverage gaps.
    pub gaps: u64,
    /// Start and end of the longest gap.
    pub longest_gap: Option<(i64, i64)>,
    /// Starts far from all others.
    pub time_outliers: u64,
    /// Rows that repeat an earlier one.
    pub repeats: u64,
    /// Number of exporters.
    pub exporters: u64,
    /// Duplicate observations: rows about flows that another exporter reported too.
    pub duplicates: u64,
    /// Superseded records of flows.
    pub superseded: u64,
    /// Rows with packets or bytes in one direction only.
    pub unidirectional: u64,
    /// Rows with bytes, except those of ICMP, whose answers have the size of their requests.
    pub counted: u64,
    /// Of these, rows with the same bytes and packets in both directions.
    pub equal_sides: u64,
    /// TCP rows in which only the responder sent packets.
    pub uncounted_initiators: u64,
    /// Rows in which an endpoint sent packets of 0 bytes.
    pub packets_without_bytes: u64,
    /// Rows in which an endpoint sent bytes in 0 packets.
    pub bytes_without_packets: u64,
    /// Rows whose logged direction contradicts their addresses.
    pub direction_conflicts: u64,
    /// Rows with a 32-bit counter that overflowed.
    pub counter_overflows: u64,
    /// Names of the counts that were estimated from a sample to bound memory.
    pub estimated: Vec<&'static str>,
}

/// Measures the quality of flows, batch by batch.
pub struct Quality {
    rules: DirectionRules,
    found: Findings,
    nulls: Vec<u64>,
    active: ActiveSpans,
    rows: Distinct,
    hosts: Distinct,
    records: Option<Sample>,
}

impl Quality {
    /// No rows yet; `compare` enables the comparison of the records of each flow.
    pub fn new(rules: DirectionRules, compare: bool) -> Self {
        Self {
            rules,
            found: Findings::default(),
            nulls: vec![0; CANONICAL.fields().len()],
            active: ActiveSpans::default(),
            rows: Distinct::default(),
            hosts: Distinct::default(),
            records: compare.then(Sample::default),
        }
    }

    /// Add a batch.
    pub fn add(&mut self, batch: &FlowBatch) -> Result<()> {
        let columns = RowColumns::read(batch)?;
        for (nulls, field) in self.nulls.iter_mut().zip(CANONICAL.fields()) {
            let column = batch.column(field.name());
            *nulls += column.map_or(batch.rows(), Array::logical_null_count) as u64;
        }
        self.add_times(&columns.flows);
        for hash in by_row(batch.rows(), |row| columns.hash(row)) {
            self.rows.add(hash);
        }
        for hash in columns
            .host
            .map(|host| host.map(hash_of))
            .into_iter()
            .flatten()
        {
            self.hosts.add(hash);
        }
        if let Some(records) = &mut self.records {
            let first = self.found.rows;
            let observations = by_row(batch.rows(), |row| columns.observation(row, first));
            let observations = observations.into_iter().flatten();
            observations.for_each(|observation| records.add(observation));
        }
        let reported = columns.reported.map(|text| text.and_then(Direction::parse));
        for (row, reported) in reported.into_iter().enumerate() {
            self.found.unidirectional += u64::from(columns.sent(0, row) != columns.sent(1, row));
            let counted = columns.is_counted(row);
            self.found.counted += u64::from(counted);
            self.found.equal_sides += u64::from(counted && columns.has_equal_sides(row));
            self.found.uncounted_initiators += u64::from(columns.misses_initiator(row));
            let [packets, bytes] = columns.uncounted(row);
            self.found.packets_without_bytes += u64::from(packets);
            self.found.bytes_without_packets += u64::from(bytes);
            self.found.counter_overflows +=
                u64::from((0..2).any(|side| columns.overflowed(side, row)));
            let conflicts = reported
                .is_some_and(|logged| self.rules.contradict(columns.flows.ips(row), logged));
            self.found.direction_conflicts += u64::from(conflicts);
        }
        self.found.rows += batch.rows() as u64;
        Ok(())
    }

    fn add_times(&mut self, flows: &FlowView) {
        let starts: Vec<i64> = flows.starts.valid().collect();
        let first = starts.iter().min().copied();
        self.found.first = self.found.first.into_iter().chain(first).min();
        let last = starts.iter().copied().chain(flows.ends.valid()).max();
        self.found.last = self.found.last.max(last);
        let (starts_by_row, ends) = (&flows.starts, &flows.ends);
        let duration = |row| Some(ends.get(row)?.saturating_sub(starts_by_row.get(row)?));
        let durations: Vec<i64> = (0..flows.rows()).filter_map(duration).collect();
        let longest = durations
            .iter()
            .copied()
            .filter(|duration| *duration >= 0)
            .max();
        let long = durations.iter().filter(|duration| **duration > YEAR);
        self.found.long_records += long.count() as u64;
        self.found.max_record_duration = self.found.max_record_duration.max(longest);
        self.active.add(starts);
    }

    /// Return the findings.
    pub fn finish(mut self) -> Findings {
        let names = CANONICAL.fields().iter().map(|field| field.name().clone());
        self.found.nulls = names.zip(self.nulls).collect();
        let duration = self.found.max_record_duration.unwrap_or_default();
        (self.found.gaps, self.found.longest_gap) = self.active.gaps(duration);
        self.found.time_outliers = self.active.outliers();
        self.found.repeats = self.rows.repeats();
        if self.rows.is_sampled() {
            self.found.estimated.push("repeats");
        }
        self.found.exporters = self.hosts.count();
        if let Some(records) = self.records {
            let several = self.found.exporters > 1;
            if records.is_sampled() {
                self.found.estimated.push("superseded");
                self.found.estimated.extend(several.then_some("duplicates"));
            }
            (self.found.duplicates, self.found.superseded) = records.count(several);
        }
        self.found
    }
}

fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The columns by which rows are compared.
struct RowColumns {
    flows: FlowView,
    protocol: Text,
    reported: Text,
    state: Text,
    host: Text,
}

impl RowColumns {
    fn read(batch: &FlowBatch) -> Result<Self> {
        Ok(Self {
            flows: FlowView::read(batch)?,
            protocol: batch.text("protocol")?,
            reported: batch.text("reported_direction")?,
            state: batch.text("state")?,
            host: batch.text("host")?,
        })
    }

    /// Hash of everything that makes a row the same as another.
    fn hash(&self, row: usize) -> u64 {
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
    fn observation(&self, row: usize, first: u64) -> Option<(u64, Observation)> {
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
