//! Everything about one address: its flows, and its peers.

use arrow::array::{Array, Int64Array};

use crate::error::{Error, Result};
use crate::ip::Ip;

pub mod expanded;
pub mod peers;

/// Reads the address that is sought.
pub fn sought(ip: &str) -> Result<Ip> {
    Ip::parse(ip).ok_or_else(|| Error::Argument(format!("ip is {ip:?}, which is no IP address")))
}

/// The port of a row of a column, whose rows are numbered otherwise in messages.
fn port(name: &str, ports: &Int64Array, row: usize, told: usize) -> Result<Option<u16>> {
    if ports.is_null(row) {
        return Ok(None);
    }
    let value = ports.value(row);
    let port = u16::try_from(value).map_err(|_| Error::Value {
        row: told,
        column: name.into(),
        value: value.to_string(),
        reason: "is not a port",
    })?;
    Ok(Some(port))
}

/// Adds what is known.
fn add(sum: &mut Option<i64>, value: Option<i64>) -> Result<()> {
    if let Some(value) = value {
        let total = sum.unwrap_or(0).checked_add(value);
        *sum = Some(total.ok_or(Error::Overflow("flows, bytes or packets of an address"))?);
    }
    Ok(())
}

/// A sum for each connection.
fn mean(sum: Option<i64>, connections: i64) -> Option<f64> {
    sum.filter(|_| connections != 0)
        .map(|sum| sum as f64 / connections as f64)
}
