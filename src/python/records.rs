//! Records of one flow: superseded ones, duplicates, biflows.

use std::mem::take;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use pyo3::prelude::*;

use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::python::flow_parts::FlowParts;
use crate::python::gateway::{Batches, release_gil, table};
use crate::records::repeated::{FlowHashes as Hashes, RepeatedFlows as Repeated};
use crate::records::{reporters, stitch as stitching};

/// Hashes of the flows of records.
#[pyclass(frozen, module = "flowtriage._core")]
#[derive(Default)]
pub struct FlowHashes {
    hashes: Mutex<Hashes>,
}

#[pymethods]
impl FlowHashes {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn add(&self, py: Python<'_>, flows: Bound<'_, PyAny>) -> PyResult<()> {
        let flows = Batches::new(flows);
        release_gil(py, || {
            let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
            flows.flows().try_for_each(|batch| hashes.add(&batch?))
        })
    }

    /// The flows that several records share; the hashes are dropped.
    fn take_repeated(&self, py: Python<'_>) -> PyResult<RepeatedFlows> {
        let repeated = release_gil(py, || {
            let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(take(&mut *hashes).into_repeated())
        })?;
        Ok(RepeatedFlows {
            repeated: RwLock::new(repeated),
        })
    }
}

/// Flows that several records share.
#[pyclass(frozen, module = "flowtriage._core")]
pub struct RepeatedFlows {
    repeated: RwLock<Repeated>,
}

#[pymethods]
impl RepeatedFlows {
    fn __len__(&self) -> usize {
        self.read().count()
    }

    fn note(&self, py: Python<'_>, flows: Bound<'_, PyAny>) -> PyResult<()> {
        let flows = Batches::new(flows);
        release_gil(py, || {
            let repeated = self.repeated.write();
            let mut repeated = repeated.unwrap_or_else(PoisonError::into_inner);
            flows.flows().try_for_each(|batch| repeated.note(&batch?))
        })
    }

    fn has_superseded(&self, py: Python<'_>) -> PyResult<bool> {
        release_gil(py, || Ok(self.read().has_superseded()))
    }

    fn superseded<'py>(
        &self,
        py: Python<'py>,
        flows: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let flows = Batches::new(flows);
        table(py, || self.read().superseded(flows.flows()))
    }

    /// The parts without superseded records.
    fn latest(&self, py: Python<'_>, flows: &Bound<'_, FlowParts>) -> PyResult<FlowParts> {
        let flows = flows.borrow();
        let batches = flows.batches().to_vec();
        let latest = release_gil(py, || {
            let repeated = self.read();
            let latest = |batch| repeated.latest(&FlowBatch::projected(batch, 0)?);
            batches.into_iter().map(latest).collect::<Result<_>>()
        })?;
        Ok(flows.with_batches(latest))
    }
}

impl RepeatedFlows {
    fn read(&self) -> RwLockReadGuard<'_, Repeated> {
        self.repeated.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pyfunction]
pub fn stitch<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
    window: i64,
) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    table(py, || stitching::stitch(flows.flows(), window))
}

#[pyfunction]
pub fn distinct_observations<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    table(py, || reporters::distinct(flows.flows()))
}
