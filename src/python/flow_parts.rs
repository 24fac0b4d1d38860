//! Projected flows, which do not leave the core.

use arrow::array::RecordBatch;
use pyo3::prelude::*;

use crate::columns::batch::concat;
use crate::error::Result;

/// Rows of parts that are joined, because a part is the least that is worth a parallel task.
const MIN_ROWS: usize = 1 << 16;

/// Projected flows.
#[pyclass(module = "flowtriage._core")]
pub struct FlowParts {
    batches: Vec<RecordBatch>,
    /// Counter semantics of their format.
    #[pyo3(get, set)]
    counters: Option<String>,
}

#[pymethods]
impl FlowParts {
    #[getter]
    fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

impl FlowParts {
    /// Parts of a format whose counter semantics are yet to be set.
    pub fn new(batches: Vec<RecordBatch>) -> Self {
        Self {
            batches,
            counters: None,
        }
    }

    /// Other parts of the same format.
    pub fn with_batches(&self, batches: Vec<RecordBatch>) -> Self {
        Self {
            batches,
            counters: self.counters.clone(),
        }
    }

    /// The parts.
    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }
}

/// Join small parts with the same columns.
pub fn joined(batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
    let mut out = Vec::new();
    let mut small: Vec<RecordBatch> = Vec::new();
    let mut rows = 0;
    for batch in batches {
        let same = small
            .first()
            .is_none_or(|first| first.schema() == batch.schema());
        if !same || rows + batch.num_rows() > 2 * MIN_ROWS {
            out.extend(concatenated(&mut small)?);
            rows = 0;
        }
        rows += batch.num_rows();
        small.push(batch);
    }
    out.extend(concatenated(&mut small)?);
    Ok(out)
}

fn concatenated(batches: &mut Vec<RecordBatch>) -> Result<Option<RecordBatch>> {
    let batches = std::mem::take(batches);
    match batches.as_slice() {
        [] => Ok(None),
        [_] => Ok(batches.into_iter().next()),
        [first, ..] => concat(&first.schema(), &batches).map(Some),
    }
}
