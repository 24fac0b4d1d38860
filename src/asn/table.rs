//! Answers of a database as a table.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field};

use crate::aggregate::index::batch;
use crate::aggregate::strings::addresses;
use crate::asn::database::Database;
use crate::asn::unnamed;
use crate::columns::Text;
use crate::error::{Error, Result};
use crate::flows::OrNull;
use crate::ip::{Ip, IpKind};

/// Looks up addresses given as text; missing ones stay, as rows without an address.
pub fn lookup(database: &Database, text: &Text) -> Result<RecordBatch> {
    let ips = (0..text.len())
        .map(|row| match text.get(row) {
            None | Some("") => Ok(OrNull::from(None)),
            Some(value) => Ip::parse(value)
                .map(|ip| Some(ip).into())
                .ok_or_else(|| Error::Value {
                    row,
                    column: "address".into(),
                    value: value.into(),
                    reason: "is not an IP address",
                }),
        })
        .collect::<Result<Vec<OrNull<Ip>>>>()?;
    let answers = database.lookup(&ips)?;
    let text = |name: &str, values: StringArray| {
        (
            Field::new(name, DataType::Utf8, true),
            Arc::new(values) as ArrayRef,
        )
    };
    let asns: UInt32Array = answers.iter().map(|a| a.asn).collect();
    let names = answers.iter().map(|a| {
        Some(match (&a.name, a.asn) {
            (Some(name), _) => name.to_string(),
            (None, Some(asn)) => format!("AS{asn}"),
            (None, None) => unnamed(a.kind).to_owned(),
        })
    });
    batch(vec![
        text("address", addresses(ips.len(), |row| ips[row])?),
        (Field::new("asn", DataType::UInt32, true), Arc::new(asns)),
        text("as_name", names.collect()),
        text(
            "country",
            answers.iter().map(|a| a.country.as_deref()).collect(),
        ),
        text(
            "prefix",
            answers
                .iter()
                .map(|a| a.prefix.map(|p| p.to_string()))
                .collect(),
        ),
        text(
            "ip_type",
            answers.iter().map(|a| a.kind.map(IpKind::name)).collect(),
        ),
    ])
}
