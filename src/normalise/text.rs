//! Records of text: delimited lines and JSON lines.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use memchr::memchr_iter;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::normalise::json::JsonRow;
use crate::normalise::spec::{Endpoints, Spec};
use crate::normalise::{BadRow, Normalised, records};

/// How records stand in a text.
#[derive(Clone, Debug)]
pub enum Layout {
    /// A record a line, its values between delimiters.
    Delimited {
        /// The delimiter.
        delimiter: u8,
        /// Whether a value may stand in double quotes.
        quoted: bool,
        /// First character of lines that are no records.
        comment: Option<u8>,
        /// Names of all columns.
        names: Vec<String>,
    },
    /// A JSON object a line.
    JsonLines,
}

/// Text that one task reads.
const PART: usize = 1 << 20;

impl Layout {
    /// Length of the part of a block that holds whole records.
    pub fn whole_records(&self, block: &[u8]) -> usize {
        let quoted = matches!(self, Self::Delimited { quoted: true, .. });
        if !quoted || memchr::memchr(b'"', block).is_none() {
            return memchr::memrchr(b'\n', block).map_or(0, |end| end + 1);
        }
        let (mut inside, mut end) = (false, 0);
        for place in memchr::memchr2_iter(b'"', b'\n', block) {
            match block[place] {
                b'"' => inside = !inside,
                _ if !inside => end = place + 1,
                _ => {}
            }
        }
        end
    }

    fn parts<'a>(&self, block: &'a [u8]) -> Vec<&'a [u8]> {
        let quoted = matches!(self, Self::Delimited { quoted: true, .. });
        if quoted && memchr::memchr(b'"', block).is_some() {
            return vec![block];
        }
        let mut parts = Vec::with_capacity(block.len() / PART + 1);
        let mut rest = block;
        while rest.len() > PART {
            let Some(end) = memchr::memchr(b'\n', &rest[PART..]) else {
                break;
            };
            let (part, later) = rest.split_at(PART + end + 1);
            parts.push(part);
            rest = later;
        }
        parts.push(rest);
        parts
    }
}

/// Normalises a block of whole records that begins at the given line of its file.
pub fn block(block: &[u8], layout: &Layout, spec: &Spec, first_line: u64) -> Result<Normalised> {
    let wanted = columns_of(spec);
    let mut line = first_line;
    let mut parts = Vec::new();
    for part in layout.parts(block) {
        parts.push((part, line));
        line += memchr_iter(b'\n', part).count() as u64;
    }
    let done: Vec<Normalised> = parts
        .into_par_iter()
        .map(|(part, line)| match layout {
            Layout::Delimited { .. } => delimited(part, layout, spec, &wanted, line),
            Layout::JsonLines => json_lines(part, spec, &wanted, line),
        })
        .collect::<Result<_>>()?;
    let mut all = Normalised::default();
    for part in done {
        all.append(part);
    }
    Ok(all)
}

/// The columns of the log that a specification reads.
fn columns_of(spec: &Spec) -> Vec<&str> {
    let ends = spec.endpoints.iter().flat_map(|endpoints| match endpoints {
        Endpoints::Pair { source, dest } => vec![source, dest],
        Endpoints::Oriented {
            local,
            peers,
            direction,
        } => vec![local, peers, direction],
    });
    let fields = spec.fields.iter().flat_map(|field| &field.columns);
    let keep = spec.keep.iter().map(|(name, _)| name);
    let mut names: Vec<&str> = ends.chain(fields).chain(keep).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Text columns under construction.
struct Rows<'a> {
    names: &'a [&'a str],
    columns: Vec<StringBuilder>,
    lines: Vec<u64>,
    refused: Normalised,
}

impl<'a> Rows<'a> {
    fn new(names: &'a [&'a str]) -> Self {
        Self {
            names,
            columns: names.iter().map(|_| StringBuilder::new()).collect(),
            lines: Vec::new(),
            refused: Normalised::default(),
        }
    }

    fn refuse(&mut self, line: u64, reason: String) {
        self.refused.records += 1;
        self.refused.refuse(BadRow {
            number: line,
            column: None,
            value: None,
            reason,
        });
    }

    fn normalise(mut self, spec: &Spec) -> Result<Normalised> {
        let fields: Vec<Field> = self
            .names
            .iter()
            .map(|name| Field::new(*name, DataType::Utf8, true))
            .collect();
        let arrays = self
            .columns
            .iter_mut()
            .map(|c| Arc::new(c.finish()) as _)
            .collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
        let mut out = records(&batch, spec, &self.lines)?;
        out.append(self.refused);
        Ok(out)
    }
}

fn delimited(
    text: &[u8],
    layout: &Layout,
    spec: &Spec,
    wanted: &[&str],
    first_line: u64,
) -> Result<Normalised> {
    let Layout::Delimited {
        delimiter,
        quoted,
        comment,
        names,
    } = layout
    else {
        unreachable!("called for delimited text only");
    };
    let places = wanted
        .iter()
        .map(|name| {
            names
                .iter()
                .position(|n| n == name)
                .ok_or_else(|| Error::Schema(format!("the header names no column {name:?}")))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(*delimiter)
        .quoting(*quoted)
        .comment(*comment)
        .has_headers(false)
        .flexible(true)
        .from_reader(text);
    let mut rows = Rows::new(wanted);
    let mut record = csv::ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Err(Error::Format(error.to_string())),
        }
        let line = first_line + record.position().map_or(0, |p| p.line() - 1);
        if record.len() != names.len() {
            rows.refuse(
                line,
                format!(
                    "has {} values; the header names {}",
                    record.len(),
                    names.len()
                ),
            );
            continue;
        }
        let values: Result<Vec<&str>, _> = places
            .iter()
            .map(|place| std::str::from_utf8(&record[*place]))
            .collect();
        let Ok(values) = values else {
            rows.refuse(line, "is not UTF-8 text".into());
            continue;
        };
        for (column, value) in rows.columns.iter_mut().zip(values) {
            column.append_value(value);
        }
        rows.lines.push(line);
    }
    rows.normalise(spec)
}

fn json_lines(text: &[u8], spec: &Spec, wanted: &[&str], first_line: u64) -> Result<Normalised> {
    let mut rows = Rows::new(wanted);
    let mut row = JsonRow::new(wanted);
    for (line, text) in (first_line..).zip(text.split(|byte| *byte == b'\n')) {
        let text = text.trim_ascii();
        if text.is_empty() {
            continue;
        }
        match row.read(text) {
            Ok(values) => {
                for (column, value) in rows.columns.iter_mut().zip(values) {
                    column.append_option(value.as_ref().map(Cow::as_ref));
                }
                rows.lines.push(line);
            }
            Err(reason) => rows.refuse(line, reason),
        }
    }
    rows.normalise(spec)
}
