//! The words of flows, and a handle for lists of ranges.

use pyo3::prelude::*;
use pyo3_arrow::PyArray;

use crate::columns::text::Text;
use crate::flow_words as words;
use crate::ip::range_map::Ranges;
use crate::python::gateway::{Batches, table};

#[pyfunction]
pub fn flow_words<'py>(py: Python<'py>, flows: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    table(py, || words::flow_words(flows.flows()))
}

/// Keyword of every protocol number that has one.
#[pyfunction]
pub fn protocol_keywords() -> Vec<(u8, &'static str)> {
    crate::flow::protocols::KEYWORDS.to_vec()
}

/// A list of ranges of addresses.
#[pyclass(frozen, module = "flowtriage._core")]
pub struct RangeList {
    ranges: Ranges,
}

#[pymethods]
impl RangeList {
    #[new]
    fn parse(py: Python<'_>, first: PyArray, last: PyArray) -> PyResult<Self> {
        let first = Text::read("first", first.array())?;
        let last = Text::read("last", last.array())?;
        let ranges = py.detach(|| Ranges::parse(&first, &last))?;
        Ok(Self { ranges })
    }

    fn bad(&self) -> Vec<usize> {
        self.ranges.bad().to_vec()
    }

    fn find<'py>(&self, py: Python<'py>, addresses: PyArray) -> PyResult<Bound<'py, PyAny>> {
        let texts = Text::read("address", addresses.array())?;
        table(py, || self.ranges.find_all(&texts))
    }
}
