//! The verbs over streams of flows.

use arrow::array::RecordBatch;
use pyo3::prelude::*;
use rayon::prelude::*;

use crate::aggregate::{index, summary, timeline as binned, top_n as ranked};
use crate::direction::classify::classify;
use crate::direction::rules::Rules;
use crate::flow::batch::FlowBatch;
use crate::flow::schema::CANONICAL;
use crate::python::asn::AsnFiles;
use crate::python::gateway::{Batches, finish, table, tables};
use crate::records::{reporters, states, stitch as stitching};

#[pyfunction]
pub fn flow_index<'py>(py: Python<'py>, flows: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    tables(py, || {
        let entries = index::collect(flows.flows(), &Rules::default())?;
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
        let entries = index::collect(flows.flows(), &Rules::default())?;
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
        binned::timeline(flows.flows(), by, bins, &Rules::default())
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
        ranked::top_n(flows.flows(), &key, by, n, &Rules::default())
    })
}

#[pyfunction]
pub fn classify_direction<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
    internal: Option<Vec<String>>,
    host: Vec<String>,
) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    let rules = Rules::new(internal.as_deref(), &host)?;
    tables(py, || {
        let mut parts = flows.parts()?;
        if parts.is_empty() {
            let none = RecordBatch::new_empty(CANONICAL.clone());
            parts.push(FlowBatch::new(none, 0)?);
        }
        finish(move || {
            parts
                .par_iter()
                .map(|part| classify(part, &rules))
                .collect()
        })
    })
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
pub fn repeated_starts<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    table(py, || states::repeated_starts(flows))
}

#[pyfunction]
pub fn earlier_states<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    table(py, || states::earlier_states(flows.flows()))
}

#[pyfunction]
pub fn distinct_reports<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    table(py, || reporters::distinct(flows.flows()))
}
