//! Records of a log: a table or columns of strings.

use std::borrow::Cow;

use arrow::array::{RecordBatch, UInt32Array};

use crate::columns::batch::find;
use crate::error::Result;

/// String of a cell; `None` if it is missing.
pub type Cell<'a> = Option<Cow<'a, str>>;

/// Columns of a log.
#[derive(Clone, Debug)]
pub enum Log<'a> {
    /// Columns of any type.
    Table(RecordBatch),
    /// Columns of strings.
    Text {
        /// Number of records.
        rows: usize,
        /// Names of the columns.
        names: &'a [&'a str],
        /// The columns.
        columns: Vec<Vec<Cell<'a>>>,
    },
}

impl<'a> Log<'a> {
    /// Number of records.
    pub fn rows(&self) -> usize {
        match self {
            Self::Table(batch) => batch.num_rows(),
            Self::Text { rows, .. } => *rows,
        }
    }

    /// A column of a table.
    pub fn array(&self, name: &str) -> Option<&arrow::array::ArrayRef> {
        match self {
            Self::Table(batch) => find(batch, name),
            Self::Text { .. } => None,
        }
    }

    /// A column of strings.
    pub fn text(&self, name: &str) -> Option<&[Cell<'a>]> {
        match self {
            Self::Table(_) => None,
            Self::Text { names, columns, .. } => {
                let index = names.iter().position(|known| *known == name)?;
                Some(&columns[index])
            }
        }
    }

    /// Take the records of the given rows.
    pub fn take(self, rows: &[u32]) -> Result<Self> {
        Ok(match self {
            Self::Table(batch) => {
                let rows = UInt32Array::from(rows.to_vec());
                Self::Table(arrow::compute::take_record_batch(&batch, &rows)?)
            }
            Self::Text { names, columns, .. } => {
                let taken = |mut column: Vec<Cell<'a>>| {
                    let cells = rows.iter().map(|row| column[*row as usize].take());
                    cells.collect()
                };
                Self::Text {
                    rows: rows.len(),
                    names,
                    columns: columns.into_iter().map(taken).collect(),
                }
            }
        })
    }
}
