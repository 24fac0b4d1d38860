//! Gateway to Python: batches in, work without the GIL, tables out.

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

/// Maximum rows processed between two checks for Ctrl-C.
const MAX_ROWS: usize = 1 << 20;

/// Minimum rows of a batch; smaller batches are concatenated.
const MIN_ROWS: usize = 1 << 16;

/// Interval between two checks for Ctrl-C while a result is computed.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The batches of a `pyarrow.RecordBatchReader`, split or concatenated to sizes that suit the core.
///
/// They are fetched on the calling thread; no other thread attaches to Python.
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
            check_signals()?;
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

    /// All batches as flows, neither split nor concatenated.
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

/// Run the work without the GIL and returns its result as a `pyarrow.Table`.
pub fn table(
    py: Python<'_>,
    work: impl FnOnce() -> Result<RecordBatch> + Send,
) -> PyResult<Bound<'_, PyAny>> {
    tables(py, || work().map(|batch| vec![batch]))
}

/// As [`table`], for several batches of one schema.
pub fn tables(
    py: Python<'_>,
    work: impl FnOnce() -> Result<Vec<RecordBatch>> + Send,
) -> PyResult<Bound<'_, PyAny>> {
    let batches = release_gil(py, work)?;
    to_pyarrow(py, batches)
}

/// Run the work without the GIL.
pub fn release_gil<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    Ok(py.detach(work)?)
}

fn check_signals() -> PyResult<()> {
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method alone is not general enough over lifetimes"
    )]
    Python::attach(|py| py.check_signals())
}

/// Compute a result on a worker thread, while the calling thread checks for Ctrl-C.
pub fn finish<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (sender, receiver) = channel();
    let worker = spawn(move || drop(sender.send(work())));
    loop {
        match receiver.recv_timeout(CHECK_INTERVAL) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Timeout) => {
                check_signals().map_err(|error| Error::Source(Box::new(error)))?;
            }
            Err(RecvTimeoutError::Disconnected) => match worker.join() {
                Ok(()) => unreachable!("a worker sends its result before it ends"),
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
