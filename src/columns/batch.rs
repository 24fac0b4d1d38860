//! Batches of named columns: finding a column, and building a batch.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::columns::cast::checked_cast;
use crate::error::Result;

/// Bytes of strings that 32-bit offsets can address.
const MAX_STRINGS: i64 = i32::MAX as i64;

/// Index of a column; an exact match of the name precedes one that ignores case.
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

/// Find a column by name.
pub fn find<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a ArrayRef> {
    position(batch.schema_ref(), name).map(|index| batch.column(index))
}

/// Build a batch of columns.
pub fn batch(columns: Vec<NamedColumn>) -> Result<RecordBatch> {
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

/// Concatenate batches of the same columns; dictionaries are decoded if they do not fit into one.
pub fn concat(schema: &SchemaRef, parts: &[RecordBatch]) -> Result<RecordBatch> {
    match parts {
        [one] => return Ok(one.clone()),
        _ if parts.iter().any(|part| part.schema_ref() != schema) => {}
        _ if is_long(schema, parts) => {}
        _ => match concat_batches(schema, parts) {
            Err(ArrowError::DictionaryKeyOverflowError) => {}
            joined => return Ok(joined?),
        },
    }
    let parts = parts.iter().map(without_dictionaries);
    let mut parts = parts.collect::<Result<Vec<_>>>()?;
    if parts
        .first()
        .is_some_and(|first| is_long(&first.schema(), &parts))
    {
        let widened = parts.iter().map(with_large_strings);
        parts = widened.collect::<Result<_>>()?;
    }
    let schema = parts
        .first()
        .map_or_else(|| schema.clone(), RecordBatch::schema);
    Ok(concat_batches(&schema, &parts)?)
}

/// Whether the strings of a column of the parts are too long for 32-bit offsets.
fn is_long(schema: &SchemaRef, parts: &[RecordBatch]) -> bool {
    let bytes = |array: &ArrayRef| {
        let offsets = array.as_string_opt::<i32>().map(StringArray::value_offsets);
        offsets.map_or(0, |offsets| {
            let ends = offsets.first().zip(offsets.last());
            ends.map_or(0, |(first, last)| i64::from(*last) - i64::from(*first))
        })
    };
    (0..schema.fields().len()).any(|index| {
        let lengths = parts.iter().map(|part| bytes(part.column(index)));
        lengths.sum::<i64>() > MAX_STRINGS
    })
}

/// Give the strings of a batch 64-bit offsets.
fn with_large_strings(batch: &RecordBatch) -> Result<RecordBatch> {
    with_columns(batch, |name, array| match array.data_type() {
        DataType::Utf8 => checked_cast(name, array, &DataType::LargeUtf8),
        _ => Ok(Arc::clone(array)),
    })
}

/// Decode the dictionaries of a batch.
pub fn without_dictionaries(batch: &RecordBatch) -> Result<RecordBatch> {
    with_columns(batch, |name, array| match array.data_type() {
        DataType::Dictionary(_, values) => checked_cast(name, array, values),
        _ => Ok(Arc::clone(array)),
    })
}

fn with_columns(
    batch: &RecordBatch,
    convert: impl Fn(&str, &ArrayRef) -> Result<ArrayRef>,
) -> Result<RecordBatch> {
    let columns = batch.schema_ref().fields().iter().zip(batch.columns());
    let converted = columns.map(|(field, array)| {
        let array = convert(field.name(), array)?;
        let kind = array.data_type().clone();
        Ok((field.as_ref().clone().with_data_type(kind), array))
    });
    let (fields, arrays): (Vec<_>, Vec<_>) =
        converted.collect::<Result<Vec<_>>>()?.into_iter().unzip();
    let metadata = batch.schema_ref().metadata().clone();
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    Ok(RecordBatch::try_new(schema, arrays)?)
}

/// A column with its field.
pub type NamedColumn = (Field, ArrayRef);

/// Name a nullable column.
pub fn named(name: &str, array: ArrayRef) -> NamedColumn {
    let field = Field::new(name, array.data_type().clone(), true);
    (field, array)
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, Int64Array};
    use arrow::datatypes::Int8Type;

    use super::*;

    fn part(texts: &[&str], number: i64) -> RecordBatch {
        let coded: DictionaryArray<Int8Type> = texts.iter().copied().collect();
        let rows = texts.len();
        batch(vec![
            named("text", Arc::new(StringArray::from(texts.to_vec()))),
            named("coded", Arc::new(coded)),
            named("number", Arc::new(Int64Array::from(vec![number; rows]))),
        ])
        .unwrap()
    }

    #[test]
    fn strings_beyond_32_bit_offsets_are_long() {
        let text = "x".repeat(1 << 20);
        let one = part(&["", &text, ""], 1);
        let schema = one.schema();
        assert!(!is_long(&schema, &vec![one.clone(); 2_047]));
        assert!(is_long(&schema, &vec![one.clone(); 2_048]));
        // Slices count only with their own strings.
        assert!(!is_long(&schema, &vec![one.slice(2, 1); 2_048]));
    }

    #[test]
    fn large_strings_keep_their_values() {
        let wide = with_large_strings(&part(&["a", "é"], 7)).unwrap();
        assert_eq!(wide.column(0).data_type(), &DataType::LargeUtf8);
        let texts: Vec<_> = wide.column(0).as_string::<i64>().iter().flatten().collect();
        assert_eq!(texts, ["a", "é"]);
        let both = concat(&wide.schema(), &[wide.clone(), wide.clone()]).unwrap();
        assert_eq!((both.num_rows(), both.schema()), (4, wide.schema()));
    }
}
