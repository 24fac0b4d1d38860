//! Batches of named columns: finding a column, and building a batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::columns::cast::checked_cast;
use crate::error::Result;

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
        _ => match concat_batches(schema, parts) {
            Err(ArrowError::DictionaryKeyOverflowError) => {}
            joined => return Ok(joined?),
        },
    }
    let parts = parts.iter().map(without_dictionaries);
    let parts = parts.collect::<Result<Vec<_>>>()?;
    let schema = parts
        .first()
        .map_or_else(|| schema.clone(), RecordBatch::schema);
    Ok(concat_batches(&schema, &parts)?)
}

/// Decode the dictionaries of a batch.
pub fn without_dictionaries(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.schema_ref().fields().iter().zip(batch.columns());
    let decoded = columns.map(|(field, array)| match array.data_type() {
        DataType::Dictionary(_, values) => {
            let decoded = checked_cast(field.name(), array, values)?;
            let kind = decoded.data_type().clone();
            Ok((field.as_ref().clone().with_data_type(kind), decoded))
        }
        _ => Ok((field.as_ref().clone(), Arc::clone(array))),
    });
    let (fields, arrays): (Vec<_>, Vec<_>) =
        decoded.collect::<Result<Vec<_>>>()?.into_iter().unzip();
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
