//! Address ranges, and the canonical form of an address.

use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3_arrow::PyArray;

use crate::error::Error;
use crate::ip::address_ranges::AddressRanges as Ranges;
use crate::ip::parse_ip;
use crate::python::gateway::{release_gil, strings, table};

/// Networks or address ranges; the narrowest range that contains an address wins.
#[pyclass(frozen, module = "flowtriage._core")]
pub struct AddressRanges(Ranges);

#[pymethods]
impl AddressRanges {
    #[staticmethod]
    fn from_networks(py: Python<'_>, networks: PyArray) -> PyResult<Self> {
        let texts = strings("network", &networks)?;
        let ranges = release_gil(py, || Ok(Ranges::from_networks(&texts)))?;
        Ok(Self(ranges))
    }

    #[staticmethod]
    fn from_ranges(py: Python<'_>, first: PyArray, last: PyArray) -> PyResult<Self> {
        let first = strings("first", &first)?;
        let last = strings("last", &last)?;
        let ranges = release_gil(py, || Ranges::from_ranges(&first, &last))?;
        Ok(Self(ranges))
    }

    fn bad(&self) -> Vec<usize> {
        self.0.bad().to_vec()
    }

    #[pyo3(signature = (addresses, *, strict = false))]
    fn find<'py>(
        &self,
        py: Python<'py>,
        addresses: PyArray,
        strict: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let texts = strings("address", &addresses)?;
        table(py, || self.0.find_all(&texts, strict))
    }
}

/// Canonical form of an address.
#[pyfunction]
pub fn canonical_address(ip: &Bound<'_, PyString>) -> PyResult<String> {
    let Ok(text) = ip.to_str() else {
        let reason = "an address with unpaired surrogates is not text";
        return Err(Error::Argument(reason.into()).into());
    };
    Ok(parse_ip(text)?.to_string())
}
