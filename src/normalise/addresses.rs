//! Cells with addresses.

use std::cell::OnceCell;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field};

use crate::columns::column::Column;
use crate::error::Result;
use crate::ip::Ip;
use crate::normalise::log::Log;
use crate::normalise::outcome::BadRow;
use crate::normalise::single_codes::Dictionaries;
use crate::normalise::singles::Singles;
use crate::normalise::values::Cells;

/// Maximum number of flows of one record.
pub const MAX_FLOWS: usize = 10_000;

/// Counters of one peer: flows started and ended, packets out and in, bytes out and in.
pub type Counters = [i64; 6];

/// A column of addresses.
pub struct Addresses<'a> {
    cells: AddressCells<'a>,
    /// Whether a cell may have several addresses.
    several: bool,
    dictionaries: Option<&'a Dictionaries>,
    singles: OnceCell<Option<Singles>>,
}

enum AddressCells<'a> {
    Text(Cells<'a>),
    List(String, ArrayRef, Column),
}

impl<'a> Addresses<'a> {
    /// Find a column by name; an absent one is all null.
    pub fn find(log: &'a Log<'_>, name: &str, nulls: &'a [String], several: bool) -> Result<Self> {
        let list = log.array(name).and_then(|array| match array.data_type() {
            DataType::List(item) | DataType::LargeList(item) => Some((array, item)),
            _ => None,
        });
        let cells = match list {
            Some((array, item)) => {
                let item = Field::new_list_field(item.data_type().clone(), true);
                let lists = arrow::compute::cast(array, &DataType::LargeList(Arc::new(item)))?;
                let values = Column::read(name, lists.as_list::<i64>().values())?;
                AddressCells::List(name.into(), lists, values)
            }
            None => AddressCells::Text(Cells::find(log, name, nulls)?),
        };
        Ok(Self {
            cells,
            several,
            dictionaries: log.dictionaries(),
            singles: OnceCell::new(),
        })
    }

    /// Name of the column.
    pub fn name(&self) -> &str {
        match &self.cells {
            AddressCells::Text(cells) => &cells.name,
            AddressCells::List(name, ..) => name,
        }
    }

    /// What all cells have, where they are strings of a table.
    pub fn singles(&self) -> Option<&Singles> {
        let found = || match &self.cells {
            AddressCells::Text(cells) => Singles::of(cells, self.dictionaries?),
            AddressCells::List(..) => None,
        };
        self.singles.get_or_init(found).as_ref()
    }

    /// Whether the cell of a row has the same string as that of another column.
    pub fn is_same(&self, other: &Self, row: usize) -> bool {
        match (&self.cells, &other.cells) {
            (AddressCells::Text(own), AddressCells::Text(other)) => own.is_same(other, row),
            _ => false,
        }
    }

    /// Whether a cell has no value.
    pub fn is_empty(&self, row: usize) -> bool {
        match &self.cells {
            AddressCells::Text(cells) => cells.get(row).is_none(),
            AddressCells::List(_, lists, _) => lists.is_null(row),
        }
    }

    /// The address of a cell with a single address, the usual case.
    pub fn single(&self, row: usize) -> Option<Ip> {
        match &self.cells {
            AddressCells::Text(cells) => plain(&cells.get(row)?),
            AddressCells::List(..) => None,
        }
    }

    /// Call `entry` with every entry of a cell.
    pub fn each(
        &self,
        row: usize,
        mut entry: impl FnMut(&str) -> Result<(), BadRow>,
    ) -> Result<(), BadRow> {
        let (_, lists, values) = match &self.cells {
            AddressCells::Text(cells) => {
                return match cells.get(row) {
                    Some(text) if self.several => split(&text).try_for_each(entry),
                    Some(text) => entry(&text),
                    None => Ok(()),
                };
            }
            AddressCells::List(name, lists, values) => (name, lists, values),
        };
        if lists.is_null(row) {
            return Ok(());
        }
        let offsets = lists.as_list::<i64>().value_offsets();
        let texts = (offsets[row]..offsets[row + 1]).filter_map(|i| values.text(i as usize));
        for (index, text) in texts.enumerate() {
            if index > 0 && !self.several {
                return Err(BadRow::value(0, self.name(), Some(&text), SEVERAL));
            }
            entry(text.trim_ascii())?;
        }
        Ok(())
    }

    /// Parse an address and, if all six follow it, its counters.
    pub fn parse(&self, entry: &str) -> Result<(Ip, Option<Counters>), BadRow> {
        let bad = |value, reason| BadRow::value(0, self.name(), Some(value), reason);
        if !self.several {
            let many = split(entry).nth(1).is_some();
            let reason = if many {
                SEVERAL
            } else {
                "is not an IP address"
            };
            return plain(entry)
                .map(|address| (address, None))
                .ok_or_else(|| bad(entry, reason));
        }
        let mut parts = entry.split('|');
        let text = parts.next().unwrap_or_default();
        let address = plain(text).ok_or_else(|| bad(text, "is not an IP address"))?;
        let (mut counters, mut found) = (Counters::default(), 0);
        for text in parts {
            let count = match text {
                "" => Some(0),
                text => text.parse().ok().filter(|count| *count >= 0),
            };
            let count = count
                .ok_or_else(|| bad(entry, "has a counter that is not a non-negative integer"))?;
            *counters
                .get_mut(found)
                .ok_or_else(|| bad(entry, "has more than six counters"))? = count;
            found += 1;
        }
        Ok((address, (found == counters.len()).then_some(counters)))
    }

    /// A bad row with too many addresses.
    pub fn too_many(&self, row: usize) -> BadRow {
        let reason = format!("has more addresses than the limit of {MAX_FLOWS} flows per record");
        match &self.cells {
            AddressCells::Text(cells) => cells.bad(row, &reason),
            AddressCells::List(name, ..) => BadRow::value(0, name, None, reason),
        }
    }
}

const SEVERAL: &str = "has several addresses; this column has one per record";

/// Parse an address as logs have it: without brackets and spaces.
fn plain(text: &str) -> Option<Ip> {
    if text.starts_with(['[', ' ']) {
        return None;
    }
    Ip::parse(text)
}

/// The entries of a cell such as `['192.0.2.1', '192.0.2.2']` or `192.0.2.1|1|0 192.0.2.2|2|0`.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let within = |text: &'_ str, first, last| -> Option<(usize, usize)> {
        (text.len() > 1 && text.starts_with(first) && text.ends_with(last))
            .then(|| (1, text.len() - 1))
    };
    let (start, end) = within(text, '[', ']').unwrap_or((0, text.len()));
    let separates = |c: char| c.is_ascii_whitespace() || c == ',' || c == ';';
    text[start..end]
        .split(separates)
        .map(move |entry| {
            let quoted = within(entry, '\'', '\'').or_else(|| within(entry, '"', '"'));
            let (start, end) = quoted.unwrap_or((0, entry.len()));
            &entry[start..end]
        })
        .filter(|entry| !entry.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_split_at_separators_only() {
        let entries = |text| split(text).collect::<Vec<_>>();
        assert_eq!(
            entries("['192.0.2.1', '192.0.2.2']"),
            ["192.0.2.1", "192.0.2.2"]
        );
        assert_eq!(entries("[\"192.0.2.1\"]"), ["192.0.2.1"]);
        assert_eq!(
            entries("192.0.2.1|1 ; 192.0.2.2,"),
            ["192.0.2.1|1", "192.0.2.2"]
        );
        for odd in ["[192.0.2.1", "192.0.2.1]", "'192.0.2.1", "(192.0.2.1)", "'"] {
            assert_eq!(entries(odd), [odd]);
        }
        assert!(entries("[]").is_empty());
    }

    #[test]
    fn addresses_of_logs_are_plain() {
        for text in [
            "[::1]",
            "[10.0.0.1",
            "10.0.0.1]",
            " 10.0.0.1",
            "10.0.0.1|x",
            "10.0.0.01",
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
        assert!(plain("fe80::1%eth0").is_some());
    }
}
