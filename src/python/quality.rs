//! Quality of flows.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::direction::rules::DirectionRules;
use crate::python::gateway::{Batches, release_gil};
use crate::quality::Quality;
use crate::quality::findings::Findings;

/// Measures the quality of flows, batch by batch.
#[pyclass(frozen, module = "flowtriage._core")]
pub struct QualityMeter {
    quality: Mutex<Option<Quality>>,
}

#[pymethods]
impl QualityMeter {
    #[new]
    fn new(internal: Option<Vec<String>>, compare: bool, max_rows: usize) -> PyResult<Self> {
        let rules = DirectionRules::new::<String>(internal.as_deref(), &[])?;
        Ok(Self {
            quality: Mutex::new(Some(Quality::new(rules, compare, max_rows))),
        })
    }

    fn add(&self, py: Python<'_>, flows: Bound<'_, PyAny>) -> PyResult<()> {
        let flows = Batches::new(flows);
        release_gil(py, || {
            let mut quality = self.quality.lock().unwrap_or_else(PoisonError::into_inner);
            let quality = quality.get_or_insert_default();
            flows.flows().try_for_each(|batch| quality.add(&batch?))
        })
    }

    /// The findings; the meter is empty afterwards.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let found = release_gil(py, || {
            let mut quality = self.quality.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(quality.take().unwrap_or_default().finish())
        })?;
        findings(py, found)
    }
}

fn findings(py: Python<'_>, found: Findings) -> PyResult<Bound<'_, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("rows", found.rows)?;
    out.set_item("flows", found.flows)?;
    out.set_item("denied_flows", found.denied_flows)?;
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
