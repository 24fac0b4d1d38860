//! Addresses, and handles for lists of networks and of ranges.

use pyo3::prelude::*;
use pyo3_arrow::PyArray;

use crate::columns::text::Text;
use crate::ip::range_map::{Networks, Ranges};
use crate::python::gateway::table;
use crate::search::sought;

/// A list of networks.
#[pyclass(frozen, module = "flowtriage._core")]
pub struct NetworkList {
    networks: Networks,
}

#[pymethods]
impl NetworkList {
    #[new]
    fn parse(py: Python<'_>, networks: PyArray) -> PyResult<Self> {
        let texts = Text::read("network", networks.array())?;
        let networks = py.detach(|| Networks::parse(&texts));
        Ok(Self { networks })
    }

    fn bad(&self) -> Vec<usize> {
        self.networks.bad().to_vec()
    }

    fn find<'py>(&self, py: Python<'py>, addresses: PyArray) -> PyResult<Bound<'py, PyAny>> {
        let texts = Text::read("address", addresses.array())?;
        table(py, || self.networks.find_all(&texts))
    }
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

/// The one text that stands for an address in results.
#[pyfunction]
pub fn canonical_address(ip: &str) -> PyResult<String> {
    Ok(sought(ip)?.to_string())
}
