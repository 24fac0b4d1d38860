//! Outcome of normalising: flows, non-flow records and bad rows.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use crate::normalise::dates::Dates;

/// Maximum number of bad rows that are listed; further ones are only counted.
pub const MAX_LISTED: usize = 10;

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Line of the file, counted from 1, or row of the table, counted from 0.
    pub number: u64,
    /// Column of the source that has the bad value.
    pub column: Option<String>,
    /// The bad value.
    pub value: Option<String>,
    /// Why it is bad.
    pub reason: String,
}

impl BadRow {
    /// A bad row with its value, of which at most 80 characters are kept.
    pub fn value(
        number: u64,
        column: &str,
        value: Option<&str>,
        reason: impl Into<String>,
    ) -> Self {
        const MAX_CHARS: usize = 80;
        let shorten = |text: &str| match text.char_indices().nth(MAX_CHARS) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        };
        Self {
            number,
            column: Some(column.into()),
            value: value.map(shorten),
            reason: reason.into(),
        }
    }
}

/// Outcome of normalising some records.
#[derive(Clone, Debug, Default)]
pub struct Normalised {
    /// The flows.
    pub batches: Vec<RecordBatch>,
    /// Records read.
    pub records: u64,
    /// Records with several addresses, hence several flows.
    pub expanded: u64,
    /// Flows with per-peer counters.
    pub counted: u64,
    /// Flows that repeat the counts of one record.
    pub repeated: Repeated,
    /// Records that end before they start; their end is dropped.
    pub end_before_start: u64,
    /// Records whose source has the counts of both endpoints.
    pub without_sides: u64,
    /// Records whose total is not the sum of the counts of both endpoints.
    pub contradicted_totals: u64,
    /// Records with payload bytes of an endpoint, but no bytes.
    pub payload_only: u64,
    /// Flows whose endpoints were exchanged, by reason.
    pub reversed: BTreeMap<&'static str, u64>,
    /// Records whose packets had other addresses.
    pub translated: u64,
    /// Non-flow records, by the value that identifies them.
    pub skipped: BTreeMap<String, u64>,
    /// Records of other hosts than the wanted ones.
    pub other_hosts: u64,
    /// Records with an unknown action, by its column and value.
    pub unknown_actions: BTreeMap<String, u64>,
    /// Dates that show the order of day and month, or may have both.
    pub dates: Dates<u64>,
    /// Records that could not be read.
    pub bad: u64,
    /// The first of them.
    pub bad_rows: Vec<BadRow>,
}

/// Flows that repeat the counts of one record, and the excess in their totals.
#[derive(Clone, Copy, Debug, Default)]
pub struct Repeated {
    /// Rows.
    pub rows: u64,
    /// Excess of flows.
    pub flows: f64,
    /// Excess of bytes, in both directions.
    pub bytes: f64,
}

/// Maximum number of values by which records are counted; further ones are counted together.
const MAX_VALUES: usize = 50;

impl Normalised {
    /// Add a bad row.
    pub fn reject(&mut self, row: BadRow) {
        self.bad += 1;
        if self.bad_rows.len() < MAX_LISTED {
            self.bad_rows.push(row);
        }
    }

    /// Add bad rows of a log with these numbers.
    pub fn reject_all(&mut self, bad: BTreeMap<usize, BadRow>, numbers: &[u64]) {
        for (row, reason) in bad {
            let number = numbers[row];
            self.reject(BadRow { number, ..reason });
        }
    }

    /// Count a non-flow record by the value that identifies it.
    pub(super) fn skip(&mut self, column: &str, value: &str) {
        count(&mut self.skipped, stated(column, value), 1);
    }

    /// Count a record with an unknown action.
    pub(super) fn add_unknown_action(&mut self, column: &str, value: &str) {
        count(&mut self.unknown_actions, stated(column, value), 1);
    }

    /// Append the outcome of later records.
    pub fn append(&mut self, later: Self) {
        self.batches.extend(later.batches);
        self.records += later.records;
        self.expanded += later.expanded;
        self.counted += later.counted;
        self.repeated.rows += later.repeated.rows;
        self.repeated.flows += later.repeated.flows;
        self.repeated.bytes += later.repeated.bytes;
        self.end_before_start += later.end_before_start;
        self.without_sides += later.without_sides;
        self.contradicted_totals += later.contradicted_totals;
        self.payload_only += later.payload_only;
        for (reason, flows) in later.reversed {
            *self.reversed.entry(reason).or_default() += flows;
        }
        self.translated += later.translated;
        for (value, records) in later.skipped {
            count(&mut self.skipped, value, records);
        }
        self.other_hosts += later.other_hosts;
        for (value, records) in later.unknown_actions {
            count(&mut self.unknown_actions, value, records);
        }
        self.dates.append(later.dates);
        self.bad += later.bad;
        self.bad_rows.extend(later.bad_rows);
        self.bad_rows.sort_by_key(|row| row.number);
        self.bad_rows.truncate(MAX_LISTED);
    }
}

/// A column and its value, of which at most 40 characters are kept.
fn stated(column: &str, value: &str) -> String {
    let value: String = value.chars().take(40).collect();
    format!("{column} {value}")
}

fn count(counts: &mut BTreeMap<String, u64>, value: String, records: u64) {
    let full = counts.len() >= MAX_VALUES && !counts.contains_key(&value);
    let value = if full { "others".into() } else { value };
    *counts.entry(value).or_default() += records;
}
