//! Casts of number and time columns to the types of the core.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, TimestampMicrosecondArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, TimeUnit};

use crate::error::{Error, Result};

/// Cast a column of integers, or of floats without a fraction, to 64-bit integers.
pub fn int64(name: &str, array: &ArrayRef) -> Result<Int64Array> {
    match array.data_type() {
        kind if kind.is_integer() || *kind == DataType::Null => {}
        DataType::Float32 | DataType::Float64 => {}
        DataType::Dictionary(_, values) if values.is_numeric() => {}
        other => {
            return Err(Error::Schema(format!(
                "column {name:?} must hold integers, got {other}"
            )));
        }
    }
    if array.data_type().is_floating() {
        let floats = checked_cast(name, array, &DataType::Float64)?;
        let floats = floats.as_primitive::<arrow::datatypes::Float64Type>();
        let unusable =
            |row: &usize| floats.is_valid(*row) && float_to_int(floats.value(*row)).is_none();
        if let Some(row) = (0..floats.len()).find(unusable) {
            return Err(Error::Value {
                row,
                column: name.into(),
                value: floats.value(row).to_string(),
                reason: "is not a 64-bit integer",
            });
        }
        return Ok(floats
            .iter()
            .map(|value| value.and_then(|v| float_to_int(v).flatten()))
            .collect());
    }
    Ok(checked_cast(name, array, &DataType::Int64)?
        .as_primitive()
        .clone())
}

/// Convert a float to an integer: `Some(None)` for NaN, which is a missing value; `None` for a
/// fraction or a value out of range.
pub fn float_to_int(value: f64) -> Option<Option<i64>> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if value.is_nan() {
        return Some(None);
    }
    (value.fract() == 0.0 && (-LIMIT..LIMIT).contains(&value)).then_some(Some(value as i64))
}

/// Cast a column of timestamps to microseconds; those without a zone are UTC.
pub fn micros(name: &str, array: &ArrayRef) -> Result<TimestampMicrosecondArray> {
    match array.data_type() {
        DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64 | DataType::Null => {}
        other => {
            return Err(Error::Schema(format!(
                "column {name:?} must hold timestamps, got {other}"
            )));
        }
    }
    // A cast to the same zone changes only the unit, not the instant.
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

pub(super) fn checked_cast(name: &str, array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(array, to, &options)
        .map_err(|error| Error::Schema(format!("column {name:?}: {error}")))
}
