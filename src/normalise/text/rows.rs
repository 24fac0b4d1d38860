//! Columns of strings under construction.

use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::error::Result;
use crate::normalise::log::{Cell, Log};
use crate::normalise::outcome::{BadRow, Normalised};
use crate::normalise::records::records;
use crate::normalise::spec::Spec;

/// Columns of strings under construction, and rejected records.
pub struct Rows<'a, 'n> {
    names: &'n [&'n str],
    columns: Vec<Vec<Cell<'a>>>,
    lines: Vec<u64>,
    rejected: Normalised,
}

impl<'n> Rows<'_, 'n> {
    /// No rows, with the named columns.
    pub fn new(names: &'n [&'n str]) -> Self {
        Self {
            names,
            columns: names.iter().map(|_| Vec::new()).collect(),
            lines: Vec::new(),
            rejected: Normalised::default(),
        }
    }

    /// Reserve space for rows.
    pub fn reserve(&mut self, rows: usize) {
        self.columns
            .iter_mut()
            .for_each(|column| column.reserve(rows));
        self.lines.reserve(rows);
    }

    /// Reject a record.
    pub fn reject(&mut self, line: u64, value: Option<String>, reason: String) {
        self.rejected.records += 1;
        self.rejected.reject(BadRow {
            number: line,
            column: None,
            value,
            reason,
        });
    }

    /// Add the line of a record whose values are elsewhere.
    pub fn add_line(&mut self, line: u64) {
        self.lines.push(line);
    }

    /// Normalise the values of the lines.
    pub fn normalise_table(self, values: RecordBatch, spec: &Spec) -> Result<Normalised> {
        let log = Log::Table(values, Arc::default());
        let mut out = records(log, spec, self.lines)?;
        out.append(self.rejected);
        Ok(out)
    }

    /// Normalise the rows.
    pub fn normalise(self, spec: &Spec) -> Result<Normalised> {
        let log = Log::Text {
            rows: self.lines.len(),
            names: self.names,
            columns: self.columns,
        };
        let mut out = records(log, spec, self.lines)?;
        out.append(self.rejected);
        Ok(out)
    }
}

impl<'a> Rows<'a, '_> {
    /// Add a record; reject it if a cell, given as `None`, is not UTF-8.
    pub fn push(&mut self, line: u64, cells: impl Iterator<Item = Option<Cell<'a>>>) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            let Some(cell) = cell else {
                let rows = self.lines.len();
                self.columns.iter_mut().for_each(|c| c.truncate(rows));
                self.reject(line, None, "is not UTF-8 text".into());
                return;
            };
            column.push(cell);
        }
        self.lines.push(line);
    }

    /// Add a record.
    pub fn add(&mut self, line: u64, cells: impl Iterator<Item = Cell<'a>>) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(cell);
        }
        self.lines.push(line);
    }
}
