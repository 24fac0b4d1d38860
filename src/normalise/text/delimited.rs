//! Lines of text with delimiters between their values.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::normalise::log::Cell;
use crate::normalise::outcome::Normalised;
use crate::normalise::spec::Spec;
use crate::normalise::text::rows::Rows;
use crate::normalise::text::scan::Marks;

/// Bytes of a line that is shorter than most.
const SHORT_LINE: usize = 64;

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
    let mut spec = Cow::Borrowed(spec);
    let escapes = layout.comment.is_some() && memchr::memchr(b'\\', text).is_some();
    let mut lines = Lines {
        layout,
        places,
        // An escaped null is text, so nulls are told here, where escapes still stand.
        nulls: escapes.then(|| std::mem::take(&mut spec.to_mut().nulls)),
        rows: Rows::new(wanted),
    };
    if layout.quoted && memchr::memchr(b'"', text).is_some() {
        lines.quoted(text, first_line)?;
    } else {
        lines.plain(text, first_line);
    }
    lines.rows.normalise(&spec)
}

struct Lines<'a, 'n> {
    layout: &'n Delimited,
    places: Vec<usize>,
    /// Texts that mean a missing value, in a text with Zeek's escapes.
    nulls: Option<Vec<String>>,
    rows: Rows<'a, 'n>,
}

impl<'a> Lines<'a, '_> {
    fn plain(&mut self, text: &'a [u8], first_line: u64) {
        let whole = std::str::from_utf8(text).ok();
        self.rows.reserve(text.len() / SHORT_LINE);
        let mut ends = Vec::with_capacity(self.layout.names.len());
        let (mut start, mut line) = (0, first_line);
        let marks = Marks::new(text, self.layout.delimiter, b'\n');
        for end in marks.chain(std::iter::once(text.len())) {
            if text.get(end) == Some(&self.layout.delimiter) {
                ends.push(end);
                continue;
            }
            let content = &text[start..end];
            let content = content.strip_suffix(b"\r").unwrap_or(content);
            if !content.is_empty() && content.first().copied() != self.layout.comment {
                ends.push(start + content.len());
                self.line(text, whole, line, start, &ends);
            }
            ends.clear();
            start = end + 1;
            line += 1;
        }
    }

    /// Reads a line whose values end at the given places of the text.
    fn line(
        &mut self,
        text: &'a [u8],
        whole: Option<&'a str>,
        line: u64,
        start: usize,
        ends: &[usize],
    ) {
        let value = |place: usize| match place {
            0 => start..ends[0],
            _ => ends[place - 1] + 1..ends[place],
        };
        if self.is_record(line, ends.len(), |place| &text[value(place)]) {
            let nulls = self.nulls.as_deref();
            let cells = self.places.iter().map(|place| {
                // Text between ASCII characters of UTF-8 text is UTF-8.
                let text = match whole {
                    Some(whole) => whole.get(value(*place)),
                    None => std::str::from_utf8(&text[value(*place)]).ok(),
                };
                text.map(|text| cell(text, nulls))
            });
            self.rows.push(line, cells);
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
            if self.is_record(line, record.len(), |place| &record[place]) {
                let cells = self.places.iter().map(|place| {
                    let text = std::str::from_utf8(&record[*place]).ok()?;
                    Some(Some(Cow::Owned(text.to_owned())))
                });
                self.rows.push(line, cells);
            }
        }
        Ok(())
    }

    /// Whether a line has all values and does not only repeat the header.
    fn is_record<'v>(
        &mut self,
        line: u64,
        values: usize,
        value: impl Fn(usize) -> &'v [u8],
    ) -> bool {
        let names = &self.layout.names;
        if values != names.len() {
            let reason = format!("has {values} values; the header names {}", names.len());
            self.rows.refuse(line, None, reason);
            return false;
        }
        let mut columns = names.iter().enumerate();
        !columns.all(|(place, name)| value(place) == name.as_bytes())
    }
}

fn cell<'a>(text: &'a str, nulls: Option<&[String]>) -> Cell<'a> {
    match nulls {
        Some(nulls) if nulls.iter().any(|null| null == text) => None,
        Some(_) => Some(unescaped(text)),
        None => Some(Cow::Borrowed(text)),
    }
}

/// Text without Zeek's escapes: `\xHH` stands for a byte. What is no UTF-8 then stays as it is.
fn unescaped(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find("\\x") {
        bytes.extend_from_slice(&rest.as_bytes()[..place]);
        let digits = rest.get(place + 2..place + 4);
        let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &rest[place + 4..];
        } else {
            bytes.extend_from_slice(b"\\x");
            rest = &rest[place + 2..];
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_zeek_are_undone() {
        assert_eq!(unescaped(r"a\x09b\x5cx41"), "a\tb\\x41");
        assert_eq!(unescaped(r"\xc3\xa9\x2d"), "é-");
        for text in ["plain", r"a\b", r"\x", r"\xg0", r"\x4", r"\xff", r"\x+1"] {
            assert_eq!(unescaped(text), text);
        }
    }
}
