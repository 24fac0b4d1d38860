//! Quality of flows, measured in one pass and bounded memory.

pub mod findings;
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
use crate::quality::findings::Findings;
use crate::quality::gaps::ActiveSpans;
use crate::quality::repeats::Repeats;
use crate::quality::row_columns::RowColumns;
use crate::quality::sample::Sample;
use crate::records::compare::Observation;

/// Rows up to which all counts are exact, unless a caller says otherwise.
const MAX_ROWS: usize = 14_000_000;

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
