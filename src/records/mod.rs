//! Records of one flow: superseded ones, duplicate observations, biflows.

pub mod compare;
pub mod repeated;
pub mod reporters;
pub mod states;
pub mod stitch;

use std::collections::HashMap;

use arrow::array::RecordBatch;

use crate::columns::batch::concat;
use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::flow::initiator::Evidence;
use crate::flow::schema::CANONICAL;
use crate::flow::view::{EvidenceColumns, FlowView};
use crate::ip::Ip;

/// Endpoints and protocol of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FiveTuple {
    source: Ip,
    dest: Ip,
    src_port: Option<u16>,
    dst_port: Option<u16>,
    protocol: u32,
}

impl FiveTuple {
    /// The tuple of the opposite direction.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self {
            source: self.dest,
            dest: self.source,
            src_port: self.dst_port,
            dst_port: self.src_port,
            protocol: self.protocol,
        }
    }
}

/// All records of a stream of flows.
pub struct Records {
    /// The flows as they came.
    pub batch: RecordBatch,
    /// Their columns.
    pub view: FlowView,
    evidence: EvidenceColumns,
    protocol: Vec<u32>,
    /// Number of the exporter of each record.
    pub host: Vec<u32>,
}

impl Records {
    /// Collect a stream.
    pub fn collect(flows: impl Iterator<Item = Result<FlowBatch>>) -> Result<Self> {
        let batches = flows
            .map(|batch| Ok(batch?.record_batch().clone()))
            .collect::<Result<Vec<_>>>()?;
        let schema = batches
            .first()
            .map_or_else(|| CANONICAL.clone(), RecordBatch::schema);
        let batch = concat(&schema, &batches)?;
        let flows = FlowBatch::new(batch.clone(), 0)?;
        Ok(Self {
            view: FlowView::read(&flows)?,
            evidence: EvidenceColumns::read(&flows)?,
            protocol: numbered(&flows, "protocol")?,
            host: numbered(&flows, "host")?,
            batch,
        })
    }

    /// Number of records.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// The 5-tuple of a record, if both addresses are known.
    pub fn tuple(&self, row: usize) -> Option<FiveTuple> {
        let [source, dest] = self.view.ips(row);
        let [src_port, dst_port] = self.view.ports.each_ref().map(|ports| ports.port(row));
        Some(FiveTuple {
            source: source?,
            dest: dest?,
            src_port,
            dst_port,
            protocol: self.protocol[row],
        })
    }

    /// Ports and flags of a record.
    pub fn evidence(&self, row: usize) -> Evidence {
        self.evidence.get(row)
    }

    /// Start and end of a record.
    pub fn span(&self, row: usize) -> Option<(i64, i64)> {
        self.view.span(row)
    }
}

/// Number the distinct strings of a column.
fn numbered(flows: &FlowBatch, name: &str) -> Result<Vec<u32>> {
    let text = flows.text(name)?;
    let mut numbers: HashMap<Option<&str>, u32> = HashMap::new();
    let rows = 0..flows.rows();
    Ok(rows
        .map(|row| {
            let next = numbers.len() as u32;
            *numbers.entry(text.get(row)).or_insert(next)
        })
        .collect())
}
