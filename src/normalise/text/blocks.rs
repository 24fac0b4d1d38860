//! Blocks of whole text records, and their normalisation.

use memchr::memchr_iter;
use rayon::prelude::*;

use crate::error::Result;
use crate::normalise::hosts::FoundLines;
use crate::normalise::outcome::Normalised;
use crate::normalise::spec::Spec;
use crate::normalise::text::delimited::{self, Delimited};
use crate::normalise::text::json::JsonRow;
use crate::normalise::text::json_objects;
use crate::normalise::text::plain_json::PlainJson;
use crate::normalise::text::quoted;
use crate::normalise::text::rows::Rows;
use crate::normalise::text::tuples::{self, Tuples};
use crate::normalise::text::typed::{self, Span};

/// Layout of records in a text.
#[derive(Clone, Debug)]
pub enum Layout {
    /// One record per line, as delimited values.
    Delimited(Delimited),
    /// One JSON object per line.
    JsonLines,
    /// JSON objects, separated by anything but braces.
    JsonObjects,
    /// JSON objects, each with many records as strings.
    Tuples(Tuples),
}

/// Bytes of text that one task reads.
const PART: usize = 1 << 19;

/// Lines of a part that show whether its dates have an order of day and month.
const HEAD: usize = 64;

/// Begins each record of a JSON text sequence.
const RECORD_SEPARATOR: u8 = 0x1e;

impl Layout {
    /// Length of the whole records of a block.
    pub fn whole_records(&self, block: &[u8]) -> usize {
        if matches!(self, Self::JsonObjects | Self::Tuples(_)) {
            return json_objects::whole(block);
        }
        match self.quoted(block) {
            Some(delimiter) => quoted::whole(block, delimiter),
            None => memchr::memrchr(b'\n', block).map_or(0, |end| end + 1),
        }
    }

    /// The delimiter, if values may contain line ends.
    fn quoted(&self, block: &[u8]) -> Option<u8> {
        match self {
            Self::Delimited(layout) if layout.quoted => block
                .par_chunks(PART)
                .any(|chunk| memchr::memchr(b'"', chunk).is_some())
                .then_some(layout.delimiter),
            _ => None,
        }
    }

    fn parts<'a>(&self, block: &'a [u8]) -> Vec<&'a [u8]> {
        let quoted = self.quoted(block);
        let mut parts = Vec::with_capacity(block.len() / PART + 1);
        let mut rest = block;
        while rest.len() > PART {
            let end = match (self, quoted) {
                (Self::JsonObjects | Self::Tuples(_), _) => json_objects::end_after(rest, PART),
                (_, Some(delimiter)) => Some(quoted::end_after(rest, delimiter, PART)),
                _ => memchr::memchr(b'\n', &rest[PART..]).map(|end| PART + end + 1),
            };
            let Some(end) = end else {
                break;
            };
            let (part, later) = rest.split_at(end);
            parts.push(part);
            rest = later;
        }
        parts.push(rest);
        parts
    }
}

/// Number of line ends.
pub fn lines(text: &[u8]) -> usize {
    text.par_chunks(PART)
        .map(|chunk| memchr_iter(b'\n', chunk).count())
        .sum()
}

/// Normalise a block of whole records; `first_line` is its first line in the file.
pub fn block(block: &[u8], layout: &Layout, spec: &Spec, first_line: u64) -> Result<Normalised> {
    let wanted = spec.columns();
    let parts = layout.parts(block);
    let lines: Vec<u64> = parts.par_iter().map(|part| lines(part) as u64).collect();
    let first_lines = lines.iter().scan(first_line, |next, lines| {
        let first = *next;
        *next += lines;
        Some(first)
    });
    let done: Vec<Result<Normalised>> = parts
        .par_iter()
        .zip(first_lines.collect::<Vec<_>>())
        .map(
            |(part, line)| match lines_of_hosts(part, layout, spec, &wanted, line)? {
                Some(found) => lines_read(&found, layout, spec, &wanted),
                None => records(part, layout, spec, &wanted, line),
            },
        )
        .collect();
    let mut all = Normalised::default();
    for part in done {
        all.append(part?);
    }
    Ok(all)
}

/// The lines that may have a flow of a wanted host, if they can be searched for: not if the order
/// of day and month depends on the dates of the others.
fn lines_of_hosts(
    part: &[u8],
    layout: &Layout,
    spec: &Spec,
    wanted: &[&str],
    line: u64,
) -> Result<Option<FoundLines>> {
    let Some(hosts) = &spec.hosts else {
        return Ok(None);
    };
    let found = match layout {
        Layout::Delimited(layout) if !layout.may_quote(part) => {
            let header = layout.header();
            let is_other =
                |line: &[u8]| line.first().copied() == layout.comment || line == header.as_bytes();
            hosts.lines(part, line, is_other)
        }
        Layout::JsonLines => hosts.lines(part, line, |line| line.trim_ascii().is_empty()),
        _ => None,
    };
    let needs_order = found.is_some() && spec.notes_dates() && {
        let head = memchr_iter(b'\n', part).nth(HEAD).unwrap_or(part.len());
        !records(&part[..head], layout, spec, wanted, line)?
            .dates
            .is_empty()
    };
    Ok(found.filter(|_| !needs_order))
}

fn lines_read(
    found: &FoundLines,
    layout: &Layout,
    spec: &Spec,
    wanted: &[&str],
) -> Result<Normalised> {
    let mut done = records(&found.text, layout, spec, wanted, 0)?;
    for row in &mut done.bad_rows {
        row.number = found.numbers[row.number as usize];
    }
    done.dates = done.dates.numbered(|row| found.numbers[row as usize]);
    done.records += found.others;
    done.other_hosts += found.others;
    Ok(done)
}

fn records(
    part: &[u8],
    layout: &Layout,
    spec: &Spec,
    wanted: &[&str],
    line: u64,
) -> Result<Normalised> {
    match layout {
        Layout::Delimited(layout) => delimited::read(part, layout, spec, wanted, line),
        Layout::JsonLines => json_lines(part, spec, wanted, line),
        Layout::JsonObjects => json_objects(part, spec, wanted, line),
        Layout::Tuples(layout) => tuples::read(part, layout, spec, wanted, line),
    }
}

fn json_lines(text: &[u8], spec: &Spec, wanted: &[&str], first_line: u64) -> Result<Normalised> {
    let mut start = 0;
    let ends = memchr_iter(b'\n', text).chain([text.len()]);
    let lines = (first_line..).zip(ends.map(|end| {
        let line = &text[start..end];
        start = end + 1;
        line
    }));
    let records = lines.map(|(line, text)| (line, json_lines_record(text)));
    let records = records.filter(|(_, text)| !text.is_empty());
    let records: Vec<_> = records.map(|(line, text)| (line, Ok(text))).collect();
    json_records(text, &records, spec, wanted)
}

/// The object of a record, or what is wrong with it, and the number of its first line.
type NumberedRecord<'a> = (u64, Result<&'a [u8], String>);

/// Normalise the objects of a text.
fn json_records<'a>(
    text: &'a [u8],
    records: &[NumberedRecord<'a>],
    spec: &Spec,
    wanted: &[&str],
) -> Result<Normalised> {
    let row = JsonRow::new(wanted, None);
    if let Some((whole, found)) = plain_records(text, records, &row, wanted.len()) {
        let (columns, rows) = found;
        let batch = typed::batch(whole, &columns, wanted, spec)?;
        return rows.normalise_table(batch, spec);
    }
    let mut rows = Rows::new(wanted);
    for (line, record) in records {
        match record.clone().and_then(|record| row.read(record)) {
            Ok(values) => rows.add(*line, values.into_iter()),
            Err(reason) => rows.reject(*line, None, reason),
        }
    }
    rows.normalise(spec)
}

/// The positions of the values, by column, and the lines, if all objects are plain.
fn plain_records<'a>(
    text: &'a [u8],
    records: &[NumberedRecord<'a>],
    row: &JsonRow,
    wanted: usize,
) -> Option<(&'a str, (Vec<Vec<Span>>, Rows<'a, 'static>))> {
    u32::try_from(text.len()).ok()?;
    let whole = std::str::from_utf8(text).ok()?;
    let (mut plain, mut rows) = (PlainJson::new(row), Rows::new(&[]));
    let mut columns = vec![Vec::new(); wanted];
    let mut spans = vec![(0, 0); wanted];
    for (line, record) in records {
        match record {
            Ok(record) => {
                let start = record.as_ptr() as usize - text.as_ptr() as usize;
                spans.fill((0, 0));
                if !plain.read(whole, start..start + record.len(), &mut spans) {
                    return None;
                }
                for (column, span) in columns.iter_mut().zip(&spans) {
                    column.push(*span);
                }
                rows.add_line(*line);
            }
            Err(reason) => rows.reject(*line, None, reason.clone()),
        }
    }
    Some((whole, (columns, rows)))
}

/// The record of a line, without spaces and the record separators of RFC 7464 around it.
fn json_lines_record(line: &[u8]) -> &[u8] {
    let is_other = |byte: &u8| !byte.is_ascii_whitespace() && *byte != RECORD_SEPARATOR;
    let start = line.iter().position(is_other).unwrap_or(line.len());
    let end = line.iter().rposition(is_other).map_or(start, |end| end + 1);
    &line[start..end]
}

fn json_objects(text: &[u8], spec: &Spec, wanted: &[&str], first_line: u64) -> Result<Normalised> {
    let records: Vec<_> = json_objects::numbered(text, first_line).collect();
    json_records(text, &records, spec, wanted)
}
