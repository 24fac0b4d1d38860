//! Flows and peers of addresses.

use arrow::array::{Array, Int64Array};

use crate::error::{Error, Result};

pub mod expanded;
pub mod peers;

/// The port of a row; `row_number` is the row in messages.
fn port(name: &str, ports: &Int64Array, row: usize, row_number: usize) -> Result<Option<u16>> {
    if ports.is_null(row) {
        return Ok(None);
    }
    let value = ports.value(row);
    let port = u16::try_from(value).map_err(|_| Error::Value {
        row: row_number,
        column: name.into(),
        value: value.to_string(),
        reason: "is not a port",
    })?;
    Ok(Some(port))
}

/// Add a value that may be null.
fn add(sum: &mut Option<i64>, value: Option<i64>) -> Result<()> {
    if let Some(value) = value {
        let total = sum.unwrap_or(0).checked_add(value);
        *sum = Some(total.ok_or(Error::Overflow("flows, bytes or packets of an address"))?);
    }
    Ok(())
}

/// Mean per flow, allowed or denied.
fn mean(sum: Option<i64>, allowed: i64, denied: Option<i64>) -> Option<f64> {
    let flows = i128::from(allowed) + i128::from(denied.unwrap_or_default());
    sum.filter(|_| flows != 0)
        .map(|sum| sum as f64 / flows as f64)
}
