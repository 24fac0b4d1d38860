//! Log records to canonical flows.

use std::collections::BTreeMap;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::columns::batch::concat;
use crate::columns::import::{InvalidRows, NOT_UTF8, imported, lossy};
use crate::error::Result;
use crate::normalise::fields::{date_order, zone};
use crate::normalise::hosts::Hosts;
use crate::normalise::outcome::{BadRow, Normalised};
use crate::normalise::records::table;
use crate::normalise::spec::{Condition, Endpoints, Field, Initiator, Kind, Spec};
use crate::normalise::text::blocks::{Layout, block as read_block, lines};
use crate::normalise::text::delimited::Delimited;
use crate::normalise::text::tuples::Tuples;
use crate::python::flow_parts::{FlowParts, joined};
use crate::python::gateway::{record_batch, release_gil, to_pyarrow};

type PyCondition = (Vec<String>, Vec<String>);

fn conditions(pairs: Vec<PyCondition>) -> Vec<Condition> {
    let condition = |(columns, values)| Condition { columns, values };
    pairs.into_iter().map(condition).collect()
}

/// `flowtriage.formats.declaration.Binding`.
#[derive(FromPyObject)]
pub struct PySpec {
    nulls: Vec<String>,
    endpoints: Vec<PyEndpoints>,
    fields: Vec<PyField>,
    keep: Vec<PyCondition>,
    skip: Vec<PyCondition>,
    actions: Vec<PyCondition>,
    initiator: PyInitiator,
    translated: Vec<(String, String)>,
    zone: String,
    date_order: Option<String>,
    hosts: Vec<String>,
    host_names: Vec<String>,
    date_order_shown: bool,
    projected: Option<Vec<String>>,
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
    when_any: Vec<PyCondition>,
    unless: Vec<PyCondition>,
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
                when_any: conditions(field.when_any),
                unless: conditions(field.unless),
                has_alternative: false,
                is_sole: false,
            })
        });
        let mut fields = fields.collect::<Result<Vec<Field>>>()?;
        let mut mappings: BTreeMap<String, usize> = BTreeMap::new();
        for field in fields.iter_mut().rev() {
            let later = mappings.entry(field.target.clone()).or_default();
            field.has_alternative = *later > 0;
            *later += 1;
        }
        for field in &mut fields {
            field.is_sole = mappings[&field.target] == 1;
        }
        let hosts = (!spec.hosts.is_empty() || !spec.host_names.is_empty())
            .then(|| Hosts::new(&spec.hosts, &spec.host_names))
            .transpose()?;
        Ok(Self {
            hosts,
            nulls: spec.nulls,
            endpoints: endpoints.collect(),
            fields,
            keep: conditions(spec.keep),
            skip: conditions(spec.skip),
            actions: conditions(spec.actions),
            initiator: spec.initiator.into(),
            translated: spec.translated,
            zone: zone(&spec.zone)?,
            date_order: spec.date_order.as_deref().map(date_order).transpose()?,
            date_order_shown: spec.date_order_shown,
            projected: spec.projected,
        })
    }
}

/// `flowtriage.formats.layout.TextLayout`; JSON if it has no names.
#[derive(FromPyObject)]
pub struct PyLayout {
    delimiter: String,
    quoted: bool,
    comment: Option<String>,
    names: Vec<String>,
    objects: bool,
    tuples: Option<PyTuples>,
}

/// `flowtriage.formats.layout.Tuples`.
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
type Tallies = BTreeMap<&'static str, BTreeMap<String, u64>>;
type PyDates = BTreeMap<&'static str, (u64, String, String)>;

type Outcome<'py> = (Bound<'py, PyAny>, Counts, Tallies, PyDates, Vec<PyBadRow>);

fn outcome(py: Python<'_>, done: Normalised, is_projected: bool) -> PyResult<Outcome<'_>> {
    let bad_rows = done.bad_rows.into_iter();
    let reversed = done.reversed.into_iter();
    let tallies = [
        ("skipped", done.skipped),
        (
            "reversed",
            reversed
                .map(|(reason, flows)| (reason.into(), flows))
                .collect(),
        ),
        ("unknown_actions", done.unknown_actions),
    ];
    let dates = [
        ("mdy", done.dates.month_first),
        ("dmy", done.dates.day_first),
        ("ambiguous", done.dates.ambiguous),
    ];
    let dates = dates.into_iter().filter_map(|(order, date)| {
        let date = date?;
        Some((order, (date.row, date.column, date.value)))
    });
    let counts = [
        ("rows_read", done.records as f64),
        ("rows_bad", done.bad as f64),
        ("rows_expanded", done.expanded as f64),
        ("rows_counted", done.counted as f64),
        ("rows_repeated", done.repeated.rows as f64),
        ("repeated_flows", done.repeated.flows),
        ("repeated_bytes", done.repeated.bytes),
        ("rows_end_before_start", done.end_before_start as f64),
        ("rows_without_sides", done.without_sides as f64),
        ("rows_contradicted_totals", done.contradicted_totals as f64),
        ("rows_payload_only", done.payload_only as f64),
        ("rows_translated", done.translated as f64),
        ("rows_of_other_hosts", done.other_hosts as f64),
    ];
    let flows = if is_projected {
        FlowParts::new(release_gil(py, || joined(done.batches))?).into_bound_py_any(py)?
    } else {
        to_pyarrow(py, done.batches)?
    };
    Ok((
        flows,
        counts.into_iter().collect(),
        tallies.into_iter().collect(),
        dates.collect(),
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
    outcome(py, done, spec.is_projected())
}

#[pyfunction]
pub fn normalise_table<'py>(
    py: Python<'py>,
    batches: Vec<Bound<'py, PyAny>>,
    used: Vec<String>,
    spec: PySpec,
    first_row: u64,
) -> PyResult<Outcome<'py>> {
    let spec = Spec::try_from(spec)?;
    let batches = batches.iter().map(record_batch);
    let batches = batches.collect::<PyResult<Vec<_>>>()?;
    let done = release_gil(py, || valid_rows(&batches, &used, &spec, first_row))?;
    outcome(py, done, spec.is_projected())
}

/// Normalise the used columns of a table; rows with a string that is not UTF-8 in any column are
/// bad rows.
fn valid_rows(
    batches: &[RecordBatch],
    used: &[String],
    spec: &Spec,
    first_row: u64,
) -> Result<Normalised> {
    let (mut parts, mut invalid, mut rows) = (Vec::new(), InvalidRows::new(), 0);
    for batch in batches {
        let (batch, found) = imported(batch)?;
        invalid.extend(found.into_iter().map(|(row, column)| (rows + row, column)));
        rows += batch.num_rows();
        parts.push(batch);
    }
    let batch = match parts.first() {
        Some(first) => concat(&first.schema(), &parts)?,
        None => return Ok(Normalised::default()),
    };
    let used = used.iter().map(|name| batch.schema_ref().index_of(name));
    let used = used.collect::<Result<Vec<_>, _>>()?;
    let number = |row: usize| first_row + row as u64;
    if invalid.is_empty() {
        return table(&batch.project(&used)?, spec, number);
    }
    let rows = 0..batch.num_rows() as u32;
    let rows: Vec<u32> = rows
        .filter(|row| !invalid.contains_key(&(*row as usize)))
        .collect();
    let valid = take_record_batch(&batch.project(&used)?, &UInt32Array::from(rows.clone()))?;
    let mut done = table(&valid, spec, |row| number(rows[row] as usize))?;
    let mut bad = Normalised {
        records: invalid.len() as u64,
        ..Normalised::default()
    };
    for (row, column) in invalid {
        let (name, array) = (
            batch.schema_ref().field(column).name(),
            batch.column(column),
        );
        bad.reject(BadRow::value(
            number(row),
            name,
            Some(&lossy(array, row)),
            NOT_UTF8,
        ));
    }
    done.append(bad);
    Ok(done)
}
