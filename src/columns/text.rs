//! String columns of any width, dictionary-encoded or not.

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, LargeStringArray, StringArray, StringViewArray,
};
use arrow::datatypes::{DataType, Int64Type};

use crate::columns::cast::checked_cast;
use crate::columns::parallel::by_row;
use crate::error::{Error, Result};

/// A string column of any width, dictionary-encoded or not.
#[derive(Clone, Debug)]
pub enum Text {
    /// 32-bit offsets.
    Utf8(StringArray),
    /// 64-bit offsets.
    Large(LargeStringArray),
    /// Views.
    View(StringViewArray),
    /// Indices into distinct values.
    Dictionary(Int64Array, Box<Text>),
    /// Null in every row.
    Null(usize),
}

impl Text {
    /// Read a string column.
    pub fn read(name: &str, array: &ArrayRef) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Utf8(array.as_string().clone()),
            DataType::LargeUtf8 => Self::Large(array.as_string().clone()),
            DataType::Utf8View => Self::View(array.as_string_view().clone()),
            DataType::Null => Self::Null(array.len()),
            DataType::Dictionary(_, _) => {
                let dictionary = array.as_any_dictionary();
                let keys = checked_cast(name, &keys_of(array), &DataType::Int64)?;
                Self::Dictionary(
                    keys.as_primitive::<Int64Type>().clone(),
                    Box::new(Self::read(name, dictionary.values())?),
                )
            }
            other => {
                return Err(Error::Schema(format!(
                    "column {name:?} must hold strings, got {other}"
                )));
            }
        })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Utf8(a) => a.len(),
            Self::Large(a) => a.len(),
            Self::View(a) => a.len(),
            Self::Dictionary(keys, _) => keys.len(),
            Self::Null(len) => *len,
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The string of a row.
    pub fn get(&self, row: usize) -> Option<&str> {
        match self {
            Self::Utf8(a) => a.is_valid(row).then(|| a.value(row)),
            Self::Large(a) => a.is_valid(row).then(|| a.value(row)),
            Self::View(a) => a.is_valid(row).then(|| a.value(row)),
            Self::Dictionary(keys, values) => keys
                .is_valid(row)
                .then(|| values.get(keys.value(row) as usize))
                .flatten(),
            Self::Null(_) => None,
        }
    }

    /// Apply `f` to the string of every row in parallel; once for each value of a dictionary.
    pub fn map<T: Clone + Send + Sync>(&self, f: impl Fn(Option<&str>) -> T + Sync) -> Vec<T> {
        self.map_by(&f)
    }

    fn map_by<T: Clone + Send + Sync, F: Fn(Option<&str>) -> T + Sync>(&self, f: &F) -> Vec<T> {
        match self {
            Self::Utf8(a) => by_row(a.len(), |row| f(a.is_valid(row).then(|| a.value(row)))),
            Self::Large(a) => by_row(a.len(), |row| f(a.is_valid(row).then(|| a.value(row)))),
            Self::View(a) => by_row(a.len(), |row| f(a.is_valid(row).then(|| a.value(row)))),
            Self::Dictionary(keys, values) => {
                let none = f(None);
                let mapped = values.map_by(f);
                by_row(keys.len(), |row| {
                    if keys.is_valid(row) {
                        mapped[keys.value(row) as usize].clone()
                    } else {
                        none.clone()
                    }
                })
            }
            Self::Null(rows) => vec![f(None); *rows],
        }
    }
}

/// The bytes of a string of at most 8 bytes as a little-endian word.
#[inline]
pub fn short(text: &[u8]) -> Option<u64> {
    let word = |chunk: &[u8; 4]| u64::from(u32::from_le_bytes(*chunk));
    match text {
        [] => Some(0),
        [one] => Some(u64::from(*one)),
        [first, second] => Some(u64::from(*first) | u64::from(*second) << 8),
        [first, second, third] => {
            Some(u64::from(*first) | u64::from(*second) << 8 | u64::from(*third) << 16)
        }
        _ if text.len() <= 8 => {
            let (first, last) = (text.first_chunk()?, text.last_chunk()?);
            Some(word(first) | word(last) << (8 * (text.len() - 4)))
        }
        _ => None,
    }
}

/// [`short`] of a part of a longer string; one read of 8 bytes whatever the length of the part.
#[inline]
pub fn short_at(text: &[u8], start: usize, length: usize) -> Option<u64> {
    match text.get(start..).and_then(<[u8]>::first_chunk) {
        Some(chunk) if length <= 8 => {
            let others = 64 - 8 * length as u32;
            Some(u64::from_le_bytes(*chunk) & u64::MAX.checked_shr(others).unwrap_or(0))
        }
        _ => short(text.get(start..start + length)?),
    }
}

fn keys_of(array: &ArrayRef) -> ArrayRef {
    let keys = array.as_any_dictionary().keys();
    keys.slice(0, keys.len())
}
