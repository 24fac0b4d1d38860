//! Columns of any physical type as one of the types of the core.

use std::borrow::Cow;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DurationMicrosecondArray, Float64Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, TimeUnit};

use crate::columns::cast::{checked_cast, int64, micros};
use crate::columns::text::Text;
use crate::error::Result;

/// A column whose values are converted row by row, such as that of a log file.
#[derive(Clone, Debug)]
pub enum Column {
    /// Strings.
    Text(Text),
    /// Integers.
    Int(Int64Array),
    /// Floats.
    Float(Float64Array),
    /// Microseconds since 1970 UTC.
    Time(TimestampMicrosecondArray),
    /// Durations in microseconds.
    Duration(DurationMicrosecondArray),
    /// Booleans.
    Bool(BooleanArray),
}

impl Column {
    /// Read a column of any supported type.
    pub fn read(name: &str, array: &ArrayRef) -> Result<Self> {
        let array = match array.data_type() {
            DataType::Dictionary(_, values) if !is_text(values) => {
                checked_cast(name, array, values)?
            }
            _ => array.clone(),
        };
        Ok(match array.data_type() {
            DataType::Boolean => Self::Bool(array.as_boolean().clone()),
            // A number that is no 64-bit integer is a bad value of its row only.
            kind if kind.is_integer() || kind.is_decimal() => match int64(name, &array) {
                Ok(integers) => Self::Int(integers),
                Err(_) => Self::Text(decimals(name, &array)?),
            },
            kind if kind.is_numeric() => Self::Float(
                checked_cast(name, &array, &DataType::Float64)?
                    .as_primitive()
                    .clone(),
            ),
            DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64 => {
                Self::Time(micros(name, &array)?)
            }
            DataType::Duration(_) => {
                let kind = DataType::Duration(TimeUnit::Microsecond);
                Self::Duration(checked_cast(name, &array, &kind)?.as_primitive().clone())
            }
            _ => Self::Text(Text::read(name, &array)?),
        })
    }

    /// The value of a row as a string, for messages and string fields.
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
            Self::Duration(a) => a
                .is_valid(row)
                .then(|| format!("{} us", a.value(row)).into()),
            Self::Bool(a) => a
                .is_valid(row)
                .then(|| if a.value(row) { "true" } else { "false" }.into()),
        }
    }
}

/// Numbers as strings, without zeros at the end of a fraction.
fn decimals(name: &str, array: &ArrayRef) -> Result<Text> {
    let texts = checked_cast(name, array, &DataType::Utf8)?;
    let trimmed = texts.as_string::<i32>().iter().map(|text| {
        text.map(|text| {
            if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.')
            } else {
                text
            }
        })
    });
    Ok(Text::Utf8(trimmed.collect::<StringArray>()))
}

fn is_text(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}
