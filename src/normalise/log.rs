//! Records of a log: a table or columns of strings.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;

use crate::columns::batch::find;
use crate::error::Result;
use crate::normalise::single_codes::Dictionaries;

/// String of a cell; `None` if it is missing.
pub type Cell<'a> = Option<Cow<'a, str>>;

/// Columns of a log.
#[derive(Clone, Debug)]
pub enum Log<'a> {
    /// Columns of any type.
    Table(RecordBatch, Arc<Dictionaries>),
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
            Self::Table(batch, _) => batch.num_rows(),
            Self::Text { rows, .. } => *rows,
        }
    }

    /// The values of the dictionaries of a table.
    pub fn dictionaries(&self) -> Option<&Dictionaries> {
        match self {
            Self::Table(_, dictionaries) => Some(dictionaries),
            Self::Text { .. } => None,
        }
    }

    /// A column of a table.
    pub fn array(&self, name: &str) -> Option<&arrow::array::ArrayRef> {
        match self {
            Self::Table(batch, _) => find(batch, name),
            Self::Text { .. } => None,
        }
    }

    /// A column of strings.
    pub fn text(&self, name: &str) -> Option<&[Cell<'a>]> {
        match self {
            Self::Table(..) => None,
            Self::Text { names, columns, .. } => {
                let index = names.iter().position(|known| *known == name)?;
                Some(&columns[index])
            }
        }
    }

    /// Take the records of the given rows.
    pub fn take(self, rows: &[u32]) -> Result<Self> {
        Ok(match self {
            Self::Table(batch, dictionaries) => {
                let rows = UInt32Array::from(rows.to_vec());
                Self::Table(take_record_batch(&batch, &rows)?, dictionaries)
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
