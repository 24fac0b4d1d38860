//! Aggregates of flows: index, summary, timeline, top N.

use pyo3::prelude::*;

use crate::aggregate::{index, summary, timeline as binned, top_n as ranked};
use crate::direction::rules::DirectionRules;
use crate::flow::schema::AGGREGATED;
use crate::python::enrich::AsnFiles;
use crate::python::gateway::{Batches, finish, table, tables};

/// The columns of flows that an aggregate by these keys needs.
fn aggregated(flows: Bound<'_, PyAny>, keys: &[&str]) -> Batches {
    let needed = AGGREGATED.iter().chain(keys);
    Batches::of_columns(flows, needed.map(|name| (*name).to_owned()).collect())
}

#[pyfunction]
pub fn flow_index<'py>(py: Python<'py>, flows: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let flows = aggregated(flows, &[]);
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
    let flows = aggregated(flows, &[]);
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
    let flows = aggregated(flows, &[by]);
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
    let keys: Vec<&str> = key.iter().map(String::as_str).collect();
    let flows = aggregated(flows, &keys);
    table(py, || {
        ranked::top_n(flows.flows(), &key, by, n, &DirectionRules::default())
    })
}
