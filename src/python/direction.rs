//! The direction of flows.

use pyo3::prelude::*;
use rayon::prelude::*;

use crate::direction::classify::classify;
use crate::direction::rules::DirectionRules;
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
        let parts = flows.parts()?;
        finish(move || {
            parts
                .par_iter()
                .map(|part| classify(part, &rules))
                .collect()
        })
    })
}
