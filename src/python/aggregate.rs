//! Aggregates of flows: index, summary, timeline, top N.

use pyo3::prelude::*;

use crate::aggregate::{index, summary, timeline as binned, top_n as ranked};
use crate::direction::rules::DirectionRules;
use crate::python::enrich::AsnFiles;
use crate::python::gateway::{Batches, finish, table, tables};

#[pyfunction]
pub fn flow_index<'py>(py: Python<'py>, flows: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    tables(py, || {
        let entries = index::collect(flows.flows(), &DirectionRules::default())?;
        finish(|| entries.into_batches())
    })
}

#[pyfunction]
pub fn flow_summary<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
    asn: &Bound<'py, AsnFiles>,
) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    let database = asn.get().database();
    table(py, || {
        let entries = index::collect(flows.flows(), &DirectionRules::default())?;
        finish(move || summary::summarise(&entries.into_index(), &database))
    })
}

#[pyfunction]
pub fn timeline<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
    by: &str,
    bins: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    let bins = bins.unwrap_or(binned::DEFAULT_BINS);
    table(py, || {
        binned::timeline(flows.flows(), by, bins, &DirectionRules::default())
    })
}

#[pyfunction]
pub fn top_n<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
    key: Vec<String>,
    by: &str,
    n: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    table(py, || {
        ranked::top_n(flows.flows(), &key, by, n, &DirectionRules::default())
    })
}
