//! How far flows can be trusted.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::direction::rules::DirectionRules;
use crate::error::Result;
use crate::python::gateway::Batches;
use crate::quality::{Findings, Quality};

#[pyfunction]
pub fn quality<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
    internal: Option<Vec<String>>,
    compare: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let flows = Batches::new(flows);
    let mut quality = Quality::new(
        DirectionRules::new::<String>(internal.as_deref(), &[])?,
        compare,
    );
    let found = py.detach(|| -> Result<Findings> {
        for batch in flows.flows() {
            quality.add(&batch?)?;
        }
        Ok(quality.finish())
    })?;
    let out = PyDict::new(py);
    out.set_item("rows", found.rows)?;
    out.set_item("nulls", found.nulls)?;
    out.set_item("first", found.first)?;
    out.set_item("last", found.last)?;
    out.set_item("longest_record", found.longest_record)?;
    out.set_item("gaps", found.gaps)?;
    out.set_item("longest_gap", found.longest_gap)?;
    out.set_item("repeats", found.repeats)?;
    out.set_item("reporters", found.reporters)?;
    out.set_item("reported_again", found.reported_again)?;
    out.set_item("earlier_states", found.earlier_states)?;
    out.set_item("one_way", found.one_way)?;
    out.set_item("contradictions", found.contradictions)?;
    out.set_item("rollovers", found.rollovers)?;
    out.set_item("about", found.about)?;
    Ok(out)
}
