//! Canonical columns, each made from the columns of a log.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt16Array,
};

use crate::error::{Error, Result};
use crate::normalise::BadRow;
use crate::normalise::cells::{Cells, YEARS};
use crate::normalise::spec::{Field, Kind, Unit};

/// Rows with a bad value, with the first one of each.
pub type BadRows = BTreeMap<usize, BadRow>;

/// Makes a canonical column; a row whose value is bad is noted and null.
pub fn column(
    field: &Field,
    batch: &RecordBatch,
    nulls: &[String],
    start_time: Option<&ArrayRef>,
    bad: &mut BadRows,
) -> Result<ArrayRef> {
    let cells = field
        .columns
        .iter()
        .map(|name| Cells::find(batch, name))
        .collect::<Result<Vec<_>>>()?;
    let rows = 0..batch.num_rows();
    if let Kind::Constant(value) = field.kind {
        return Ok(Arc::new(Int64Array::from(vec![value; rows.len()])));
    }
    let Some(first) = cells.first() else {
        return Err(Error::Argument(format!(
            "field {:?} names no column",
            field.target
        )));
    };
    let times = |values: Vec<Option<i64>>| -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from(values).with_timezone("UTC"))
    };
    Ok(match field.kind {
        Kind::Time(unit) => times(good(rows, bad, |row| first.time(row, nulls, unit))),
        Kind::Duration(unit) => {
            let starts =
                start_time.and_then(|a| a.as_any().downcast_ref::<TimestampMicrosecondArray>());
            let start = |row| starts.filter(|s| s.is_valid(row)).map(|s| s.value(row));
            times(good(rows, bad, |row| {
                let Some(length) = first.duration(row, nulls, unit)? else {
                    return Ok(None);
                };
                let end = start(row).map(|start| start.saturating_add(length));
                if end.is_some_and(|end| !YEARS.contains(&end)) {
                    return Err(BadRow::value(
                        0,
                        &first.name,
                        None,
                        "leads beyond the year 9999",
                    ));
                }
                Ok(end)
            }))
        }
        Kind::Count if field.target == "flows" => {
            let count = |row| match sum(&cells, row, nulls)? {
                None => Err(BadRow::value(
                    0,
                    &first.name,
                    None,
                    "has no number of flows",
                )),
                count => Ok(count),
            };
            Arc::new(Int64Array::from(good(rows, bad, count)))
        }
        Kind::Count => Arc::new(Int64Array::from(good(rows, bad, |row| {
            sum(&cells, row, nulls)
        }))),
        Kind::Port => Arc::new(UInt16Array::from(good(rows, bad, |row| {
            first.port(row, nulls)
        }))),
        Kind::Direction => {
            let words = good(rows, bad, |row| first.direction(row, nulls));
            Arc::new(StringArray::from(words))
        }
        Kind::Text => Arc::new(
            rows.map(|row| first.get(row, nulls))
                .collect::<StringArray>(),
        ),
        Kind::Protocol => Arc::new(
            rows.map(|row| first.protocol(row, nulls))
                .collect::<StringArray>(),
        ),
        Kind::Constant(_) => unreachable!("answered above"),
    })
}

fn good<T>(
    rows: std::ops::Range<usize>,
    bad: &mut BadRows,
    value: impl Fn(usize) -> Result<Option<T>, BadRow>,
) -> Vec<Option<T>> {
    rows.map(|row| {
        value(row).unwrap_or_else(|reason| {
            bad.entry(row).or_insert(reason);
            None
        })
    })
    .collect()
}

fn sum(columns: &[Cells], row: usize, nulls: &[String]) -> Result<Option<i64>, BadRow> {
    let mut sum: Option<i64> = None;
    for cells in columns {
        if let Some(value) = cells.count(row, nulls)? {
            sum = Some(sum.unwrap_or(0).saturating_add(value));
        }
    }
    Ok(sum)
}

impl Kind {
    /// Reads the name that a declaration gives to a kind, with the unit of its numbers.
    pub fn parse(kind: &str, unit: Option<&str>) -> Result<Self> {
        let unit = match unit {
            None | Some("s") => Unit::Seconds,
            Some("ms") => Unit::Milliseconds,
            Some("us") => Unit::Microseconds,
            Some(other) => {
                return Err(Error::Argument(format!(
                    "unit {other:?} is not s, ms or us"
                )));
            }
        };
        Ok(match kind {
            "time" => Self::Time(unit),
            "duration" => Self::Duration(unit),
            "port" => Self::Port,
            "count" => Self::Count,
            "text" => Self::Text,
            "protocol" => Self::Protocol,
            "direction" => Self::Direction,
            "one" => Self::Constant(1),
            other => return Err(Error::Argument(format!("{other:?} is no kind of field"))),
        })
    }
}
