//! The direction of every flow, as columns beside the flows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};

use crate::columns::{by_morsel, int64};
use crate::direction::{Direction, Reason, Rules};
use crate::error::Result;
use crate::flags;
use crate::flows::FlowBatch;
use crate::initiator::{Evidence, began};

/// Adds the columns `direction` and `direction_reason`, or renews them.
pub fn classify(batch: &FlowBatch, rules: &Rules) -> Result<RecordBatch> {
    let source = batch.addresses("src_ip")?;
    let dest = batch.addresses("dst_ip")?;
    let reported = batch
        .text("reported_direction")?
        .map(|text| text.and_then(Direction::parse));
    let answers = Answers::find(batch)?;
    let verdicts: Vec<(Direction, Reason)> = by_morsel(batch.rows(), |rows| {
        rows.map(|row| {
            let verdict = rules.classify(source.get(row).get(), dest.get(row).get(), reported[row]);
            match verdict {
                (direction, reason)
                    if reason != Reason::Reported
                        && direction != direction.reversed()
                        && answers.is_answer(row) =>
                {
                    (direction.reversed(), Reason::PortsFlags)
                }
                verdict => verdict,
            }
        })
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

/// Tells records of one direction that only answer what their destination began.
struct Answers {
    counts: Vec<ArrayRef>,
    ports: [Option<Int64Array>; 2],
    flags: Vec<Option<u8>>,
}

impl Answers {
    fn find(batch: &FlowBatch) -> Result<Self> {
        let counts = ["dst_bytes", "dst_packets"].map(|name| batch.column(name).cloned());
        let port = |name: &str| {
            let column = batch.column(name);
            column.map(|array| int64(name, array)).transpose()
        };
        Ok(Self {
            counts: counts.into_iter().flatten().collect(),
            ports: [port("src_port")?, port("dst_port")?],
            flags: batch
                .text("tcp_flags")?
                .map(|text| text.and_then(|text| flags::parse(text, 10))),
        })
    }

    /// Whether nothing is known to be sent back, and ports or flags tell that the record is an
    /// answer.
    fn is_answer(&self, row: usize) -> bool {
        let port = |ports: &Option<Int64Array>| {
            let ports = ports.as_ref().filter(|ports| ports.is_valid(row))?;
            u16::try_from(ports.value(row)).ok()
        };
        let [src_port, dst_port] = &self.ports;
        let record = Evidence {
            src_port: port(src_port),
            dst_port: port(dst_port),
            flags: self.flags[row],
        };
        self.counts.iter().all(|counts| counts.is_null(row)) && began(record) == Some(false)
    }
}
