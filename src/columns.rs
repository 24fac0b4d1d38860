//! Columns of any physical type as the few kinds the core works with.

use std::borrow::Cow;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, LargeStringArray,
    RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Int64Type, SchemaRef, TimeUnit};
use rayon::prelude::*;

use crate::error::{Error, Result};

/// Rows that one parallel task works on.
pub const MORSEL: usize = 16_384;

/// Runs `work` over row ranges in parallel and returns the results in row order.
pub fn by_morsel<T: Send>(
    rows: usize,
    work: impl Fn(std::ops::Range<usize>) -> T + Sync,
) -> Vec<T> {
    (0..rows.div_ceil(MORSEL))
        .into_par_iter()
        .map(|morsel| work(morsel * MORSEL..rows.min((morsel + 1) * MORSEL)))
        .collect()
}

/// Answers `of` for every row, in parallel.
pub fn by_row<T: Send>(rows: usize, of: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    (0..rows)
        .into_par_iter()
        .with_min_len(MORSEL)
        .map(of)
        .collect()
}

/// Text of any width, dictionary-encoded or not.
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
    /// No value in any row.
    Null(usize),
}

impl Text {
    /// Reads a text column.
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
                    "column {name:?} has type {other}; text is needed"
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

    /// The text of a row.
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

    /// Applies `f` to the text of every row, in parallel; once for each value of a dictionary.
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

/// The bytes of a short text as a number, the first one lowest.
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

/// [`short`] of a part of a longer text, which need not look how long the part is.
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

/// A column whose values are converted row by row, such as one of a log file.
#[derive(Clone, Debug)]
pub enum Column {
    /// Text.
    Text(Text),
    /// Whole numbers.
    Int(Int64Array),
    /// Numbers.
    Float(Float64Array),
    /// Microseconds since 1970 UTC.
    Time(TimestampMicrosecondArray),
    /// Truth values.
    Bool(BooleanArray),
}

impl Column {
    /// Reads a column of any supported type.
    pub fn read(name: &str, array: &ArrayRef) -> Result<Self> {
        let array = match array.data_type() {
            DataType::Dictionary(_, values) if !is_text(values) => {
                checked_cast(name, array, values)?
            }
            _ => array.clone(),
        };
        Ok(match array.data_type() {
            DataType::Boolean => Self::Bool(array.as_boolean().clone()),
            kind if kind.is_integer() => Self::Int(int64(name, &array)?),
            kind if kind.is_numeric() => Self::Float(
                checked_cast(name, &array, &DataType::Float64)?
                    .as_primitive()
                    .clone(),
            ),
            DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64 => {
                Self::Time(micros(name, &array)?)
            }
            _ => Self::Text(Text::read(name, &array)?),
        })
    }

    /// The value of a row as text, for messages and text fields.
    pub fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => text.get(row).map(Cow::Borrowed),
            Self::Int(a) => a.is_valid(row).then(|| a.value(row).to_string().into()),
            Self::Float(a) => {
                (a.is_valid(row) && !a.value(row).is_nan()).then(|| a.value(row).to_string().into())
            }
            Self::Time(a) => a
                .is_valid(row)
                .then(|| format!("{} us", a.value(row)).into()),
            Self::Bool(a) => a
                .is_valid(row)
                .then(|| if a.value(row) { "true" } else { "false" }.into()),
        }
    }
}

fn is_text(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

/// Reads a column of integers, or of numbers without a fraction.
pub fn int64(name: &str, array: &ArrayRef) -> Result<Int64Array> {
    match array.data_type() {
        kind if kind.is_integer() || *kind == DataType::Null => {}
        DataType::Float32 | DataType::Float64 => {}
        DataType::Dictionary(_, values) if values.is_numeric() => {}
        other => {
            return Err(Error::Schema(format!(
                "column {name:?} has type {other}; whole numbers are needed"
            )));
        }
    }
    if array.data_type().is_floating() {
        let floats = checked_cast(name, array, &DataType::Float64)?;
        let floats = floats.as_primitive::<arrow::datatypes::Float64Type>();
        let unusable =
            |row: &usize| floats.is_valid(*row) && whole_number(floats.value(*row)).is_none();
        if let Some(row) = (0..floats.len()).find(unusable) {
            return Err(Error::Value {
                row,
                column: name.into(),
                value: floats.value(row).to_string(),
                reason: "is not a whole number of 64 bits",
            });
        }
        return Ok(floats
            .iter()
            .map(|value| value.and_then(|v| whole_number(v).flatten()))
            .collect());
    }
    Ok(checked_cast(name, array, &DataType::Int64)?
        .as_primitive()
        .clone())
}

/// `Some(None)` for NaN, which stands for a missing value; `None` where nothing fits.
pub fn whole_number(value: f64) -> Option<Option<i64>> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if value.is_nan() {
        return Some(None);
    }
    (value.fract() == 0.0 && (-LIMIT..LIMIT).contains(&value)).then_some(Some(value as i64))
}

/// Reads a column of timestamps; those without a zone are UTC.
pub fn micros(name: &str, array: &ArrayRef) -> Result<TimestampMicrosecondArray> {
    match array.data_type() {
        DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64 | DataType::Null => {}
        other => {
            return Err(Error::Schema(format!(
                "column {name:?} has type {other}; a timestamp is needed"
            )));
        }
    }
    // Casting to the same zone only changes the unit: the instant is what is stored.
    let zone = match array.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let cast = checked_cast(
        name,
        array,
        &DataType::Timestamp(TimeUnit::Microsecond, zone),
    )?;
    let cast = cast.as_primitive::<arrow::datatypes::TimestampMicrosecondType>();
    Ok(cast.clone().with_timezone_opt(None::<String>))
}

fn checked_cast(name: &str, array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(array, to, &options)
        .map_err(|error| Error::Schema(format!("column {name:?}: {error}")))
}

/// Position of a column, matched without regard to case.
pub fn position(schema: &SchemaRef, name: &str) -> Option<usize> {
    schema
        .fields()
        .iter()
        .position(|field| field.name() == name)
        .or_else(|| {
            schema
                .fields()
                .iter()
                .position(|field| field.name().eq_ignore_ascii_case(name))
        })
}

/// A column by name.
pub fn find<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a ArrayRef> {
    position(batch.schema_ref(), name).map(|index| batch.column(index))
}
