//! Log records to canonical flows.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3_arrow::PyRecordBatch;

use crate::error::Result;
use crate::normalise::fields::zone;
use crate::normalise::outcome::Normalised;
use crate::normalise::records::table;
use crate::normalise::spec::{Condition, Endpoints, Field, Initiator, Kind, Spec};
use crate::normalise::text::blocks::{Layout, block as read_block, lines};
use crate::normalise::text::delimited::Delimited;
use crate::normalise::text::tuples::Tuples;
use crate::python::gateway::{release_gil, to_pyarrow};

type PyCondition = (String, Vec<String>);

fn conditions(pairs: Vec<PyCondition>) -> Vec<Condition> {
    let condition = |(column, values)| Condition { column, values };
    pairs.into_iter().map(condition).collect()
}

/// `flowtriage.formats.declaration.Binding`.
#[derive(FromPyObject)]
pub struct PySpec {
    nulls: Vec<String>,
    endpoints: Vec<PyEndpoints>,
    fields: Vec<PyField>,
    keep: Vec<PyCondition>,
    initiator: PyInitiator,
    translated: Vec<(String, String)>,
    zone: String,
}

#[derive(FromPyObject)]
struct PyEndpoints {
    source: String,
    dest: String,
    direction: Option<String>,
    among: Option<String>,
    several: bool,
}

/// `flowtriage.formats.initiator.Initiator`.
#[derive(FromPyObject)]
struct PyInitiator {
    reversed: Vec<PyCondition>,
    unassigned: Vec<PyCondition>,
    history: Option<String>,
    flags: Option<(String, String)>,
    icmp: Option<String>,
    icmp_ports: bool,
    exporter: Option<(String, String)>,
    at_endpoint: Vec<PyCondition>,
    networks: Vec<String>,
}

impl From<PyInitiator> for Initiator {
    fn from(initiator: PyInitiator) -> Self {
        Self {
            reversed: conditions(initiator.reversed),
            unassigned: conditions(initiator.unassigned),
            history: initiator.history,
            flags: initiator.flags,
            icmp: initiator.icmp,
            icmp_ports: initiator.icmp_ports,
            exporter: initiator.exporter,
            at_endpoint: conditions(initiator.at_endpoint),
            networks: initiator.networks,
        }
    }
}

#[derive(FromPyObject)]
struct PyField {
    target: String,
    kind: String,
    unit: Option<String>,
    columns: Vec<String>,
    nulls: Vec<String>,
    values: Vec<(String, String)>,
    when: Vec<PyCondition>,
}

impl TryFrom<PySpec> for Spec {
    type Error = crate::error::Error;

    fn try_from(spec: PySpec) -> Result<Self> {
        let endpoints = spec.endpoints.into_iter().map(|ends| Endpoints {
            source: ends.source,
            dest: ends.dest,
            direction: ends.direction,
            among: ends.among,
            several: ends.several,
        });
        let fields = spec.fields.into_iter().map(|field| {
            Ok(Field {
                kind: Kind::parse(&field.kind, field.unit.as_deref())?,
                target: field.target,
                columns: field.columns,
                nulls: field.nulls,
                values: field.values,
                when: conditions(field.when),
            })
        });
        Ok(Self {
            nulls: spec.nulls,
            endpoints: endpoints.collect(),
            fields: fields.collect::<Result<_>>()?,
            keep: conditions(spec.keep),
            initiator: spec.initiator.into(),
            translated: spec.translated,
            zone: zone(&spec.zone)?,
        })
    }
}

/// `flowtriage.formats.declaration.TextLayout`; JSON if it has no names.
#[derive(FromPyObject)]
pub struct PyLayout {
    delimiter: String,
    quoted: bool,
    comment: Option<String>,
    names: Vec<String>,
    objects: bool,
    tuples: Option<PyTuples>,
}

/// `flowtriage.formats.declaration.Tuples`.
#[derive(FromPyObject)]
struct PyTuples {
    path: String,
    names: Vec<String>,
    #[pyo3(attribute("least"))]
    min_values: usize,
    delimiter: char,
}

impl From<PyLayout> for Layout {
    fn from(layout: PyLayout) -> Self {
        if let Some(tuples) = layout.tuples {
            return Self::Tuples(Tuples {
                path: tuples.path,
                delimiter: tuples.delimiter,
                names: tuples.names,
                min_values: tuples.min_values,
            });
        }
        if layout.objects {
            return Self::JsonObjects;
        }
        if layout.names.is_empty() {
            return Self::JsonLines;
        }
        let byte = |text: &str| text.bytes().next();
        Self::Delimited(Delimited {
            delimiter: byte(&layout.delimiter).unwrap_or(b','),
            quoted: layout.quoted,
            comment: layout.comment.as_deref().and_then(byte),
            names: layout.names,
        })
    }
}

type PyBadRow = (u64, Option<String>, Option<String>, String);
type Counts = BTreeMap<&'static str, f64>;
type Outcome<'py> = (
    Bound<'py, PyAny>,
    Counts,
    BTreeMap<String, u64>,
    BTreeMap<&'static str, u64>,
    Vec<PyBadRow>,
);

fn outcome(py: Python<'_>, done: Normalised) -> PyResult<Outcome<'_>> {
    let bad_rows = done.bad_rows.into_iter();
    let counts = [
        ("rows_read", done.records as f64),
        ("rows_bad", done.bad as f64),
        ("rows_expanded", done.expanded as f64),
        ("rows_counted", done.counted as f64),
        ("rows_repeated", done.repeated.rows as f64),
        ("repeated_flows", done.repeated.flows),
        ("repeated_bytes", done.repeated.bytes),
        ("rows_translated", done.translated as f64),
    ];
    Ok((
        to_pyarrow(py, done.batches)?,
        counts.into_iter().collect(),
        done.skipped,
        done.reversed,
        bad_rows
            .map(|row| (row.number, row.column, row.value, row.reason))
            .collect(),
    ))
}

#[pyfunction]
pub fn whole_records(py: Python<'_>, block: &[u8], layout: PyLayout) -> PyResult<(usize, usize)> {
    let layout = Layout::from(layout);
    release_gil(py, || {
        let end = layout.whole_records(block);
        Ok((end, lines(&block[..end])))
    })
}

#[pyfunction]
pub fn normalise_block<'py>(
    py: Python<'py>,
    block: &[u8],
    end: usize,
    layout: PyLayout,
    spec: PySpec,
    first_line: u64,
) -> PyResult<Outcome<'py>> {
    let (layout, spec) = (Layout::from(layout), Spec::try_from(spec)?);
    let records = &block[..end.min(block.len())];
    let done = release_gil(py, || read_block(records, &layout, &spec, first_line))?;
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
    let done = release_gil(py, || table(&batch, &spec, first_row))?;
    outcome(py, done)
}
