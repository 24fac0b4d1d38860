//! Direction columns of flows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};

use crate::columns::parallel::by_row;
use crate::columns::write::StringPool;
use crate::direction::rules::{Direction, DirectionRules, Reason};
use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::flow::initiator::initiated;
use crate::flow::view::{EvidenceColumns, Integers};
use crate::ip::Ip;
use crate::ip::column::Addresses;

/// The direction of every row: from the `direction` column, or else by the rules.
pub fn directions(
    batch: &FlowBatch,
    source: &Addresses,
    dest: &Addresses,
    rules: &DirectionRules,
) -> Result<Vec<Direction>> {
    if batch.column("direction").is_some() {
        let parse = |text: Option<&str>| text.and_then(Direction::parse);
        let parse = |text: Option<&str>| parse(text).unwrap_or(Direction::Unknown);
        return Ok(batch.text("direction")?.map(parse));
    }
    let classification = classifier(batch, source, dest, rules)?;
    Ok(by_row(batch.rows(), |row| classification(row).0))
}

/// Add or replace the columns `direction` and `direction_reason`.
pub fn classify(batch: &FlowBatch, rules: &DirectionRules) -> Result<RecordBatch> {
    let (source, dest) = (batch.addresses("src_ip")?, batch.addresses("dst_ip")?);
    let classification = classifier(batch, &source, &dest, rules)?;
    let classified = by_row(batch.rows(), classification);
    let rows = classified.len();
    let directions = StringPool::new(Direction::ALL.into_iter().map(Direction::word))
        .column(rows, |row| Some(classified[row].0 as usize))?;
    let reasons = StringPool::new(Reason::ALL.into_iter().map(Reason::name))
        .column(rows, |row| Some(classified[row].1 as usize))?;
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

/// The direction of a row by the rules, with the reason.
fn classifier<'a>(
    batch: &FlowBatch,
    source: &'a Addresses,
    dest: &'a Addresses,
    rules: &'a DirectionRules,
) -> Result<impl Fn(usize) -> (Direction, Reason) + 'a> {
    let parse = |text: Option<&str>| text.and_then(Direction::parse);
    let logged = batch.text("reported_direction")?.map(parse);
    let responses = Responses::read(batch)?;
    Ok(move |row| {
        let ips = [source, dest].map(|ips| ips.get(row).get());
        let (direction, reason) = rules.classify(ips[0], ips[1], logged[row]);
        if reason == Reason::Reported || direction == direction.reversed() {
            return (direction, reason);
        }
        let by_dest = match by_addresses(rules, ips) {
            Some(true) => None,
            Some(false) => Some(Reason::Address),
            None => responses.contains(row).then_some(Reason::PortsFlags),
        };
        by_dest.map_or((direction, reason), |reason| (direction.reversed(), reason))
    })
}

/// Whether the source initiated the flow, because one of the addresses only receives.
fn by_addresses(rules: &DirectionRules, [source, dest]: [Option<Ip>; 2]) -> Option<bool> {
    rules.broadcasts().initiated(source?, dest?)
}

/// Unidirectional records that may be the response to a flow that their destination initiated.
#[derive(Debug)]
pub struct Responses {
    received: [Integers; 2],
    evidence: EvidenceColumns,
}

impl Responses {
    /// Read the columns of a batch.
    pub fn read(batch: &FlowBatch) -> Result<Self> {
        Ok(Self {
            received: [
                Integers::read(batch, "dst_bytes")?,
                Integers::read(batch, "dst_packets")?,
            ],
            evidence: EvidenceColumns::read(batch)?,
        })
    }

    /// Whether the destination is not known to have sent anything.
    pub fn is_one_way(&self, row: usize) -> bool {
        self.received.iter().all(|counts| counts.get(row).is_none())
    }

    /// Whether the destination is not known to have sent anything, and initiated the flow by the
    /// evidence of ports or flags.
    pub fn contains(&self, row: usize) -> bool {
        self.is_one_way(row) && initiated(self.evidence.get(row)) == Some(false)
    }
}
