//! Quality of flows.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::direction::rules::DirectionRules;
use crate::error::Result;
use crate::python::gateway::{Batches, release_gil};
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
    let found = release_gil(py, || -> Result<Findings> {
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
    out.set_item("max_record_duration", found.max_record_duration)?;
    out.set_item("long_records", found.long_records)?;
    out.set_item("gaps", found.gaps)?;
    out.set_item("longest_gap", found.longest_gap)?;
    out.set_item("time_outliers", found.time_outliers)?;
    out.set_item("repeats", found.repeats)?;
    out.set_item("exporters", found.exporters)?;
    out.set_item("duplicates", found.duplicates)?;
    out.set_item("superseded", found.superseded)?;
    out.set_item("unidirectional", found.unidirectional)?;
    out.set_item("counted", found.counted)?;
    out.set_item("equal_sides", found.equal_sides)?;
    out.set_item("uncounted_initiators", found.uncounted_initiators)?;
    out.set_item("packets_without_bytes", found.packets_without_bytes)?;
    out.set_item("bytes_without_packets", found.bytes_without_packets)?;
    out.set_item("direction_conflicts", found.direction_conflicts)?;
    out.set_item("counter_overflows", found.counter_overflows)?;
    out.set_item("estimated", found.estimated)?;
    Ok(out)
}
