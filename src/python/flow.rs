//! The canonical schema, and protocols.

use pyo3::prelude::*;
use pyo3_arrow::PySchema;

use crate::flow::protocols::KEYWORDS;
use crate::flow::schema::CANONICAL;

#[pyfunction]
pub fn canonical_schema(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    PySchema::new(CANONICAL.clone()).into_pyarrow(py)
}

/// Protocol numbers with their keywords.
#[pyfunction]
pub fn protocol_keywords() -> Vec<(u8, &'static str)> {
    KEYWORDS.to_vec()
}
