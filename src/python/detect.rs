//! Detectors.

use pyo3::prelude::*;

use crate::detect::hunt::{self as all, Request};
use crate::detect::limits::LimitMap;
use crate::direction::rules::DirectionRules;
use crate::python::enrich::AsnFiles;
use crate::python::gateway::{Batches, finish, release_gil, to_pyarrow};

/// `flowtriage.detect.hunt.Request`.
#[derive(FromPyObject)]
pub struct PyRequest {
    detectors: Vec<String>,
    limits: LimitMap,
    known: Vec<(String, String, bool)>,
    hosts: bool,
}

impl From<PyRequest> for Request {
    fn from(request: PyRequest) -> Self {
        Self {
            detectors: request.detectors,
            limits: request.limits,
            known: request.known,
            hosts: request.hosts,
        }
    }
}

/// Tables of findings, of detectors, and of hosts.
type Tables<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Option<Bound<'py, PyAny>>,
);

#[pyfunction]
pub fn hunt<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
    internal: Option<Vec<String>>,
    asn: &Bound<'py, AsnFiles>,
    request: PyRequest,
) -> PyResult<Tables<'py>> {
    let flows = Batches::new(flows);
    let rules = DirectionRules::new(internal.as_deref(), &[])?;
    let database = asn.get().database();
    let found = release_gil(py, || {
        let records = all::collect(flows.flows(), rules)?;
        finish(move || all::hunt(records, &database, request.into()))
    })?;
    let hosts = found.hosts.map(|hosts| to_pyarrow(py, vec![hosts]));
    Ok((
        to_pyarrow(py, vec![found.findings])?,
        to_pyarrow(py, vec![found.detectors])?,
        hosts.transpose()?,
    ))
}
