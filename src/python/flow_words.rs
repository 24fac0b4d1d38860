//! Flow words of the topic model.

use pyo3::prelude::*;

use crate::flow_words as words;
use crate::python::gateway::{Batches, table};

#[pyfunction]
pub fn flow_words<'py>(py: Python<'py>, flows: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    table(py, || words::flow_words(flows.flows()))
}
