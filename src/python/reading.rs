//! Records of logs as canonical flows.

use pyo3::prelude::*;
use pyo3_arrow::{PyRecordBatch, PySchema};

use crate::error::Result;
use crate::normalise::spec::{Endpoints, Field, Kind, Spec};
use crate::normalise::text::{Layout, block as read_block};
use crate::normalise::{Normalised, table};
use crate::python::gateway::to_pyarrow;
use crate::schema::CANONICAL;

/// `flowtriage.formats.declaration.Binding`.
#[derive(FromPyObject)]
pub struct PySpec {
    nulls: Vec<String>,
    endpoints: Vec<PyEndpoints>,
    fields: Vec<PyField>,
    keep: Vec<(String, Vec<String>)>,
}

#[derive(FromPyObject)]
struct PyEndpoints {
    source: String,
    dest: String,
    direction: Option<String>,
}

#[derive(FromPyObject)]
struct PyField {
    target: String,
    kind: String,
    unit: Option<String>,
    columns: Vec<String>,
}

impl TryFrom<PySpec> for Spec {
    type Error = crate::error::Error;

    fn try_from(spec: PySpec) -> Result<Self> {
        let endpoints = spec.endpoints.into_iter().map(|ends| match ends.direction {
            None => Endpoints::Pair {
                source: ends.source,
                dest: ends.dest,
            },
            Some(direction) => Endpoints::Oriented {
                local: ends.source,
                peers: ends.dest,
                direction,
            },
        });
        let fields = spec.fields.into_iter().map(|field| {
            Ok(Field {
                kind: Kind::parse(&field.kind, field.unit.as_deref())?,
                target: field.target,
                columns: field.columns,
            })
        });
        Ok(Self {
            nulls: spec.nulls,
            endpoints: endpoints.collect(),
            fields: fields.collect::<Result<_>>()?,
            keep: spec.keep,
        })
    }
}

/// `flowtriage.formats.declaration.TextLayout`; without names it is JSON lines.
#[derive(FromPyObject)]
pub struct PyLayout {
    delimiter: String,
    quoted: bool,
    comment: Option<String>,
    names: Vec<String>,
}

impl From<PyLayout> for Layout {
    fn from(layout: PyLayout) -> Self {
        if layout.names.is_empty() {
            return Self::JsonLines;
        }
        let byte = |text: &str| text.bytes().next();
        Self::Delimited {
            delimiter: byte(&layout.delimiter).unwrap_or(b','),
            quoted: layout.quoted,
            comment: layout.comment.as_deref().and_then(byte),
            names: layout.names,
        }
    }
}

type Told = (u64, Option<String>, Option<String>, String);
type Outcome<'py> = (Bound<'py, PyAny>, u64, u64, u64, u64, Vec<Told>);

fn outcome(py: Python<'_>, done: Normalised) -> PyResult<Outcome<'_>> {
    let told = done.bad_rows.into_iter();
    Ok((
        to_pyarrow(py, done.batches)?,
        done.records,
        done.expanded,
        done.skipped,
        done.bad,
        told.map(|row| (row.number, row.column, row.value, row.reason))
            .collect(),
    ))
}

#[pyfunction]
pub fn whole_records(block: &[u8], layout: PyLayout) -> usize {
    Layout::from(layout).whole_records(block)
}

#[pyfunction]
pub fn normalise_block<'py>(
    py: Python<'py>,
    block: &[u8],
    layout: PyLayout,
    spec: PySpec,
    first_line: u64,
) -> PyResult<Outcome<'py>> {
    let (layout, spec) = (Layout::from(layout), Spec::try_from(spec)?);
    let done = py.detach(|| read_block(block, &layout, &spec, first_line))?;
    outcome(py, done)
}

#[pyfunction]
pub fn normalise_table(
    py: Python<'_>,
    batch: PyRecordBatch,
    spec: PySpec,
    first_row: u64,
) -> PyResult<Outcome<'_>> {
    let (batch, spec) = (batch.into_inner(), Spec::try_from(spec)?);
    let done = py.detach(|| table(&batch, &spec, first_row))?;
    outcome(py, done)
}

#[pyfunction]
pub fn canonical_schema(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    PySchema::new(CANONICAL.clone()).into_pyarrow(py)
}
