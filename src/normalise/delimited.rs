//! Lines of text with delimiters between their values.

use std::borrow::Cow;

use memchr::memchr_iter;

use crate::error::{Error, Result};
use crate::normalise::Normalised;
use crate::normalise::log::Cell;
use crate::normalise::spec::Spec;
use crate::normalise::text::Rows;

/// How values stand in a line.
#[derive(Clone, Debug)]
pub struct Delimited {
    /// The delimiter.
    pub delimiter: u8,
    /// Whether a value may stand in double quotes.
    pub quoted: bool,
    /// First character of lines that are no records.
    pub comment: Option<u8>,
    /// Names of all columns.
    pub names: Vec<String>,
}

/// Normalises lines, the first of which has the given number.
pub fn read(
    text: &[u8],
    layout: &Delimited,
    spec: &Spec,
    wanted: &[&str],
    first_line: u64,
) -> Result<Normalised> {
    let places = wanted
        .iter()
        .map(|name| {
            let place = layout.names.iter().position(|known| known == name);
            place.ok_or_else(|| Error::Schema(format!("the header names no column {name:?}")))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut lines = Lines {
        layout,
        places,
        rows: Rows::new(wanted),
    };
    if layout.quoted && memchr::memchr(b'"', text).is_some() {
        lines.quoted(text, first_line)?;
    } else {
        lines.plain(text, first_line);
    }
    lines.rows.normalise(spec)
}

struct Lines<'a, 'n> {
    layout: &'n Delimited,
    places: Vec<usize>,
    rows: Rows<'a, 'n>,
}

impl<'a> Lines<'a, '_> {
    fn plain(&mut self, text: &'a [u8], first_line: u64) {
        let mut values: Vec<&[u8]> = Vec::with_capacity(self.layout.names.len());
        let all_utf8 = std::str::from_utf8(text).ok();
        let ends = memchr_iter(b'\n', text).chain(std::iter::once(text.len()));
        let mut start = 0;
        for (line, end) in (first_line..).zip(ends) {
            let content = &text[start..end];
            let content = content.strip_suffix(b"\r").unwrap_or(content);
            start = end + 1;
            if content.is_empty() || content.first().copied() == self.layout.comment {
                continue;
            }
            values.clear();
            let mut from = 0;
            for place in memchr_iter(self.layout.delimiter, content) {
                values.push(&content[from..place]);
                from = place + 1;
            }
            values.push(&content[from..]);
            if self.is_record(line, &values) {
                let cells = self.places.iter().map(|place| match all_utf8 {
                    // Text between ASCII characters of UTF-8 text is UTF-8.
                    Some(whole) => {
                        let start = values[*place].as_ptr() as usize - text.as_ptr() as usize;
                        whole.get(start..start + values[*place].len())
                    }
                    None => std::str::from_utf8(values[*place]).ok(),
                });
                let cells = cells.map(|cell| cell.map(Cow::Borrowed));
                self.rows.push(line, cells.collect());
            }
        }
    }

    fn quoted(&mut self, text: &[u8], first_line: u64) -> Result<()> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(self.layout.delimiter)
            .comment(self.layout.comment)
            .has_headers(false)
            .flexible(true)
            .from_reader(text);
        let mut record = csv::ByteRecord::new();
        while reader
            .read_byte_record(&mut record)
            .map_err(|error| Error::Format(error.to_string()))?
        {
            let line = first_line + record.position().map_or(0, |p| p.line() - 1);
            let values: Vec<&[u8]> = record.iter().collect();
            if self.is_record(line, &values) {
                let cells = self.places.iter().map(|place| {
                    let text = std::str::from_utf8(values[*place]).ok()?;
                    Some(Cow::Owned(text.to_owned()))
                });
                self.rows.push(line, cells.collect());
            }
        }
        Ok(())
    }

    /// Whether a line has all values and does not only repeat the header.
    fn is_record(&mut self, line: u64, values: &[&[u8]]) -> bool {
        let names = &self.layout.names;
        if values.len() != names.len() {
            let reason = format!(
                "has {} values; the header names {}",
                values.len(),
                names.len()
            );
            self.rows.refuse(line, None, reason);
            return false;
        }
        let header = values[0] == names[0].as_bytes()
            && values
                .iter()
                .zip(names)
                .all(|(value, name)| *value == name.as_bytes());
        !header
    }
}

impl<'a> Rows<'a, '_> {
    /// Adds a record, unless a cell is no UTF-8 text.
    fn push(&mut self, line: u64, cells: Option<Vec<Cow<'a, str>>>) {
        match cells {
            Some(cells) => self.add(line, cells.into_iter().map(Some)),
            None => self.refuse(line, None, "is not UTF-8 text".into()),
        }
    }

    /// Adds a record.
    pub fn add(&mut self, line: u64, cells: impl Iterator<Item = Cell<'a>>) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(cell);
        }
        self.lines.push(line);
    }
}
