//! Records of any log as flows in the canonical schema.

pub mod cells;
pub mod delimited;
pub mod endpoints;
pub mod fields;
mod flows;
pub mod json;
pub mod log;
mod marks;
pub mod objects;
pub mod spec;
pub mod text;
pub mod times;
pub mod tuples;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{Field, Schema};

use crate::columns::parallel::by_morsel;
use crate::error::Result;
use crate::flow::schema::CANONICAL;
use crate::normalise::cells::Conditions;
use crate::normalise::fields::BadRows;
use crate::normalise::log::Log;
use crate::normalise::spec::Spec;

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

    fn skip(&mut self, value: String, records: u64) {
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

/// Normalises a table, whose first row has the given number in messages.
pub fn table(batch: &RecordBatch, spec: &Spec, first_row: u64) -> Result<Normalised> {
    let parts = by_morsel(batch.num_rows(), |rows| {
        let part = batch.slice(rows.start, rows.len());
        let numbers = rows.map(|row| first_row + row as u64).collect();
        records(Log::Table(part), spec, numbers)
    });
    let mut all = Normalised::default();
    for part in parts {
        all.append(part?);
    }
    Ok(all)
}

/// Normalises records whose numbers in messages are given one by one.
pub fn records(mut log: Log<'_>, spec: &Spec, mut numbers: Vec<u64>) -> Result<Normalised> {
    let mut out = Normalised {
        records: log.rows() as u64,
        ..Normalised::default()
    };
    if let Some(flows) = flow_rows(&log, spec, &mut out)? {
        numbers = flows.iter().map(|row| numbers[*row as usize]).collect();
        log = log.select(&flows)?;
    }
    let mut bad = BadRows::new();
    let mut ends = endpoints::read(&log, spec, &mut bad)?;
    let mut columns: Columns<'_> = Vec::with_capacity(spec.fields.len() + 2);
    for field in &spec.fields {
        let start = place(&columns, "start_time").map(|place| &columns[place].1);
        let column = fields::column(field, &log, spec, start, &mut bad)?;
        columns.push((&field.target, column));
    }
    ends.drop_rows(&bad);
    let reversed = flows::reversed(&log, spec, &ends)?;
    flows::per_flow(&mut columns, &ends, log.rows())?;
    out.expanded = ends.expanded();
    out.counted = (0..ends.flows.len())
        .filter(|flow| ends.own(*flow).is_some())
        .count() as u64;
    out.repeated = flows::repeated(&columns, &ends);
    if let Some(reversed) = reversed {
        flows::swap(&mut columns, &reversed)?;
    }
    out.batches.push(canonical(&columns, ends.flows.len())?);
    for (row, reason) in bad {
        out.refuse(BadRow {
            number: numbers[row],
            ..reason
        });
    }
    Ok(out)
}

/// The rows of flows, where there are others; these are counted.
fn flow_rows(log: &Log<'_>, spec: &Spec, out: &mut Normalised) -> Result<Option<Vec<u32>>> {
    if spec.keep.is_empty() {
        return Ok(None);
    }
    let keep = Conditions::find(log, &spec.keep, &spec.nulls)?;
    let mut flows = Vec::with_capacity(log.rows());
    for row in 0..log.rows() {
        match keep.broken(row) {
            None => flows.push(row as u32),
            Some((column, value)) => {
                let value: String = value.chars().take(40).collect();
                out.skip(format!("{column} {value}"), 1);
            }
        }
    }
    Ok((flows.len() < log.rows()).then_some(flows))
}

/// Canonical columns under construction.
type Columns<'a> = Vec<(&'a str, ArrayRef)>;

fn place(columns: &Columns<'_>, name: &str) -> Option<usize> {
    columns.iter().position(|(known, _)| *known == name)
}

/// A canonical column without values; short ones share their memory.
fn nulls(field: &Field, rows: usize) -> ArrayRef {
    const SHARED: usize = 1 << 15;
    static COLUMNS: LazyLock<Vec<ArrayRef>> = LazyLock::new(|| {
        let fields = CANONICAL.fields().iter();
        fields
            .map(|field| new_null_array(field.data_type(), SHARED))
            .collect()
    });
    match CANONICAL.index_of(field.name()) {
        Ok(place) if rows <= SHARED => COLUMNS[place].slice(0, rows),
        _ => new_null_array(field.data_type(), rows),
    }
}

/// The flows, with every canonical column and, after them, the further ones of the format.
fn canonical(columns: &Columns<'_>, rows: usize) -> Result<RecordBatch> {
    let mut fields: Vec<Field> = CANONICAL
        .fields()
        .iter()
        .map(|f| f.as_ref().clone())
        .collect();
    for (name, column) in columns {
        if CANONICAL.field_with_name(name).is_err() {
            fields.push(Field::new(*name, column.data_type().clone(), true));
        }
    }
    let arrays = fields.iter().map(|field| {
        place(columns, field.name())
            .map_or_else(|| nulls(field, rows), |place| Arc::clone(&columns[place].1))
    });
    let arrays = arrays.collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}
