//! The direction of every flow, as columns beside the flows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};

use crate::columns::by_morsel;
use crate::direction::{Direction, Reason, Rules};
use crate::error::Result;
use crate::flows::FlowBatch;

/// Adds the columns `direction` and `direction_reason`, or renews them.
pub fn classify(batch: &FlowBatch, rules: &Rules) -> Result<RecordBatch> {
    let source = batch.addresses("src_ip")?;
    let dest = batch.addresses("dst_ip")?;
    let reported = batch
        .text("reported_direction")?
        .map(|text| text.and_then(Direction::parse));
    let verdicts: Vec<(Direction, Reason)> = by_morsel(batch.rows(), |rows| {
        rows.map(|row| rules.classify(source.get(row).get(), dest.get(row).get(), reported[row]))
            .collect::<Vec<_>>()
    })
    .concat();
    let directions: StringArray = verdicts.iter().map(|(d, _)| Some(d.word())).collect();
    let reasons: StringArray = verdicts.iter().map(|(_, r)| Some(r.name())).collect();
    let new: [(&str, ArrayRef); 2] = [
        ("direction", Arc::new(directions)),
        ("direction_reason", Arc::new(reasons)),
    ];
    let flows = batch.record_batch();
    let kept = flows.schema_ref().fields().iter().zip(flows.columns());
    let kept = kept.filter(|(field, _)| new.iter().all(|(name, _)| name != field.name()));
    let (mut fields, mut arrays): (Vec<_>, Vec<_>) = kept
        .map(|(field, array)| (field.as_ref().clone(), Arc::clone(array)))
        .unzip();
    for (name, array) in new {
        fields.push(Field::new(name, DataType::Utf8, array.is_nullable()));
        arrays.push(array);
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}
