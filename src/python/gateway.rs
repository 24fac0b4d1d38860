//! The way in and out: batches from Python, work without the GIL, tables to Python.

use arrow::array::RecordBatch;
use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;
use pyo3_arrow::{PyRecordBatch, PyTable};

use crate::error::{Error, Result};
use crate::flows::FlowBatch;

/// Rows handled between two looks for Ctrl-C.
const MAX_ROWS: usize = 1 << 20;

/// The batches of a `pyarrow.RecordBatchReader`, none larger than [`MAX_ROWS`].
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
        Python::attach(|py| {
            py.check_signals()?;
            if let Some(rest) = self.rest.take() {
                return Ok(Some(rest));
            }
            match self.reader.bind(py).call_method0("read_next_batch") {
                Ok(batch) => Ok(Some(batch.extract::<PyRecordBatch>()?.into_inner())),
                Err(error) if error.is_instance_of::<PyStopIteration>(py) => Ok(None),
                Err(error) => Err(error),
            }
        })
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

/// Batches of one schema as a `pyarrow.Table`.
pub fn to_pyarrow(py: Python<'_>, batches: Vec<RecordBatch>) -> PyResult<Bound<'_, PyAny>> {
    let schema = batches
        .first()
        .map_or_else(|| crate::schema::CANONICAL.clone(), RecordBatch::schema);
    PyTable::try_new(batches, schema)?.into_pyarrow(py)
}
