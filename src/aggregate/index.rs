//! The flow index: flows by source, destination, layer-7 protocol and direction.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};

use crate::aggregate::groups::Groups;
use crate::aggregate::keys::{Interner, Sorted, addresses};
use crate::aggregate::measures::{self, Measures};
use crate::direction::{Direction, Rules};
use crate::error::Result;
use crate::flows::{FlowBatch, OrNull};
use crate::ip::Ip;

/// What entries of the index are told apart by, in the order of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexKey {
    /// Initiator of the flow.
    pub source: OrNull<Ip>,
    /// Its peer.
    pub dest: OrNull<Ip>,
    /// Layer-7 protocol, as its place among all names.
    pub service: OrNull<u32>,
    /// Direction of the flow.
    pub direction: Direction,
}

/// A flow index that is not yet written out.
#[derive(Debug)]
pub struct Index {
    /// The entries in order.
    pub entries: Vec<(IndexKey, Measures)>,
    /// The names of the layer-7 protocols.
    pub services: Sorted,
}

/// Builds the index of flows, of other indices, or of both.
pub fn build(flows: impl Iterator<Item = Result<FlowBatch>>, rules: &Rules) -> Result<Index> {
    let mut groups = Groups::default();
    let mut services = Interner::default();
    for batch in flows {
        let batch = batch?;
        let source = batch.addresses("src_ip")?;
        let dest = batch.addresses("dst_ip")?;
        let direction = batch.directions(&source, &dest, rules)?;
        let service = services.encode(&batch.text("service")?);
        groups.add_rows(
            batch.rows(),
            |row| IndexKey {
                source: source[row],
                dest: dest[row],
                service: service[row],
                direction: direction[row],
            },
            &batch.measures()?,
        );
    }
    let services = services.into_sorted();
    let entries = groups.into_sorted(|key: IndexKey| IndexKey {
        service: services.rank(key.service),
        ..key
    });
    Ok(Index { entries, services })
}

impl Index {
    /// The index as a table.
    pub fn to_batch(&self) -> Result<RecordBatch> {
        let keys = || self.entries.iter().map(|(key, _)| key);
        let text = |name: &str, values: StringArray| {
            let field = Field::new(name, DataType::Utf8, true);
            (field, Arc::new(values) as ArrayRef)
        };
        let mut columns = vec![
            text("source", addresses(keys().map(|k| k.source))),
            text("dest", addresses(keys().map(|k| k.dest))),
            text(
                "L7Protocol",
                keys().map(|k| self.services.value(k.service)).collect(),
            ),
            text(
                "FlowDirection",
                keys().map(|k| Some(k.direction.letter())).collect(),
            ),
        ];
        columns.extend(measures::columns(
            "TotalAllowedFlows",
            self.entries.iter().map(|(_, measures)| measures),
        )?);
        batch(columns)
    }
}

/// A table of the given columns.
pub fn batch(columns: Vec<(Field, ArrayRef)>) -> Result<RecordBatch> {
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}
