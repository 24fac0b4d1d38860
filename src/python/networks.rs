//! Handles for lists of networks and for files of places.

use pyo3::prelude::*;
use pyo3_arrow::PyArray;

use crate::columns::text::Text;
use crate::enrich::city::CityFiles as Files;
use crate::ip::range_map::Networks;
use crate::python::gateway::table;

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

/// Open city files in `MaxMind`'s format.
#[pyclass(frozen, module = "flowtriage._core")]
pub struct CityFiles {
    files: Files,
}

#[pymethods]
impl CityFiles {
    #[new]
    fn open(py: Python<'_>, paths: Vec<String>) -> PyResult<Self> {
        let files = py.detach(|| Files::open(&paths))?;
        Ok(Self { files })
    }

    fn find<'py>(&self, py: Python<'py>, addresses: PyArray) -> PyResult<Bound<'py, PyAny>> {
        let texts = Text::read("address", addresses.array())?;
        table(py, || self.files.find_all(&texts))
    }
}
