//! The direction of flows.

use arrow::array::RecordBatch;
use pyo3::prelude::*;
use rayon::prelude::*;

use crate::direction::classify::classify;
use crate::direction::rules::DirectionRules;
use crate::flow::batch::FlowBatch;
use crate::flow::schema::CANONICAL;
use crate::python::gateway::{Batches, finish, tables};

#[pyfunction]
pub fn classify_direction<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
    internal: Option<Vec<String>>,
    host: Vec<String>,
) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    let rules = DirectionRules::new(internal.as_deref(), &host)?;
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
