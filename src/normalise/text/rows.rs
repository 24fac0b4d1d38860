//! Columns of text under construction.

use crate::error::Result;
use crate::normalise::log::{Cell, Log};
use crate::normalise::outcome::{BadRow, Normalised};
use crate::normalise::records::records;
use crate::normalise::spec::Spec;

/// Columns of text under construction.
pub struct Rows<'a, 'n> {
    names: &'n [&'n str],
    columns: Vec<Vec<Cell<'a>>>,
    lines: Vec<u64>,
    refused: Normalised,
}

impl<'n> Rows<'_, 'n> {
    /// No rows of the named columns.
    pub fn new(names: &'n [&'n str]) -> Self {
        Self {
            names,
            columns: names.iter().map(|_| Vec::new()).collect(),
            lines: Vec::new(),
            refused: Normalised::default(),
        }
    }

    /// Makes room for rows.
    pub fn reserve(&mut self, rows: usize) {
        self.columns
            .iter_mut()
            .for_each(|column| column.reserve(rows));
        self.lines.reserve(rows);
    }

    /// Counts a record that is none.
    pub fn refuse(&mut self, line: u64, value: Option<String>, reason: String) {
        self.refused.records += 1;
        self.refused.refuse(BadRow {
            number: line,
            column: None,
            value,
            reason,
        });
    }

    /// Normalises the rows.
    pub fn normalise(self, spec: &Spec) -> Result<Normalised> {
        let log = Log::Text {
            rows: self.lines.len(),
            names: self.names,
            columns: self.columns,
        };
        let mut out = records(log, spec, self.lines)?;
        out.append(self.refused);
        Ok(out)
    }
}

impl<'a> Rows<'a, '_> {
    /// Adds a record, unless a cell is no UTF-8 text.
    pub fn push(&mut self, line: u64, cells: impl Iterator<Item = Option<Cell<'a>>>) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            let Some(cell) = cell else {
                let rows = self.lines.len();
                self.columns.iter_mut().for_each(|c| c.truncate(rows));
                self.refuse(line, None, "is not UTF-8 text".into());
                return;
            };
            column.push(cell);
        }
        self.lines.push(line);
    }

    /// Adds a record.
    pub fn add(&mut self, line: u64, cells: impl Iterator<Item = Cell<'a>>) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(cell);
        }
        self.lines.push(line);
    }
}
