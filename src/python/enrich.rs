//! Open address databases and city files.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3_arrow::PyArray;

use crate::enrich::city::CityFiles as Files;
use crate::enrich::database::Database;
use crate::enrich::lookup::{address_table, lookup, parse};
use crate::enrich::online::{Online, Settings, ledger};
use crate::error::{Error, Result};
use crate::python::gateway::{finish, release_gil, strings, table, tables};

/// Open databases in `MaxMind`'s format.
#[pyclass(frozen, module = "flowtriage._core")]
pub struct AsnFiles {
    database: Arc<Database>,
}

/// `flowtriage.enrich.online.Online`.
#[derive(FromPyObject)]
struct PyOnline {
    everything: bool,
    origin: String,
    bootstrap: String,
    folder: PathBuf,
    expiry: f64,
    timeout: f64,
    workers: usize,
    limit: usize,
}

impl TryFrom<PyOnline> for Settings {
    type Error = Error;

    fn try_from(online: PyOnline) -> Result<Self> {
        Ok(Self {
            everything: online.everything,
            origin: online.origin,
            bootstrap: online.bootstrap,
            cache: online.folder,
            expiry: duration("expiry", online.expiry)?,
            timeout: duration("timeout", online.timeout)?,
            workers: online.workers,
            limit: online.limit,
        })
    }
}

fn duration(name: &str, seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|error| {
        Error::Argument(format!(
            "{name} must be a number of seconds, got {seconds}: {error}"
        ))
    })
}

impl AsnFiles {
    pub fn database(&self) -> Arc<Database> {
        Arc::clone(&self.database)
    }
}

#[pymethods]
impl AsnFiles {
    #[new]
    fn open(py: Python<'_>, paths: Vec<String>, online: Option<PyOnline>) -> PyResult<Self> {
        let settings = online.map(Settings::try_from).transpose()?;
        let database = release_gil(py, || {
            let mut database = Database::open(&paths)?;
            database.online = settings.map(Online::new).transpose()?;
            Ok(database)
        })?;
        Ok(Self {
            database: Arc::new(database),
        })
    }

    fn lookup<'py>(&self, py: Python<'py>, addresses: PyArray) -> PyResult<Bound<'py, PyAny>> {
        let text = strings("address", &addresses)?;
        let database = self.database();
        tables(py, || finish(move || lookup(&database, &text)))
    }

    /// The distinct addresses to query online.
    fn pending<'py>(&self, py: Python<'py>, addresses: PyArray) -> PyResult<Bound<'py, PyAny>> {
        let text = strings("address", &addresses)?;
        let database = self.database();
        let work = move || address_table(&database.pending(&parse(&text)?.distinct().ips)?);
        table(py, || finish(work))
    }

    /// Query addresses online.
    fn query(&self, py: Python<'_>, addresses: PyArray) -> PyResult<()> {
        let text = strings("address", &addresses)?;
        let database = self.database();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let work = move || {
            let distinct = parse(&text)?.distinct();
            if let Some(online) = &database.online {
                online.query(&distinct.ips, &stopped);
            }
            Ok(())
        };
        let done = release_gil(py, || finish(work));
        // After Ctrl-C, only pending requests complete.
        stop.store(true, Ordering::Relaxed);
        done
    }

    /// Online queries and their outcomes; empty if online lookup is off.
    fn ledger<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        table(py, || match &self.database.online {
            Some(online) => online.with_ledger(|all| ledger::table(all)),
            None => ledger::table(&ledger::Ledger::new()),
        })
    }

    /// Path, type, build time, description and IP version of every file.
    fn info(&self) -> Vec<(String, String, u64, String, u16)> {
        let info = self.database.info().into_iter();
        info.map(|i| (i.path, i.kind, i.build_epoch, i.description, i.ip_version))
            .collect()
    }

    fn count_networks(&self, py: Python<'_>) -> PyResult<Vec<usize>> {
        release_gil(py, || self.database.count_networks())
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
        let files = release_gil(py, || Files::open(&paths))?;
        Ok(Self { files })
    }

    fn find<'py>(&self, py: Python<'py>, addresses: PyArray) -> PyResult<Bound<'py, PyAny>> {
        let texts = strings("address", &addresses)?;
        table(py, || self.files.find_all(&texts))
    }
}
