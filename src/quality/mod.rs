//! How far flows can be trusted, as their own rows tell, in memory that does not grow with them.

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
use crate::quality::gaps::Busy;
use crate::quality::sample::Sample;
use crate::records::compare::Observation;

/// What was found in all rows. Counts are exact unless `about` is set.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Number of rows.
    pub rows: u64,
    /// Rows without a value, by column of the canonical schema.
    pub nulls: Vec<(String, u64)>,
    /// First start of a flow, in microseconds.
    pub first: Option<i64>,
    /// Last start or end.
    pub last: Option<i64>,
    /// The longest time that one record sums up.
    pub longest_record: Option<i64>,
    /// Stretches without the start of a flow.
    pub gaps: u64,
    /// The longest of them.
    pub longest_gap: Option<(i64, i64)>,
    /// Rows that are the same as an earlier one.
    pub repeats: u64,
    /// Machines that reported flows.
    pub reporters: u64,
    /// Rows about flows that another machine reported too.
    pub reported_again: u64,
    /// Rows that tell an earlier state of a flow.
    pub earlier_states: u64,
    /// Rows with packets or bytes in one direction only.
    pub one_way: u64,
    /// Rows whose reported direction is against what their addresses tell.
    pub contradictions: u64,
    /// Rows whose counters have 32 bits and ran full.
    pub rollovers: u64,
    /// Counts that were estimated from a sample, since there were too many rows.
    pub about: Vec<&'static str>,
}

/// Looks at flows, a batch at a time.
pub struct Quality {
    rules: DirectionRules,
    found: Findings,
    nulls: Vec<u64>,
    busy: Busy,
    rows: Distinct,
    hosts: Distinct,
    records: Option<Sample>,
}

impl Quality {
    /// A look at nothing yet; `compare` tells whether records of one flow are sought, too.
    pub fn new(rules: DirectionRules, compare: bool) -> Self {
        Self {
            rules,
            found: Findings::default(),
            nulls: vec![0; CANONICAL.fields().len()],
            busy: Busy::default(),
            rows: Distinct::default(),
            hosts: Distinct::default(),
            records: compare.then(Sample::default),
        }
    }

    /// Looks at a batch.
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
            self.found.one_way += u64::from(columns.sent(0, row) != columns.sent(1, row));
            self.found.rollovers += u64::from((0..2).any(|side| columns.overflowed(side, row)));
            let against =
                reported.is_some_and(|told| self.rules.contradict(columns.flows.ips(row), told));
            self.found.contradictions += u64::from(against);
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
        let longest = (0..flows.rows()).filter_map(duration).max();
        self.found.longest_record = self.found.longest_record.max(longest);
        self.busy.add(starts);
    }

    /// What was found.
    pub fn finish(mut self) -> Findings {
        let names = CANONICAL.fields().iter().map(|field| field.name().clone());
        self.found.nulls = names.zip(self.nulls).collect();
        let record = self.found.longest_record.unwrap_or_default();
        (self.found.gaps, self.found.longest_gap) = self.busy.gaps(record);
        self.found.repeats = self.rows.again();
        if self.rows.is_sampled() {
            self.found.about.push("repeats");
        }
        self.found.reporters = self.hosts.count();
        if let Some(records) = self.records {
            let several = self.found.reporters > 1;
            if records.is_sampled() {
                self.found.about.push("earlier_states");
                self.found.about.extend(several.then_some("reported_again"));
            }
            (self.found.reported_again, self.found.earlier_states) = records.count(several);
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

    /// A row with its flow, as it is compared with others.
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
