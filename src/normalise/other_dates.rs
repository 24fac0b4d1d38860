//! Dates of all records of a log, of which only those of wanted hosts are read.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::normalise::dates::Dates;
use crate::normalise::log::Log;
use crate::normalise::spec::{Kind, Spec};
use crate::normalise::values::Cells;

/// The dates that reading all records would note.
pub fn noted(log: &Log<'_>, spec: &Spec) -> Result<Dates<usize>> {
    let mut dates = Dates::default();
    if !spec.notes_dates() {
        return Ok(dates);
    }
    let mut complete = BTreeSet::new();
    for field in &spec.fields {
        let (Kind::Time(_), Some(name)) = (field.kind, field.columns.first()) else {
            continue;
        };
        if complete.contains(&field.target) {
            continue;
        }
        let cells = Cells::find(log, name, &spec.nulls)?.with_nulls(&field.nulls);
        let rows = if cells.has_texts() { log.rows() } else { 0 };
        let uncertain = (0..rows).filter(|row| !cells.note_date(*row, spec, &mut dates));
        if uncertain.count() == 0 {
            complete.insert(&field.target);
        }
    }
    Ok(dates)
}
