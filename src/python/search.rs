//! Searching for addresses.

use pyo3::prelude::*;

use crate::direction::rules::DirectionRules;
use crate::python::gateway::{Batches, finish, table};
use crate::search::{expanded, peers};

#[pyfunction]
pub fn expanded_search<'py>(
    py: Python<'py>,
    flows: Bound<'py, PyAny>,
    hosts: Vec<String>,
) -> PyResult<Bound<'py, PyAny>> {
    let flows = Batches::new(flows);
    table(py, || {
        let found = expanded::collect(flows.flows(), &hosts)?;
        finish(|| found.into_table())
    })
}

/// The peers, and the number of flows between addresses of the hosts, which have none.
#[pyfunction]
pub fn connection_sets<'py>(
    py: Python<'py>,
    search: Bound<'py, PyAny>,
    hosts: Vec<String>,
    internal: Option<Vec<String>>,
) -> PyResult<(Bound<'py, PyAny>, i64)> {
    let search = Batches::new(search);
    let rules = DirectionRules::new(internal.as_deref(), &[])?;
    let mut inside = 0;
    let peers = table(py, || {
        let peers = peers::collect(search, &hosts, &rules)?;
        inside = peers.inside();
        peers.into_table()
    })?;
    Ok((peers, inside))
}
