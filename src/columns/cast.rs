//! Casts of number and time columns to the types of the core.

use arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, Int64Array, PrimitiveArray,
    TimestampMicrosecondArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    ArrowNativeType, DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DecimalType, Float64Type, TimeUnit, UInt64Type,
};

use crate::columns::parallel::by_morsel;
use crate::error::{Error, Result};

/// Cast a column of integers, or of floats or decimals without a fraction, to 64-bit integers.
pub fn int64(name: &str, array: &ArrayRef) -> Result<Int64Array> {
    match array.data_type() {
        DataType::UInt64 => {
            let integers = array.as_primitive::<UInt64Type>();
            exact(
                name,
                integers,
                |value| value.to_i64().map(Some),
                |value| value.to_string(),
            )
        }
        kind if kind.is_integer() || *kind == DataType::Null => {
            Ok(checked_cast(name, array, &DataType::Int64)?
                .as_primitive()
                .clone())
        }
        kind if kind.is_floating() => {
            let floats = checked_cast(name, array, &DataType::Float64)?;
            let floats = floats.as_primitive::<Float64Type>();
            exact(name, floats, float_to_int, |value| value.to_string())
        }
        DataType::Decimal32(..) => decimal::<Decimal32Type>(name, array),
        DataType::Decimal64(..) => decimal::<Decimal64Type>(name, array),
        DataType::Decimal128(..) => decimal::<Decimal128Type>(name, array),
        DataType::Decimal256(..) => decimal::<Decimal256Type>(name, array),
        DataType::Dictionary(_, values) if values.is_numeric() || values.is_null() => {
            int64(name, &checked_cast(name, array, values)?)
        }
        other => Err(Error::Schema(format!(
            "column {name:?} must hold integers, got {other}"
        ))),
    }
}

/// Convert each value; `None` is not a 64-bit integer, `Some(None)` a missing value.
fn exact<T: ArrowPrimitiveType>(
    name: &str,
    array: &PrimitiveArray<T>,
    convert: impl Fn(T::Native) -> Option<Option<i64>>,
    show: impl Fn(T::Native) -> String,
) -> Result<Int64Array> {
    let convert = |(row, value): (usize, Option<T::Native>)| match value {
        None => Ok(None),
        Some(value) => convert(value).ok_or_else(|| Error::Value {
            row,
            column: name.into(),
            value: show(value),
            reason: "is not a 64-bit integer",
        }),
    };
    array.iter().enumerate().map(convert).collect()
}

fn decimal<T: DecimalType>(name: &str, array: &ArrayRef) -> Result<Int64Array>
where
    T::Native: ArrowNativeTypeOp,
{
    let array = array.as_primitive::<T>();
    let (precision, scale) = (array.precision(), array.scale());
    let power = T::Native::usize_as(10).pow_checked(scale.unsigned_abs().into());
    let integer = |value: T::Native| {
        if value.is_zero() {
            return Some(Some(0));
        }
        let power = *power.as_ref().ok()?;
        let integer = if scale < 0 {
            value.mul_checked(power).ok()?
        } else if value.mod_checked(power).ok()?.is_zero() {
            value.div_checked(power).ok()?
        } else {
            return None;
        };
        integer.to_i64().map(Some)
    };
    let show = |value| T::format_decimal(value, precision, scale);
    exact(name, array, integer, show)
}

/// The first negative value.
pub fn first_negative(values: &Int64Array) -> Option<usize> {
    let signs = by_morsel(values.len(), |rows| {
        values.values()[rows]
            .iter()
            .fold(0, |signs, value| signs | value)
    });
    // Nulls may have any value.
    let is_negative = |row: &usize| values.is_valid(*row) && values.value(*row) < 0;
    let any = signs.into_iter().any(|sign| sign < 0);
    any.then(|| (0..values.len()).find(is_negative)).flatten()
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

/// Cast a column; a value that does not fit is an error.
pub fn checked_cast(name: &str, array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(array, to, &options)
        .map_err(|error| Error::Schema(format!("column {name:?}: {error}")))
}
