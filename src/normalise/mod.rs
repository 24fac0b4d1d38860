//! Records of any log as flows in the canonical schema.

pub mod cells;
pub mod endpoints;
pub mod fields;
pub mod json;
pub mod protocols;
pub mod spec;
pub mod text;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{Field, Schema};

use crate::aggregate::strings::addresses;
use crate::columns::by_morsel;
use crate::error::Result;
use crate::normalise::cells::Cells;
use crate::normalise::endpoints::Ends;
use crate::normalise::fields::BadRows;
use crate::normalise::spec::Spec;
use crate::schema::CANONICAL;

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
    /// Records of other things than flows.
    pub skipped: u64,
    /// Records that could not be used.
    pub bad: u64,
    /// The first of them.
    pub bad_rows: Vec<BadRow>,
}

impl Normalised {
    /// Counts a record that could not be used.
    pub fn refuse(&mut self, row: BadRow) {
        self.bad += 1;
        if self.bad_rows.len() < BAD_ROWS_TOLD {
            self.bad_rows.push(row);
        }
    }

    /// Appends what became of later records.
    pub fn append(&mut self, later: Self) {
        self.batches.extend(later.batches);
        self.records += later.records;
        self.expanded += later.expanded;
        self.skipped += later.skipped;
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
        let numbers: Vec<u64> = rows.map(|row| first_row + row as u64).collect();
        records(&part, spec, &numbers)
    });
    let mut all = Normalised::default();
    for part in parts {
        all.append(part?);
    }
    Ok(all)
}

/// Normalises records whose numbers in messages are given one by one.
pub fn records(batch: &RecordBatch, spec: &Spec, numbers: &[u64]) -> Result<Normalised> {
    let kept = flow_rows(batch, spec)?;
    if let Some(flows) = kept.as_ref().filter(|flows| flows.len() < batch.num_rows()) {
        let places = UInt32Array::from(flows.clone());
        let numbers: Vec<u64> = flows.iter().map(|row| numbers[*row as usize]).collect();
        let only_flows = arrow::compute::take_record_batch(batch, &places)?;
        let mut out = records(
            &only_flows,
            &Spec {
                keep: Vec::new(),
                ..spec.clone()
            },
            &numbers,
        )?;
        out.skipped = (batch.num_rows() - flows.len()) as u64;
        out.records += out.skipped;
        return Ok(out);
    }
    let mut bad = BadRows::new();
    let mut ends = endpoints::read(batch, spec, &mut bad)?;
    let mut columns: Vec<(&str, ArrayRef)> = Vec::with_capacity(spec.fields.len());
    for field in &spec.fields {
        let start = columns
            .iter()
            .find(|(name, _)| *name == "start_time")
            .map(|(_, c)| c);
        let column = fields::column(field, batch, &spec.nulls, start, &mut bad)?;
        columns.push((&field.target, column));
    }
    ends.drop_rows(&bad);
    let mut out = Normalised {
        records: batch.num_rows() as u64,
        expanded: ends.expanded(),
        ..Normalised::default()
    };
    out.batches
        .push(canonical(ends, columns, batch.num_rows())?);
    for (row, reason) in bad {
        out.refuse(BadRow {
            number: numbers[row],
            ..reason
        });
    }
    Ok(out)
}

/// The rows of flows, where the log can hold other records too.
fn flow_rows(batch: &RecordBatch, spec: &Spec) -> Result<Option<Vec<u32>>> {
    if spec.keep.is_empty() {
        return Ok(None);
    }
    let mut flows: Vec<u32> = (0..batch.num_rows() as u32).collect();
    for (name, allowed) in &spec.keep {
        let cells = Cells::find(batch, name)?;
        flows.retain(|row| {
            let value = cells.get(*row as usize, &spec.nulls);
            value.is_none_or(|value| allowed.iter().any(|a| *a == value))
        });
    }
    Ok(Some(flows))
}

/// The flows, with every canonical column and, after them, the further ones of the format.
fn canonical(
    ends: Ends,
    mut columns: Vec<(&str, ArrayRef)>,
    records: usize,
) -> Result<RecordBatch> {
    let rows = ends.records.len();
    if !ends.is_one_to_one(records) {
        let records = UInt32Array::from(ends.records);
        for (_, column) in &mut columns {
            *column = take(column, &records, None)?;
        }
    }
    columns.push((
        "src_ip",
        Arc::new(addresses(rows, |row| ends.sources[row])?),
    ));
    columns.push(("dst_ip", Arc::new(addresses(rows, |row| ends.dests[row])?)));
    let mut fields: Vec<Field> = CANONICAL
        .fields()
        .iter()
        .map(|f| f.as_ref().clone())
        .collect();
    for (name, column) in &columns {
        if CANONICAL.field_with_name(name).is_err() {
            fields.push(Field::new(*name, column.data_type().clone(), true));
        }
    }
    let arrays = fields.iter().map(|field| {
        let column = columns.iter().find(|(name, _)| name == field.name());
        column.map_or_else(
            || new_null_array(field.data_type(), rows),
            |(_, column)| Arc::clone(column),
        )
    });
    let arrays = arrays.collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}
