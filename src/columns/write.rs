//! String columns, written in parallel.

use std::mem::take;
use std::ops::Range;

use arrow::array::StringArray;
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use rayon::prelude::*;

use crate::columns::text::short;
use crate::error::{Error, Result};

/// Rows of one task.
const PART: usize = 1 << 16;

/// Rows from which the size of the remaining ones is estimated.
const SAMPLE: usize = 1 << 10;

/// Strings that columns repeat; those of at most 16 bytes are written as words.
#[derive(Debug)]
pub struct StringPool<'a> {
    texts: Vec<(u128, &'a [u8])>,
}

impl<'a> StringPool<'a> {
    /// A pool of strings, each addressed by its index.
    pub fn new(texts: impl Iterator<Item = &'a str>) -> Self {
        let word = |text: &'a str| {
            let mut word = [0; 16];
            if let Some(start) = word.get_mut(..text.len()) {
                start.copy_from_slice(text.as_bytes());
            }
            (u128::from_le_bytes(word), text.as_bytes())
        };
        Self {
            texts: texts.map(word).collect(),
        }
    }

    /// Write a column of `rows` strings, given by index.
    pub fn column(
        &self,
        rows: usize,
        index: impl Fn(usize) -> Option<usize> + Sync,
    ) -> Result<StringArray> {
        texts(rows, |row, bytes| {
            let text = index(row).map(|index| self.texts[index]);
            match text {
                Some((word, text)) if text.len() <= 16 => write_word(word, text.len(), bytes),
                Some((_, text)) => bytes.extend_from_slice(text),
                None => {}
            }
            text.is_some()
        })
    }
}

/// Append a string; a short one as a word that is truncated to its length.
#[inline]
pub fn write_text(text: &[u8], bytes: &mut Vec<u8>) {
    match short(text) {
        Some(word) => write_word(word.into(), text.len(), bytes),
        None => bytes.extend_from_slice(text),
    }
}

/// Append the first bytes of a little-endian word.
#[inline]
pub fn write_word(word: u128, length: usize, bytes: &mut Vec<u8>) {
    let end = bytes.len() + length;
    bytes.extend_from_slice(&word.to_le_bytes());
    bytes.truncate(end);
}

/// Strings of consecutive rows.
struct Part {
    bytes: Vec<u8>,
    /// End of each row in `bytes`, after a first 0; invalid if `bytes` exceeds 31 bits.
    offsets: Vec<i32>,
    /// Whether each row is valid; empty if all are.
    valid: Vec<bool>,
}

impl Part {
    fn new(rows: Range<usize>, write: impl Fn(usize, &mut Vec<u8>) -> bool) -> Self {
        let mut part = Self {
            bytes: Vec::new(),
            offsets: Vec::with_capacity(rows.len() + 1),
            valid: Vec::new(),
        };
        part.offsets.push(0);
        for (i, row) in rows.clone().enumerate() {
            let valid = write(row, &mut part.bytes);
            if !valid && part.valid.is_empty() {
                part.valid.reserve(rows.len());
                part.valid.resize(i, true);
            }
            if !valid || !part.valid.is_empty() {
                part.valid.push(valid);
            }
            part.offsets.push(part.bytes.len() as i32);
            if i + 1 == SAMPLE {
                let remaining = part.bytes.len() * (rows.len() - SAMPLE) / SAMPLE;
                part.bytes.reserve(remaining + remaining / 16 + 64);
            }
        }
        part
    }

    fn rows(&self) -> usize {
        self.offsets.len() - 1
    }
}

/// Write a string column; `write` appends the bytes of a row and returns false for null.
pub fn texts(
    rows: usize,
    write: impl Fn(usize, &mut Vec<u8>) -> bool + Sync,
) -> Result<StringArray> {
    let mut parts: Vec<Part> = (0..rows.div_ceil(PART).max(1))
        .into_par_iter()
        .map(|part| Part::new(part * PART..rows.min((part + 1) * PART), &write))
        .collect();
    let total: usize = parts.iter().map(|part| part.bytes.len()).sum();
    if i32::try_from(total).is_err() {
        return Err(Error::Argument(format!(
            "a column of the result has {total} bytes, more than the limit of 2147483647; \
             narrow the timespan or the hosts"
        )));
    }
    let nulls = parts.iter().any(|part| !part.valid.is_empty()).then(|| {
        let valid = parts.iter().flat_map(|part| match part.valid.as_slice() {
            [] => vec![true; part.rows()],
            valid => valid.to_vec(),
        });
        valid.collect::<NullBuffer>()
    });
    let (offsets, values) = match parts.as_mut_slice() {
        [one] => (take(&mut one.offsets), fitting(take(&mut one.bytes))),
        _ => joined(parts, rows, total),
    };
    Ok(StringArray::try_new(
        OffsetBuffer::new(ScalarBuffer::from(offsets)),
        Buffer::from_vec(values),
        nulls,
    )?)
}

/// Shrink the memory of the bytes to about their size.
fn fitting(bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() < bytes.capacity() / 8 * 7 {
        bytes.as_slice().to_vec()
    } else {
        bytes
    }
}

/// Concatenate the offsets and bytes of all parts.
fn joined(parts: Vec<Part>, rows: usize, total: usize) -> (Vec<i32>, Vec<u8>) {
    let (mut offsets, mut values) = (vec![0; rows + 1], vec![0; total]);
    let mut targets = Vec::with_capacity(parts.len());
    let (mut offsets_left, mut bytes_left, mut before) = (&mut offsets[1..], &mut values[..], 0);
    for part in parts {
        let (own_offsets, rest) = offsets_left.split_at_mut(part.rows());
        offsets_left = rest;
        let length = part.bytes.len();
        let (own_bytes, rest) = bytes_left.split_at_mut(length);
        bytes_left = rest;
        targets.push((part, own_offsets, own_bytes, before));
        before += length as i32;
    }
    targets
        .into_par_iter()
        .for_each(|(part, offsets, bytes, before)| {
            bytes.copy_from_slice(&part.bytes);
            for (offset, end) in offsets.iter_mut().zip(&part.offsets[1..]) {
                *offset = before + end;
            }
        });
    (offsets, values)
}
