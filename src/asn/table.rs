//! Answers of a database as a table.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field};
use rayon::prelude::*;

use crate::addresses::{Addresses, Distinct};
use crate::aggregate::index::batch;
use crate::aggregate::strings::{addresses, strings, texts, write_address};
use crate::asn::answers::Answers;
use crate::asn::database::Database;
use crate::asn::record::Record;
use crate::asn::{label, unnamed};
use crate::columns::Text;
use crate::error::{Error, Result};
use crate::ip::IpKind;

/// Rows that one task writes; the table has a chunk for each.
const PIECE: usize = 1 << 16;

/// Looks up addresses given as text; missing ones stay, as rows without an address.
///
/// Each distinct address is asked for once.
pub fn lookup(database: &Database, text: &Text) -> Result<Vec<RecordBatch>> {
    let given = Addresses::parse(text).map_err(|row| Error::Value {
        row,
        column: "address".into(),
        value: text.get(row).unwrap_or_default().into(),
        reason: "is not an IP address",
    })?;
    let distinct = given.distinct();
    let answers = database.resolve(&distinct.ips)?;
    let rows = given.rows();
    (0..rows.div_ceil(PIECE).max(1))
        .into_par_iter()
        .map(|piece| {
            let range = piece * PIECE..rows.min((piece + 1) * PIECE);
            write(&distinct, &answers, range)
        })
        .collect()
}

fn write(
    Distinct { ips, places }: &Distinct,
    answers: &Answers,
    rows: Range<usize>,
) -> Result<RecordBatch> {
    let rows = &places[rows];
    let place = |row: usize| rows[row].get().map(|place| place as usize);
    let kind = |row| place(row).map(|place| answers.kinds[place]);
    let system = |row| place(row).and_then(|place| answers.system(place));
    let text = |name: &str, values: StringArray| {
        (
            Field::new(name, DataType::Utf8, true),
            Arc::new(values) as ArrayRef,
        )
    };
    let name = |row, bytes: &mut Vec<u8>| {
        match system(row) {
            Some((
                Record {
                    name: Some(name), ..
                },
                _,
            )) => bytes.extend_from_slice(name.as_bytes()),
            Some((record, _)) => bytes.extend_from_slice(label(record).as_bytes()),
            None => bytes.extend_from_slice(unnamed(kind(row)).as_bytes()),
        }
        true
    };
    let prefix = |row, bytes: &mut Vec<u8>| {
        let Some((_, network)) = system(row) else {
            return false;
        };
        write_address(network.network().into(), bytes);
        bytes.push(b'/');
        bytes.extend_from_slice(network.prefix().to_string().as_bytes());
        true
    };
    let count = rows.len();
    let asns: UInt32Array = (0..count).map(|row| system(row)?.0.asn).collect();
    batch(vec![
        text(
            "address",
            addresses(count, |row| place(row).map(|place| ips[place]).into())?,
        ),
        (Field::new("asn", DataType::UInt32, true), Arc::new(asns)),
        text("as_name", texts(count, name)?),
        text(
            "country",
            strings(count, |row| answers.country(place(row)?))?,
        ),
        text("prefix", texts(count, prefix)?),
        text(
            "ip_type",
            strings(count, |row| kind(row).map(IpKind::name))?,
        ),
    ])
}
