//! The way in and out: batches from Python, work without the GIL, tables to Python.

use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::spawn;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;
use pyo3_arrow::{PyRecordBatch, PyTable};

use crate::error::{Error, Result};
use crate::flow::batch::FlowBatch;
use crate::flow::schema::CANONICAL;

/// Rows handled between two looks for Ctrl-C.
const MAX_ROWS: usize = 1 << 20;

/// Rows that are worth a step; smaller batches are joined.
const MIN_ROWS: usize = 1 << 16;

/// Time between two looks for Ctrl-C while a result is made.
const LOOK: Duration = Duration::from_millis(100);

/// The batches of a `pyarrow.RecordBatchReader`, cut or joined to sizes that suit the core.
///
/// They are fetched on the calling thread, which alone attaches to Python.
pub struct Batches {
    reader: Py<PyAny>,
    rest: Option<RecordBatch>,
}

impl Batches {
    pub fn new(reader: Bound<'_, PyAny>) -> Self {
        Self {
            reader: reader.unbind(),
            rest: None,
        }
    }

    fn fetch(&mut self) -> PyResult<Option<RecordBatch>> {
        if let Some(rest) = self.rest.take() {
            look_for_ctrl_c()?;
            return Ok(Some(rest));
        }
        let mut parts = Vec::new();
        let mut rows = 0;
        while rows < MIN_ROWS
            && let Some(part) = self.read()?
        {
            rows += part.num_rows();
            parts.push(part);
        }
        Ok(match parts.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            [first, ..] => Some(concat_batches(&first.schema(), &parts).map_err(Error::from)?),
        })
    }

    fn read(&self) -> PyResult<Option<RecordBatch>> {
        Python::attach(|py| {
            py.check_signals()?;
            match self.reader.bind(py).call_method0("read_next_batch") {
                Ok(batch) => Ok(Some(batch.extract::<PyRecordBatch>()?.into_inner())),
                Err(error) if error.is_instance_of::<PyStopIteration>(py) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    /// All batches as they come, as flows.
    pub fn parts(self) -> Result<Vec<FlowBatch>> {
        let mut parts = Vec::new();
        let mut row = 0;
        while let Some(batch) = self
            .read()
            .map_err(|error| Error::Source(Box::new(error)))?
        {
            let first_row = row;
            row += batch.num_rows();
            parts.push(FlowBatch::new(batch, first_row)?);
        }
        Ok(parts)
    }

    /// The batches as flows.
    pub fn flows(self) -> impl Iterator<Item = Result<FlowBatch>> {
        let mut row = 0;
        self.map(move |batch| {
            let batch = batch?;
            row += batch.num_rows();
            FlowBatch::new(batch.clone(), row - batch.num_rows())
        })
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.fetch() {
            Ok(batch) => batch?,
            Err(error) => return Some(Err(Error::Source(Box::new(error)))),
        };
        if batch.num_rows() <= MAX_ROWS {
            return Some(Ok(batch));
        }
        self.rest = Some(batch.slice(MAX_ROWS, batch.num_rows() - MAX_ROWS));
        Some(Ok(batch.slice(0, MAX_ROWS)))
    }
}

/// Does the work without the GIL and hands its result over as a `pyarrow.Table`.
pub fn table(
    py: Python<'_>,
    work: impl FnOnce() -> Result<RecordBatch> + Send,
) -> PyResult<Bound<'_, PyAny>> {
    tables(py, || work().map(|batch| vec![batch]))
}

/// As [`table`], for a result of several batches of one schema.
pub fn tables(
    py: Python<'_>,
    work: impl FnOnce() -> Result<Vec<RecordBatch>> + Send,
) -> PyResult<Bound<'_, PyAny>> {
    let batches = py.detach(work)?;
    to_pyarrow(py, batches)
}

fn look_for_ctrl_c() -> PyResult<()> {
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method alone is not general enough over lifetimes"
    )]
    Python::attach(|py| py.check_signals())
}

/// Makes a result of what was read, away from the calling thread, which looks for Ctrl-C.
pub fn finish<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (sender, receiver) = channel();
    let worker = spawn(move || drop(sender.send(work())));
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Timeout) => {
                look_for_ctrl_c().map_err(|error| Error::Source(Box::new(error)))?;
            }
            Err(RecvTimeoutError::Disconnected) => match worker.join() {
                Ok(()) => unreachable!("a worker that ends has sent its result"),
                Err(panic) => resume_unwind(panic),
            },
        }
    }
}

/// Batches of one schema as a `pyarrow.Table`.
pub fn to_pyarrow(py: Python<'_>, batches: Vec<RecordBatch>) -> PyResult<Bound<'_, PyAny>> {
    let schema = batches
        .first()
        .map_or_else(|| CANONICAL.clone(), RecordBatch::schema);
    PyTable::try_new(batches, schema)?.into_pyarrow(py)
}
