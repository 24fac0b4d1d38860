//! Columns from outside the core: validated, and decoded to the types that the core reads.
//!
//! Arrow libraries trust offsets, keys and UTF-8 without a check. A damaged file or a foreign
//! producer may violate them, so every imported batch passes through here once.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, GenericStringArray, Int64Array, LargeBinaryArray,
    OffsetSizeTrait, RecordBatch, RecordBatchOptions, StringViewArray,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Int64Type, Schema};

use crate::columns::parallel::by_morsel;
use crate::error::{Error, Result};

/// Rows with a string that is not UTF-8, each with the index of the first such column.
pub type InvalidRows = BTreeMap<usize, usize>;

/// A decoded column, and the rows with a string that is not UTF-8.
type Imported = (ArrayRef, Vec<usize>);

/// Validate and decode a batch.
///
/// Dictionaries of anything but strings and run-end encoded columns are decoded. A caller must
/// not read the strings of invalid rows.
pub fn imported(batch: &RecordBatch) -> Result<(RecordBatch, InvalidRows)> {
    let mut invalid = InvalidRows::new();
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (index, (field, array)) in (batch.schema_ref().fields().iter())
        .zip(batch.columns())
        .enumerate()
    {
        let (array, rows) = named_column(field.name(), array)?;
        for row in rows {
            invalid.entry(row).or_insert(index);
        }
        let kind = array.data_type().clone();
        fields.push(field.as_ref().clone().with_data_type(kind));
        arrays.push(array);
    }
    let schema = Schema::new_with_metadata(fields, batch.schema_ref().metadata().clone());
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let batch = RecordBatch::try_new_with_options(Arc::new(schema), arrays, &options)?;
    Ok((batch, invalid))
}

/// Validate and decode a column without invalid strings.
pub fn imported_column(name: &str, array: &ArrayRef) -> Result<ArrayRef> {
    let (array, rows) = named_column(name, array)?;
    match rows.first() {
        Some(row) => Err(not_utf8(name, &array, *row)),
        None => Ok(array),
    }
}

/// The error of a string that is not UTF-8.
pub fn not_utf8(name: &str, array: &ArrayRef, row: usize) -> Error {
    Error::Value {
        row,
        column: name.into(),
        value: lossy(array, row),
        reason: NOT_UTF8,
    }
}

/// What is wrong with a string that is not UTF-8.
pub const NOT_UTF8: &str = "is not UTF-8";

/// A string that is not UTF-8, for messages.
pub fn lossy(array: &ArrayRef, row: usize) -> String {
    let one = array.slice(row, 1);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().take(80).collect();
    match one.data_type() {
        DataType::Utf8 => text(BinaryArray::from(one.as_string::<i32>().clone()).value(0)),
        DataType::LargeUtf8 => {
            text(LargeBinaryArray::from(one.as_string::<i64>().clone()).value(0))
        }
        DataType::Utf8View => text(one.as_string_view().clone().to_binary_view().value(0)),
        _ => String::new(),
    }
}

fn named_column(name: &str, array: &ArrayRef) -> Result<Imported> {
    column(array).map_err(|reason| Error::Format(format!("column {name:?} is damaged: {reason}")))
}

fn column(array: &ArrayRef) -> Result<Imported, String> {
    if let Some(nulls) = array.nulls()
        && NullBuffer::new(nulls.inner().clone()).null_count() != nulls.null_count()
    {
        return Err("the number of nulls is wrong".into());
    }
    let invalid = match array.data_type() {
        DataType::Utf8 => strings(array.as_string::<i32>())?,
        DataType::LargeUtf8 => strings(array.as_string::<i64>())?,
        DataType::Utf8View => views(array.as_string_view())?,
        DataType::Dictionary(_, _) => return dictionary(array),
        DataType::RunEndEncoded(_, values) => {
            full(array)?;
            return Ok((cast(array, values.data_type())?, Vec::new()));
        }
        kind if kind.is_primitive() || matches!(kind, DataType::Boolean | DataType::Null) => {
            Vec::new()
        }
        _ => {
            full(array)?;
            Vec::new()
        }
    };
    Ok((Arc::clone(array), invalid))
}

fn strings<O: OffsetSizeTrait>(array: &GenericStringArray<O>) -> Result<Vec<usize>, String> {
    let (offsets, bytes) = (array.value_offsets(), array.value_data());
    let invalid = by_morsel(array.len(), |rows| {
        let own = &offsets[rows.start..=rows.end];
        let falls = own
            .iter()
            .zip(&own[1..])
            .map(|(start, end)| usize::from(start > end));
        let ordered = falls.sum::<usize>() == 0;
        let (first, last) = (own[0].to_usize(), own[rows.len()].to_usize());
        let part = match (first, last) {
            (Some(first), Some(last)) if ordered => bytes.get(first..last),
            _ => None,
        };
        let part = part.ok_or("its offsets are out of order or exceed its strings")?;
        if part.is_ascii() {
            return Ok(Vec::new());
        }
        let bytes_of = |row: usize| &bytes[offsets[row].as_usize()..offsets[row + 1].as_usize()];
        let is_invalid =
            |row: &usize| array.is_valid(*row) && str::from_utf8(bytes_of(*row)).is_err();
        Ok(rows.filter(is_invalid).collect())
    });
    joined(invalid)
}

fn views(array: &StringViewArray) -> Result<Vec<usize>, String> {
    let (views, buffers) = (array.views(), array.data_buffers());
    let invalid = by_morsel(array.len(), |rows| {
        let mut invalid = Vec::new();
        for row in rows.filter(|row| array.is_valid(*row)) {
            let view = views[row];
            let length = view as u32 as usize;
            let inline = view.to_le_bytes();
            let bytes = if let Some(short) = inline[4..].get(..length) {
                Some(short)
            } else {
                let (buffer, start) = ((view >> 64) as u32, (view >> 96) as usize);
                let buffer = buffers.get(buffer as usize);
                buffer.and_then(|buffer| buffer.get(start..start + length))
            };
            let bytes = bytes.ok_or("a view exceeds its buffers")?;
            if str::from_utf8(bytes).is_err() {
                invalid.push(row);
            }
        }
        Ok(invalid)
    });
    joined(invalid)
}

fn dictionary(array: &ArrayRef) -> Result<Imported, String> {
    let dictionary = array.as_any_dictionary();
    let (values, invalid) = column(dictionary.values())?;
    let keys = dictionary.keys();
    let keys = cast(&keys.slice(0, keys.len()), &DataType::Int64)?;
    let keys = keys.as_primitive::<Int64Type>();
    check_keys(keys, values.len())?;
    let DataType::Dictionary(key_type, value_type) = array.data_type() else {
        unreachable!("only dictionaries are passed")
    };
    let decoded = match value_type.as_ref() {
        _ if !invalid.is_empty() => cast(array, value_type)?,
        DataType::Utf8 | DataType::LargeUtf8 => Arc::clone(array),
        // Arrow merges dictionaries of other strings only.
        DataType::Utf8View => {
            let kind = DataType::Dictionary(key_type.clone(), Box::new(DataType::Utf8));
            cast(array, &kind)?
        }
        _ => cast(array, values.data_type())?,
    };
    let is_invalid = |row: &usize| {
        keys.is_valid(*row) && invalid.binary_search(&(keys.value(*row) as usize)).is_ok()
    };
    let rows = if invalid.is_empty() {
        Vec::new()
    } else {
        (0..keys.len()).filter(is_invalid).collect()
    };
    Ok((decoded, rows))
}

/// Check that every key that is not null is the index of a value.
fn check_keys(keys: &Int64Array, values: usize) -> Result<(), String> {
    let within = by_morsel(keys.len(), |rows| {
        let in_range = |key: i64| (key as u64) < values as u64;
        keys.values()[rows.clone()]
            .iter()
            .fold(true, |within, key| within & in_range(*key))
            || rows
                .into_iter()
                .all(|row| keys.is_null(row) || in_range(keys.value(row)))
    });
    if within.into_iter().all(|within| within) {
        return Ok(());
    }
    Err(format!("a key exceeds its dictionary of {values} values"))
}

fn joined(parts: Vec<Result<Vec<usize>, &'static str>>) -> Result<Vec<usize>, String> {
    let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(parts.concat())
}

fn full(array: &ArrayRef) -> Result<(), String> {
    array
        .to_data()
        .validate_full()
        .map_err(|error| error.to_string())
}

fn cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, String> {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(array, to, &options).map_err(|error| error.to_string())
}
