//! Batches of named columns: finding a column, and building a batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema, SchemaRef};

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

/// A column with its field.
pub type NamedColumn = (Field, ArrayRef);

/// Name a nullable column.
pub fn named(name: &str, array: ArrayRef) -> NamedColumn {
    let field = Field::new(name, array.data_type().clone(), true);
    (field, array)
}
