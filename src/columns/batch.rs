//! Batches of named columns: finding a column, and building a batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema, SchemaRef};

use crate::error::Result;

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

/// A table of the given columns.
pub fn batch(columns: Vec<NamedColumn>) -> Result<RecordBatch> {
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

/// A column with its name and type.
pub type NamedColumn = (Field, ArrayRef);

/// A named column of the type of its values.
pub fn named(name: &str, array: ArrayRef) -> NamedColumn {
    let field = Field::new(name, array.data_type().clone(), true);
    (field, array)
}
