//! Canonical columns under construction.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{Field, Schema};

use crate::columns::batch::batch;
use crate::error::Result;
use crate::flow::schema::CANONICAL;

/// Canonical columns under construction.
pub(super) type CanonicalColumns<'a> = Vec<(&'a str, ArrayRef)>;

pub(super) fn position(columns: &CanonicalColumns<'_>, name: &str) -> Option<usize> {
    columns.iter().position(|(known, _)| *known == name)
}

/// An all-null canonical column; short ones share memory.
fn nulls(field: &Field, rows: usize) -> ArrayRef {
    const SHARED: usize = 1 << 15;
    static COLUMNS: LazyLock<Vec<ArrayRef>> = LazyLock::new(|| {
        let fields = CANONICAL.fields().iter();
        fields
            .map(|field| new_null_array(field.data_type(), SHARED))
            .collect()
    });
    match CANONICAL.index_of(field.name()) {
        Ok(index) if rows <= SHARED => COLUMNS[index].slice(0, rows),
        _ => new_null_array(field.data_type(), rows),
    }
}

/// Build projected flows: the columns that have values, and the wanted ones.
pub(super) fn projected(
    mut columns: CanonicalColumns<'_>,
    wanted: &[String],
    rows: usize,
) -> Result<RecordBatch> {
    for name in wanted {
        if let (None, Ok(field)) = (position(&columns, name), CANONICAL.field_with_name(name)) {
            columns.push((field.name(), nulls(field, rows)));
        }
    }
    let field = |(name, array): (&str, ArrayRef)| {
        let field = Field::new(name, array.data_type().clone(), true);
        (field, array)
    };
    batch(columns.into_iter().map(field).collect())
}

/// Build the flows: all canonical columns, followed by extra columns of the format.
pub(super) fn canonical(columns: &CanonicalColumns<'_>, rows: usize) -> Result<RecordBatch> {
    let mut fields: Vec<Field> = CANONICAL
        .fields()
        .iter()
        .map(|f| f.as_ref().clone())
        .collect();
    for (name, column) in columns {
        if CANONICAL.field_with_name(name).is_err() {
            fields.push(Field::new(*name, column.data_type().clone(), true));
        }
    }
    let arrays = fields.iter().map(|field| {
        position(columns, field.name())
            .map_or_else(|| nulls(field, rows), |index| Arc::clone(&columns[index].1))
    });
    let arrays = arrays.collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}
