//! Lines of delimited values.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::normalise::log::Cell;
use crate::normalise::outcome::Normalised;
use crate::normalise::spec::Spec;
use crate::normalise::text::quoted;
use crate::normalise::text::rows::Rows;
use crate::normalise::text::scan::DelimiterScan;
use crate::normalise::text::typed::{self, Span};

/// Bytes of a short line, for the estimate of the number of lines.
const SHORT_LINE: usize = 64;

/// Layout of a line.
#[derive(Clone, Debug)]
pub struct Delimited {
    /// The delimiter.
    pub delimiter: u8,
    /// Whether a value may be in double quotes.
    pub quoted: bool,
    /// First character of comment lines.
    pub comment: Option<u8>,
    /// Names of all columns.
    pub names: Vec<String>,
}

impl Delimited {
    /// Whether a text may have values in quotation marks.
    pub fn may_quote(&self, text: &[u8]) -> bool {
        self.quoted && memchr::memchr(b'"', text).is_some()
    }

    /// The line with the names of the columns.
    pub fn header(&self) -> String {
        self.names.join(&char::from(self.delimiter).to_string())
    }
}

/// Normalise lines, numbered from `first_line`.
pub fn read(
    text: &[u8],
    layout: &Delimited,
    spec: &Spec,
    wanted: &[&str],
    first_line: u64,
) -> Result<Normalised> {
    let positions = wanted
        .iter()
        .map(|name| {
            let position = layout.names.iter().position(|known| known == name);
            position.ok_or_else(|| Error::Schema(format!("the header has no column {name:?}")))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut spec = Cow::Borrowed(spec);
    let escapes = layout.comment.is_some() && memchr::memchr(b'\\', text).is_some();
    let is_plain = !escapes && !layout.may_quote(text) && u32::try_from(text.len()).is_ok();
    if let Some(whole) = is_plain.then(|| std::str::from_utf8(text).ok()).flatten() {
        let mut lines = Lines {
            layout,
            nulls: None,
            rows: Rows::new(&[]),
            spans: positions.iter().map(|_| Vec::new()).collect(),
            positions,
        };
        lines.plain(text, first_line);
        let batch = typed::batch(whole, &lines.spans, wanted, &spec)?;
        return lines.rows.normalise_table(batch, &spec);
    }
    let mut lines = Lines {
        layout,
        positions,
        spans: Vec::new(),
        // An escaped null is a value, so nulls are detected before escapes are decoded.
        nulls: escapes.then(|| std::mem::take(&mut spec.to_mut().nulls)),
        rows: Rows::new(wanted),
    };
    if layout.may_quote(text) {
        lines.quoted(text, first_line);
    } else {
        lines.plain(text, first_line);
    }
    lines.rows.normalise(&spec)
}

struct Lines<'a, 'n> {
    layout: &'n Delimited,
    positions: Vec<usize>,
    /// Strings that mean a missing value, if the text has Zeek's escapes.
    nulls: Option<Vec<String>>,
    rows: Rows<'a, 'n>,
    /// Positions of the values, by column, instead of the values in `rows`.
    spans: Vec<Vec<Span>>,
}

impl<'a> Lines<'a, '_> {
    /// Read lines without quotation marks; return the number of the next line.
    fn plain(&mut self, text: &'a [u8], first_line: u64) -> u64 {
        if text.is_empty() {
            return first_line;
        }
        let whole = std::str::from_utf8(text).ok();
        self.rows.reserve(text.len() / SHORT_LINE);
        self.spans
            .iter_mut()
            .for_each(|spans| spans.reserve(text.len() / SHORT_LINE));
        let mut ends = Vec::with_capacity(self.layout.names.len());
        let (mut start, mut line) = (0, first_line);
        let delimiters = DelimiterScan::new(text, self.layout.delimiter, b'\n');
        for end in delimiters.chain(std::iter::once(text.len())) {
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
        line - 1
    }

    /// Read a line whose values end at the given positions of the text.
    fn line(
        &mut self,
        text: &'a [u8],
        whole: Option<&'a str>,
        line: u64,
        start: usize,
        ends: &[usize],
    ) {
        let value = |index: usize| match index {
            0 => start..ends[0],
            _ => ends[index - 1] + 1..ends[index],
        };
        if !self.is_record(line, ends.len(), |index| &text[value(index)]) {
            return;
        }
        if self.spans.is_empty() {
            let nulls = self.nulls.as_deref();
            let cells = self.positions.iter().map(|index| {
                // UTF-8 text split at ASCII characters stays UTF-8.
                let text = match whole {
                    Some(whole) => whole.get(value(*index)),
                    None => std::str::from_utf8(&text[value(*index)]).ok(),
                };
                text.map(|text| cell(text, nulls))
            });
            self.rows.push(line, cells);
            return;
        }
        for (spans, index) in self.spans.iter_mut().zip(&self.positions) {
            let value = value(*index);
            spans.push((value.start as u32, value.end as u32));
        }
        self.rows.add_line(line);
    }

    fn quoted(&mut self, text: &'a [u8], first_line: u64) {
        let (mut position, mut line) = (0, first_line);
        let mut values = Vec::with_capacity(self.layout.names.len());
        let delimiter = self.layout.delimiter;
        while let Some(record) =
            quoted::next(text, position, delimiter, |value| values.push(&text[value]))
        {
            line = self.plain(&text[position..record.range.start], line);
            if record.fault.is_some() {
                let reason = "has a quotation mark that is misplaced or not closed";
                self.rows.reject(line, None, reason.into());
            } else if self.is_record(line, values.len(), |index| quoted::inner(values[index])) {
                let cells = self.positions.iter().map(|index| {
                    let text = std::str::from_utf8(values[*index]).ok()?;
                    Some(Some(quoted::unquoted(text)))
                });
                self.rows.push(line, cells);
            }
            values.clear();
            position = record.range.end;
            line += memchr::memchr_iter(b'\n', &text[record.range]).count() as u64;
        }
        self.plain(&text[position..], line);
    }

    /// Whether a line has all values and does not repeat the header.
    fn is_record<'v>(
        &mut self,
        line: u64,
        values: usize,
        value: impl Fn(usize) -> &'v [u8],
    ) -> bool {
        let names = &self.layout.names;
        if values != names.len() {
            let reason = format!("has {values} values, the header has {}", names.len());
            self.rows.reject(line, None, reason);
            return false;
        }
        let mut columns = names.iter().enumerate();
        !columns.all(|(index, name)| value(index) == name.as_bytes())
    }
}

fn cell<'a>(text: &'a str, nulls: Option<&[String]>) -> Cell<'a> {
    match nulls {
        Some(nulls) if nulls.iter().any(|null| null == text) => None,
        Some(_) => Some(unescaped(text)),
        None => Some(Cow::Borrowed(text)),
    }
}

/// Decode Zeek's escapes `\xHH`; return the text unchanged if the bytes are not UTF-8.
fn unescaped(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(position) = rest.find("\\x") {
        bytes.extend_from_slice(&rest.as_bytes()[..position]);
        let digits = rest.get(position + 2..position + 4);
        let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &rest[position + 4..];
        } else {
            bytes.extend_from_slice(b"\\x");
            rest = &rest[position + 2..];
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_zeek_are_decoded() {
        assert_eq!(unescaped(r"a\x09b\x5cx41"), "a\tb\\x41");
        assert_eq!(unescaped(r"\xc3\xa9\x2d"), "é-");
        for text in ["plain", r"a\b", r"\x", r"\xg0", r"\x4", r"\xff", r"\x+1"] {
            assert_eq!(unescaped(text), text);
        }
    }
}
