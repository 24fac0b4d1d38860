//! Gateway to Python: batches in, work without the GIL, tables out.

use std::collections::VecDeque;
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::spawn;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use pyo3::exceptions::{PyOSError, PyStopIteration};
use pyo3::prelude::*;
use pyo3_arrow::{PyArray, PyRecordBatch, PySchema, PyTable};
use rayon::prelude::*;

use crate::columns::batch::{concat, without_dictionaries};
use crate::columns::import::{imported, imported_column, not_utf8};
use crate::columns::text::Text;
use crate::error::{Error, Result};
use crate::flow::batch::FlowBatch;
use crate::flow::schema::CANONICAL;
use crate::normalise::given::{Settled, settle, settle_projected};
use crate::python::flow_parts::FlowParts;

/// Maximum rows processed between two checks for Ctrl-C.
const MAX_ROWS: usize = 1 << 20;

/// Minimum rows of a batch; smaller batches are concatenated.
const MIN_ROWS: usize = 1 << 16;

/// As [`MIN_ROWS`], where larger batches must not be copied.
const MIN_PART: usize = 1 << 12;

/// Small batches that are concatenated early, because each takes more memory than its rows.
const MAX_SMALL: usize = 1 << 8;

/// Interval between two checks for Ctrl-C while a result is computed.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The batches of a `pyarrow.RecordBatchReader`, validated, and split or concatenated to sizes that
/// suit the core. There is at least one, which has the columns of the reader.
///
/// They are fetched on the calling thread; no other thread attaches to Python.
pub struct Batches {
    reader: Py<PyAny>,
    /// Rows read so far.
    rows: usize,
    is_first: bool,
    rest: Option<Part>,
    settled: Settled,
    /// Names of the columns that are needed; all if there are none.
    needed: Vec<String>,
    /// Projected flows that were read.
    parts: VecDeque<Part>,
}

/// Rows of a stream.
#[derive(Clone, Debug)]
struct Part {
    batch: RecordBatch,
    is_projected: bool,
}

impl Part {
    const fn plain(batch: RecordBatch) -> Self {
        Self {
            batch,
            is_projected: false,
        }
    }
}

/// What a reader returned.
enum Received {
    Batch(RecordBatch),
    Projected(Vec<RecordBatch>),
    End,
}

impl Batches {
    pub fn new(reader: Bound<'_, PyAny>) -> Self {
        Self {
            reader: reader.unbind(),
            rows: 0,
            is_first: true,
            rest: None,
            settled: Settled::default(),
            needed: Vec::new(),
            parts: VecDeque::new(),
        }
    }

    /// As [`Self::new`], of which only some columns, given in any case, are needed.
    pub fn of_columns(reader: Bound<'_, PyAny>, needed: Vec<String>) -> Self {
        Self {
            needed,
            ..Self::new(reader)
        }
    }

    /// The next batches as one of at least `min_rows`, unless they are the last; a part of projected
    /// flows stays as it is.
    fn fetch(&mut self, min_rows: usize) -> Result<Option<Part>> {
        let mut parts: Vec<RecordBatch> = Vec::new();
        let mut rows = 0;
        while rows < min_rows
            && let Some(part) = self.read()?
        {
            if part.is_projected && rows == 0 {
                return Ok(Some(part));
            }
            if part.is_projected {
                self.parts.push_front(part);
                break;
            }
            let batch = part.batch;
            if batch.num_rows() == 0 && !parts.is_empty() {
                continue;
            }
            if rows == 0 {
                parts.clear();
            }
            rows += batch.num_rows();
            parts.push(batch);
            if parts.len() == MAX_SMALL {
                parts = vec![concat(&parts[0].schema(), &parts)?];
            }
        }
        let Some(first) = parts.first() else {
            return Ok(None);
        };
        concat(&first.schema(), &parts).map(Part::plain).map(Some)
    }

    fn read(&mut self) -> Result<Option<Part>> {
        while self.parts.is_empty() {
            match self.receive()? {
                Received::Batch(batch) => return self.checked(batch).map(Some),
                Received::Projected(batches) => self.settle_all(batches)?,
                Received::End => return Ok(None),
            }
        }
        Ok(self.parts.pop_front())
    }

    /// Call the reader.
    fn receive(&mut self) -> Result<Received> {
        let read = Python::attach(|py| -> PyResult<_> {
            py.check_signals()?;
            let reader = self.reader.bind(py);
            match reader.call_method0("read_next_batch") {
                Ok(read) => match read.cast::<FlowParts>() {
                    Ok(parts) => Ok(Received::Projected(parts.borrow().batches().to_vec())),
                    Err(_) => record_batch(&read).map(Received::Batch),
                },
                Err(error) if !error.is_instance_of::<PyStopIteration>(py) => {
                    Err(translated(py, error))
                }
                Err(_) if self.is_first => {
                    let schema: PySchema = reader.getattr("schema")?.extract()?;
                    let empty = RecordBatch::new_empty(SchemaRef::from(schema));
                    Ok(Received::Batch(empty))
                }
                Err(_) => {
                    warn_settled(py, std::mem::take(&mut self.settled)).map(|()| Received::End)
                }
            }
        });
        read.map_err(|error| Error::Source(Box::new(error)))
    }

    /// Import and settle a batch.
    fn checked(&mut self, batch: RecordBatch) -> Result<Part> {
        let batch = self.with_needed(batch)?;
        let (batch, invalid) = imported(&batch)?;
        if let Some((row, column)) = invalid.first_key_value() {
            let name = batch.schema_ref().field(*column).name();
            let error = not_utf8(name, batch.column(*column), *row);
            return Err(error.at(|row| self.rows + row));
        }
        let (batch, settled) = settle(batch).map_err(|error| error.at(|row| self.rows + row))?;
        self.add_settled(settled);
        self.is_first = false;
        self.rows += batch.num_rows();
        Ok(Part::plain(batch))
    }

    /// Drop the columns of flows that are not needed.
    fn with_needed(&self, batch: RecordBatch) -> Result<RecordBatch> {
        if self.needed.is_empty() || !FlowBatch::is_one(&batch) {
            return Ok(batch);
        }
        let fields = batch.schema_ref().fields().iter().enumerate();
        let is_needed = |name: &String| self.needed.iter().any(|n| n.eq_ignore_ascii_case(name));
        let kept = fields.filter(|(_, field)| is_needed(field.name()));
        let kept: Vec<usize> = kept.map(|(index, _)| index).collect();
        Ok(batch.project(&kept)?)
    }

    /// Settle projected flows.
    fn settle_all(&mut self, batches: Vec<RecordBatch>) -> Result<()> {
        let settled: Vec<_> = batches.into_par_iter().map(settle_projected).collect();
        for part in settled {
            let (batch, settled) = part?;
            self.add_settled(settled);
            if batch.num_rows() > 0 {
                self.is_first = false;
                self.rows += batch.num_rows();
                self.parts.push_back(Part {
                    batch,
                    is_projected: true,
                });
            }
        }
        Ok(())
    }

    fn add_settled(&mut self, settled: Settled) {
        self.settled.exchanged += settled.exchanged;
        self.settled.end_before_start += settled.end_before_start;
    }

    /// All batches as flows, not split, and concatenated only if they are small.
    pub fn parts(mut self) -> Result<Vec<FlowBatch>> {
        let mut parts = Vec::new();
        while let Some(part) = self.fetch(MIN_PART)? {
            parts.push(part.batch);
        }
        let schema = parts.first().map(RecordBatch::schema);
        if parts.iter().any(|part| Some(part.schema()) != schema) {
            let decoded = parts.iter().map(without_dictionaries);
            parts = decoded.collect::<Result<_>>()?;
        }
        let mut row = 0;
        let numbered = parts.into_iter().map(|batch| {
            row += batch.num_rows();
            FlowBatch::new(batch.clone(), row - batch.num_rows())
        });
        numbered.collect()
    }

    /// The batches as flows.
    pub fn flows(mut self) -> impl Iterator<Item = Result<FlowBatch>> {
        let mut row = 0;
        let mut flows = move |part: Part| {
            let first_row = row;
            row += part.batch.num_rows();
            if part.is_projected {
                FlowBatch::projected(part.batch, first_row)
            } else {
                FlowBatch::new(part.batch, first_row)
            }
        };
        iter::from_fn(move || self.next_part().map(|part| part.and_then(&mut flows)))
    }
}

/// Warn about flows that were changed.
fn warn_settled(py: Python<'_>, settled: Settled) -> PyResult<()> {
    if settled.exchanged + settled.end_before_start > 0 {
        let warn = py.import("flowtriage.quality")?.getattr("warn_settled")?;
        warn.call1((settled.exchanged, settled.end_before_start))?;
    }
    Ok(())
}

/// The error of a damaged stream for an exception of pyarrow; those of a producer in Python stay.
fn translated(py: Python<'_>, error: PyErr) -> PyErr {
    let is_arrow = py
        .import("pyarrow")
        .and_then(|pyarrow| pyarrow.getattr("ArrowException"))
        .and_then(|class| Ok(error.matches(py, class)?))
        .unwrap_or_default();
    let is_io = error.is_instance_of::<PyOSError>(py)
        && (error.value(py).getattr("errno")).is_ok_and(|errno| errno.is_none());
    if is_arrow || is_io {
        return Error::Format(format!("cannot read this stream ({error})")).into();
    }
    error
}

/// Import a `pyarrow.RecordBatch`.
///
/// Only pyarrow knows the sizes of the buffers, so it compares them with the offsets.
pub fn record_batch(batch: &Bound<'_, PyAny>) -> PyResult<RecordBatch> {
    if let Err(error) = batch.call_method0("validate") {
        return Err(Error::Format(format!("the data is damaged: {error}")).into());
    }
    // Names and types that are not UTF-8 are a panic.
    let extract = AssertUnwindSafe(|| batch.extract::<PyRecordBatch>());
    match catch_unwind(extract) {
        Ok(Ok(batch)) => Ok(batch.into_inner()),
        Ok(Err(error)) => Err(Error::Format(format!("the data is damaged: {error}")).into()),
        Err(_) => Err(Error::Format("the schema of the data is damaged".into()).into()),
    }
}

/// Import a `pyarrow.Array` of strings.
pub fn strings(name: &str, array: &PyArray) -> Result<Text> {
    let array: ArrayRef = imported_column(name, array.array())?;
    Text::read(name, &array)
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_part().map(|part| part.map(|part| part.batch))
    }
}

impl Batches {
    fn next_part(&mut self) -> Option<Result<Part>> {
        let part = match self.rest.take() {
            Some(rest) => check_signals()
                .map(|()| rest)
                .map_err(|error| Error::Source(Box::new(error))),
            None => self.fetch(MIN_ROWS).transpose()?,
        };
        let part = match part {
            Ok(part) => part,
            error => return Some(error),
        };
        let batch = &part.batch;
        if batch.num_rows() <= MAX_ROWS {
            return Some(Ok(part));
        }
        let rest = batch.slice(MAX_ROWS, batch.num_rows() - MAX_ROWS);
        self.rest = Some(Part::plain(rest));
        Some(Ok(Part::plain(batch.slice(0, MAX_ROWS))))
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
    // `pyarrow.table` would import pandas to find out whether it is given a frame.
    let stream = PyTable::try_new(batches, schema)?.into_pyobject(py)?;
    let reader = py.import("pyarrow")?.getattr("RecordBatchReader")?;
    reader
        .call_method1("from_stream", (stream,))?
        .call_method0("read_all")
}
