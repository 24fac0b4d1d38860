//! Quality of flows, measured in one pass and bounded memory.

mod gaps;
mod repeats;
mod row_columns;
mod sample;

use arrow::array::Array;

use crate::columns::interner::Interner;
use crate::columns::parallel::by_morsel;
use crate::direction::rules::DirectionRules;
use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::flow::schema::CANONICAL;
use crate::quality::gaps::ActiveSpans;
use crate::quality::repeats::Repeats;
use crate::quality::row_columns::RowColumns;
use crate::quality::sample::Sample;
use crate::records::compare::Observation;

/// Rows up to which all counts are exact, unless a caller says otherwise.
const MAX_ROWS: usize = 14_000_000;

/// Findings over all rows. Counts are exact unless listed in `estimated`.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Number of rows.
    pub rows: u64,
    /// Allowed flows that they stand for.
    pub flows: i128,
    /// Denied flows.
    pub denied_flows: i128,
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

impl Findings {
    /// Add the counts and times of other rows.
    fn add(&mut self, other: &Self) {
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
        self.max_record_duration = self.max_record_duration.max(other.max_record_duration);
        self.flows += other.flows;
        self.denied_flows += other.denied_flows;
        self.long_records += other.long_records;
        self.unidirectional += other.unidirectional;
        self.counted += other.counted;
        self.equal_sides += other.equal_sides;
        self.uncounted_initiators += other.uncounted_initiators;
        self.packets_without_bytes += other.packets_without_bytes;
        self.bytes_without_packets += other.bytes_without_packets;
        self.direction_conflicts += other.direction_conflicts;
        self.counter_overflows += other.counter_overflows;
    }
}

/// Measures the quality of flows, batch by batch.
pub struct Quality {
    rules: DirectionRules,
    found: Findings,
    nulls: Vec<u64>,
    active: ActiveSpans,
    rows: Repeats,
    hosts: Interner,
    records: Option<Sample>,
}

impl Default for Quality {
    fn default() -> Self {
        Self::new(DirectionRules::default(), false, MAX_ROWS)
    }
}

impl Quality {
    /// No rows yet; `compare` enables the comparison of the records of each flow. Beyond
    /// `max_rows`, repeated rows are estimated from a sample; beyond a seventh of them, records.
    pub fn new(rules: DirectionRules, compare: bool, max_rows: usize) -> Self {
        Self {
            rules,
            found: Findings::default(),
            nulls: vec![0; CANONICAL.fields().len()],
            active: ActiveSpans::default(),
            rows: Repeats::with_limit(max_rows),
            hosts: Interner::default(),
            records: compare.then(|| Sample::with_limit(max_rows / 7)),
        }
    }

    /// Add a batch.
    pub fn add(&mut self, batch: &FlowBatch) -> Result<()> {
        let columns = RowColumns::read(batch)?;
        for (nulls, field) in self.nulls.iter_mut().zip(CANONICAL.fields()) {
            let column = batch.column(field.name());
            *nulls += column.map_or(batch.rows(), Array::logical_null_count) as u64;
        }
        self.hosts.encode(columns.host());
        let first = self.found.rows;
        let (rows, records) = (&self.rows, self.records.as_ref());
        let parts = by_morsel(batch.rows(), |range| {
            let mut part = Part::default();
            for row in range {
                columns.count(row, &self.rules, &mut part.found);
                part.hashes
                    .extend(Some(columns.hash(row)).filter(|hash| rows.takes(*hash)));
                if let Some(records) = records {
                    let record = columns.observation(row, first);
                    part.records
                        .extend(record.filter(|(flow, _)| records.takes(*flow)));
                }
            }
            part
        });
        for part in parts {
            self.found.add(&part.found);
            part.hashes.into_iter().for_each(|hash| self.rows.add(hash));
            if let Some(records) = &mut self.records {
                part.records
                    .into_iter()
                    .for_each(|record| records.add(record));
            }
        }
        self.active.add(columns.starts());
        self.found.rows += batch.rows() as u64;
        Ok(())
    }

    /// Return the findings.
    pub fn finish(mut self) -> Findings {
        let names = CANONICAL.fields().iter().map(|field| field.name().clone());
        self.found.nulls = names.zip(self.nulls).collect();
        let duration = self.found.max_record_duration.unwrap_or_default();
        (self.found.gaps, self.found.longest_gap) = self.active.gaps(duration);
        self.found.time_outliers = self.active.outliers();
        if self.rows.is_sampled() {
            self.found.estimated.push("repeats");
        }
        self.found.repeats = self.rows.repeats();
        self.found.exporters = self.hosts.count() as u64;
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

/// What a range of rows shows.
#[derive(Default)]
struct Part {
    found: Findings,
    hashes: Vec<u64>,
    records: Vec<(u64, Observation)>,
}
