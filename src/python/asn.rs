//! A handle for open address databases.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3_arrow::PyArray;

use crate::asn::database::Database;
use crate::asn::table::lookup;
use crate::columns::Text;
use crate::python::gateway::{finish, tables};

/// Open databases in `MaxMind`'s format.
#[pyclass(frozen, module = "flowtriage._core")]
pub struct AsnFiles {
    database: Arc<Database>,
}

impl AsnFiles {
    pub fn database(&self) -> Arc<Database> {
        Arc::clone(&self.database)
    }
}

#[pymethods]
impl AsnFiles {
    #[new]
    fn open(py: Python<'_>, paths: Vec<String>) -> PyResult<Self> {
        let database = py.detach(|| Database::open(&paths))?;
        Ok(Self {
            database: Arc::new(database),
        })
    }

    fn lookup<'py>(&self, py: Python<'py>, addresses: PyArray) -> PyResult<Bound<'py, PyAny>> {
        let text = Text::read("address", addresses.array())?;
        let database = self.database();
        tables(py, || finish(move || lookup(&database, &text)))
    }

    /// Path, type, build time, description and IP version of every file.
    fn info(&self) -> Vec<(String, String, u64, String, u16)> {
        let info = self.database.info().into_iter();
        info.map(|i| (i.path, i.kind, i.build_epoch, i.description, i.ip_version))
            .collect()
    }

    fn count_networks(&self, py: Python<'_>) -> PyResult<Vec<usize>> {
        Ok(py.detach(|| self.database.count_networks())?)
    }
}
