//! Records of one flow: superseded ones, duplicates, biflows.

use pyo3::prelude::*;

use crate::python::gateway::{Batches, table};
use crate::records::{reporters, states, stitch as stitching};

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
pub fn repeated_starts<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    table(py, || states::repeated_starts(flows))
}

#[pyfunction]
pub fn superseded_records<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    table(py, || states::superseded_records(flows.flows()))
}

#[pyfunction]
pub fn distinct_observations<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    table(py, || reporters::distinct(flows.flows()))
}
