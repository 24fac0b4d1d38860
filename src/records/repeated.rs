//! Superseded records of logs that are read several times, because they are not in memory: first
//! to find flows with several records, by hashes, then to compare these.

use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema};
use hashbrown::DefaultHashBuilder;
use rayon::prelude::*;

use crate::columns::hashes::{Hashes, Repeated};
use crate::columns::parallel::by_row;
use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::flow::view::{FlowView, Integers, Times};
use crate::ip::column::Addresses;

/// Hashes of the flows of records.
#[derive(Default)]
pub struct FlowHashes {
    hasher: DefaultHashBuilder,
    hashes: Hashes,
}

impl FlowHashes {
    /// Add records; those without an address or a start belong to no flow.
    pub fn add(&mut self, batch: &FlowBatch) -> Result<()> {
        let hashes = hashes(batch, &self.hasher)?;
        let hashes = hashes.into_iter().flatten();
        hashes.for_each(|hash| self.hashes.add(hash));
        Ok(())
    }

    /// The flows that several records share.
    pub fn into_repeated(self) -> RepeatedFlows {
        let hashes = self.hashes.into_repeated();
        RepeatedFlows {
            hasher: self.hasher,
            states: vec![None; hashes.count()],
            hashes,
        }
    }
}

/// Flows that several records share.
pub struct RepeatedFlows {
    hasher: DefaultHashBuilder,
    hashes: Repeated,
    states: Vec<Option<State>>,
}

/// What the records of a flow say of it.
#[derive(Clone, Copy, Debug)]
struct State {
    /// End and bytes of the last record.
    last: (i64, i64),
    max_bytes: i64,
    /// Whether an earlier record differs from it.
    changed: bool,
}

impl RepeatedFlows {
    /// Number of flows.
    pub fn count(&self) -> usize {
        self.hashes.count()
    }

    /// Note the records of these flows.
    pub fn note(&mut self, batch: &FlowBatch) -> Result<()> {
        let view = FlowView::read(batch)?;
        for (row, number) in self.numbers(batch)?.into_iter().enumerate() {
            let (Some(number), Some((_, end))) = (number, view.span(row)) else {
                continue;
            };
            let record = (end, view.total_bytes(row));
            let state = self.states[number].get_or_insert(State {
                last: record,
                max_bytes: record.1,
                changed: false,
            });
            state.changed |= state.last != record;
            state.last = state.last.max(record);
            state.max_bytes = state.max_bytes.max(record.1);
        }
        Ok(())
    }

    /// Whether a noted record supersedes another.
    pub fn has_superseded(&self) -> bool {
        self.states.iter().flatten().any(State::supersedes)
    }

    /// Column `superseded`: whether a noted record of the same flow replaces the row.
    pub fn superseded(
        &self,
        flows: impl Iterator<Item = Result<FlowBatch>>,
    ) -> Result<RecordBatch> {
        let mut marks: Vec<bool> = Vec::new();
        for batch in flows {
            marks.extend(self.marks(&batch?)?);
        }
        let field = Field::new("superseded", DataType::Boolean, false);
        let column = Arc::new(BooleanArray::from(marks));
        let schema = Arc::new(Schema::new(vec![field]));
        Ok(RecordBatch::try_new(schema, vec![column])?)
    }

    /// The flows of a batch without superseded records.
    pub fn latest(&self, batch: &FlowBatch) -> Result<RecordBatch> {
        let kept: BooleanArray = self
            .marks(batch)?
            .into_iter()
            .map(|mark| Some(!mark))
            .collect();
        Ok(filter_record_batch(batch.record_batch(), &kept)?)
    }

    fn marks(&self, batch: &FlowBatch) -> Result<Vec<bool>> {
        let view = FlowView::read(batch)?;
        let is_superseded = |(row, number): (usize, Option<usize>)| {
            let state = self.states[number?].filter(State::supersedes)?;
            let (_, end) = view.span(row)?;
            Some(end < state.last.0 || view.total_bytes(row) < state.last.1)
        };
        let numbers = self.numbers(batch)?.into_iter().enumerate();
        Ok(numbers
            .map(|row| is_superseded(row).unwrap_or_default())
            .collect())
    }

    fn numbers(&self, batch: &FlowBatch) -> Result<Vec<Option<usize>>> {
        let hashes = hashes(batch, &self.hasher)?;
        let number = |hash: Option<u64>| self.hashes.number(hash?);
        Ok(hashes.into_par_iter().map(number).collect())
    }
}

impl State {
    /// Whether the last record replaces the earlier ones: it has the most bytes.
    fn supersedes(&self) -> bool {
        self.changed && self.max_bytes <= self.last.1
    }
}

fn hashes(batch: &FlowBatch, hasher: &DefaultHashBuilder) -> Result<Vec<Option<u64>>> {
    let (source, dest) = (batch.addresses("src_ip")?, batch.addresses("dst_ip")?);
    let ports = [
        Integers::read(batch, "src_port")?,
        Integers::read(batch, "dst_port")?,
    ];
    let (starts, denied) = (
        Times::starts(batch)?,
        Integers::read(batch, "denied_flows")?,
    );
    let (protocol, host) = (batch.text("protocol")?, batch.text("host")?);
    let address = |column: &Addresses, row| column.get(row).get();
    Ok(by_row(batch.rows(), |row| {
        Some(hasher.hash_one((
            (address(&source, row)?, address(&dest, row)?),
            ports.each_ref().map(|ports| ports.port(row)),
            starts.get(row)?,
            denied.count(row) > 0,
            (protocol.get(row), host.get(row)),
        )))
    }))
}
