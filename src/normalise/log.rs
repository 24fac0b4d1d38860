//! The records of a log, whatever they are made of.

use std::borrow::Cow;

use arrow::array::{RecordBatch, UInt32Array};

use crate::columns::batch::find;
use crate::error::Result;

/// Text of a cell, unless it is missing.
pub type Cell<'a> = Option<Cow<'a, str>>;

/// Records by column.
#[derive(Clone, Debug)]
pub enum Log<'a> {
    /// Columns of any type.
    Table(RecordBatch),
    /// Columns of text.
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

    /// A column of text.
    pub fn text(&self, name: &str) -> Option<&[Cell<'a>]> {
        match self {
            Self::Table(_) => None,
            Self::Text { names, columns, .. } => {
                let place = names.iter().position(|known| *known == name)?;
                Some(&columns[place])
            }
        }
    }

    /// Only the given records.
    pub fn select(self, wanted: &[u32]) -> Result<Self> {
        Ok(match self {
            Self::Table(batch) => {
                let wanted = UInt32Array::from(wanted.to_vec());
                Self::Table(arrow::compute::take_record_batch(&batch, &wanted)?)
            }
            Self::Text { names, columns, .. } => {
                let chosen = |mut column: Vec<Cell<'a>>| {
                    let cells = wanted.iter().map(|row| column[*row as usize].take());
                    cells.collect()
                };
                Self::Text {
                    rows: wanted.len(),
                    names,
                    columns: columns.into_iter().map(chosen).collect(),
                }
            }
        })
    }
}
