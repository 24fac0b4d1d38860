//! Fields that are alternatives for one canonical column, chosen for each row.

use std::cell::RefCell;

use arrow::array::Array;
use arrow::compute::is_null;
use arrow::compute::kernels::zip::zip;

use crate::error::Result;
use crate::normalise::columns::{CanonicalColumns, position};
use crate::normalise::dates::Dates;
use crate::normalise::fields::{self, BadRows};
use crate::normalise::log::Log;
use crate::normalise::spec::{Field, Kind, Spec};

/// Add the column of a field, or its values where the column has none yet. Return the rows that a
/// total has filled.
pub fn add<'a>(
    field: &'a Field,
    log: &Log<'_>,
    spec: &Spec,
    columns: &mut CanonicalColumns<'a>,
    (bad, dates): (&mut BadRows, &RefCell<Dates<usize>>),
) -> Result<Vec<usize>> {
    let start = position(columns, "start_time").map(|index| &columns[index].1);
    let known = position(columns, &field.target);
    let Some(index) = known else {
        let column = fields::column(field, log, spec, start, (bad, dates))?;
        let filled = filled(field, |row| column.is_valid(row), column.len());
        columns.push((&field.target, column));
        return Ok(filled);
    };
    let first = &columns[index].1;
    if first.null_count() == 0 {
        return Ok(Vec::new());
    }
    let mut further = BadRows::new();
    let second = fields::column(field, log, spec, start, (&mut further, dates))?;
    let filled = filled(
        field,
        |row| first.is_null(row) && second.is_valid(row),
        first.len(),
    );
    further.retain(|row, _| first.is_null(*row));
    let both = zip(&is_null(first)?, &second, first)?;
    for (row, reason) in further {
        bad.entry(row).or_insert(reason);
    }
    columns[index].1 = both;
    Ok(filled)
}

fn filled(field: &Field, is_filled: impl Fn(usize) -> bool, rows: usize) -> Vec<usize> {
    match field.kind {
        Kind::Total => (0..rows).filter(|row| is_filled(*row)).collect(),
        _ => Vec::new(),
    }
}
