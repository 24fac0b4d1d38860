//! What became of records: flows, records of other things, and bad rows.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

/// Bad rows that are told one by one; the others are only counted.
pub const BAD_ROWS_TOLD: usize = 10;

/// A record that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Line of the file, counted from 1, or row of the table, counted from 0.
    pub number: u64,
    /// Column of the source, where one is to blame.
    pub column: Option<String>,
    /// What stands there.
    pub value: Option<String>,
    /// What is wrong with it.
    pub reason: String,
}

impl BadRow {
    /// A bad value; only the beginning of a long one is kept.
    pub fn value(
        number: u64,
        column: &str,
        value: Option<&str>,
        reason: impl Into<String>,
    ) -> Self {
        const SHOWN: usize = 80;
        let shorten = |text: &str| match text.char_indices().nth(SHOWN) {
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

/// What became of a number of records.
#[derive(Clone, Debug, Default)]
pub struct Normalised {
    /// The flows.
    pub batches: Vec<RecordBatch>,
    /// Records that were read.
    pub records: u64,
    /// Records that gave more than one flow, because they name several addresses.
    pub expanded: u64,
    /// Flows with counters of their own among those of their record.
    pub counted: u64,
    /// Flows that repeat the counts of one record.
    pub repeated: Repeated,
    /// Records of other things than flows, by the value that tells.
    pub skipped: BTreeMap<String, u64>,
    /// Records that could not be used.
    pub bad: u64,
    /// The first of them.
    pub bad_rows: Vec<BadRow>,
}

/// Flows that repeat the counts of one record, and by how much totals of them are too high.
#[derive(Clone, Copy, Debug, Default)]
pub struct Repeated {
    /// Rows.
    pub rows: u64,
    /// Flows counted too often.
    pub flows: f64,
    /// Bytes counted too often, both ways.
    pub bytes: f64,
}

/// Values that tell records of other things apart, at most; further ones are counted together.
const SKIPPED_TOLD: usize = 50;

impl Normalised {
    /// Counts a record that could not be used.
    pub fn refuse(&mut self, row: BadRow) {
        self.bad += 1;
        if self.bad_rows.len() < BAD_ROWS_TOLD {
            self.bad_rows.push(row);
        }
    }

    pub(super) fn skip(&mut self, value: String, records: u64) {
        let full = self.skipped.len() >= SKIPPED_TOLD && !self.skipped.contains_key(&value);
        let value = if full { "others".into() } else { value };
        *self.skipped.entry(value).or_default() += records;
    }

    /// Appends what became of later records.
    pub fn append(&mut self, later: Self) {
        self.batches.extend(later.batches);
        self.records += later.records;
        self.expanded += later.expanded;
        self.counted += later.counted;
        self.repeated.rows += later.repeated.rows;
        self.repeated.flows += later.repeated.flows;
        self.repeated.bytes += later.repeated.bytes;
        for (value, records) in later.skipped {
            self.skip(value, records);
        }
        self.bad += later.bad;
        self.bad_rows.extend(later.bad_rows);
        self.bad_rows.sort_by_key(|row| row.number);
        self.bad_rows.truncate(BAD_ROWS_TOLD);
    }
}
