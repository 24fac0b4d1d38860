//! The direction of every flow, as columns beside the flows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};

use crate::columns::cast::int64;
use crate::columns::parallel::by_row;
use crate::columns::write::StringPool;
use crate::direction::rules::{Direction, DirectionRules, Reason};
use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::flow::initiator::{Evidence, began};
use crate::flow::tcp_flags;
use crate::ip::column::Addresses;

/// The direction of every row: that of the `direction` column, or else by the rules.
pub fn directions(
    batch: &FlowBatch,
    source: &Addresses,
    dest: &Addresses,
    rules: &DirectionRules,
) -> Result<Vec<Direction>> {
    if batch.column("direction").is_some() {
        let told = |text: Option<&str>| text.and_then(Direction::parse);
        let told = |text: Option<&str>| told(text).unwrap_or(Direction::Unknown);
        return Ok(batch.text("direction")?.map(told));
    }
    let verdict = verdicts(batch, source, dest, rules)?;
    Ok(by_row(batch.rows(), |row| verdict(row).0))
}

/// Adds the columns `direction` and `direction_reason`, or renews them.
pub fn classify(batch: &FlowBatch, rules: &DirectionRules) -> Result<RecordBatch> {
    let (source, dest) = (batch.addresses("src_ip")?, batch.addresses("dst_ip")?);
    let verdict = verdicts(batch, &source, &dest, rules)?;
    let verdicts = by_row(batch.rows(), verdict);
    let rows = verdicts.len();
    let directions = StringPool::new(Direction::ALL.into_iter().map(Direction::word))
        .column(rows, |row| Some(verdicts[row].0 as usize))?;
    let reasons = StringPool::new(Reason::ALL.into_iter().map(Reason::name))
        .column(rows, |row| Some(verdicts[row].1 as usize))?;
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

/// The direction of a row by the rules, and how it is known.
fn verdicts<'a>(
    batch: &FlowBatch,
    source: &'a Addresses,
    dest: &'a Addresses,
    rules: &'a DirectionRules,
) -> Result<impl Fn(usize) -> (Direction, Reason) + 'a> {
    let parse = |text: Option<&str>| text.and_then(Direction::parse);
    let reported = batch.text("reported_direction")?.map(parse);
    let answers = Answers::find(batch)?;
    Ok(move |row| {
        let (direction, reason) =
            rules.classify(source.get(row).get(), dest.get(row).get(), reported[row]);
        if reason != Reason::Reported && direction != direction.reversed() && answers.is_answer(row)
        {
            (direction.reversed(), Reason::PortsFlags)
        } else {
            (direction, reason)
        }
    })
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
                .map(|text| text.and_then(|text| tcp_flags::parse(text, 10))),
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
