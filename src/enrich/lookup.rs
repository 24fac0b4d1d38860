//! Results of a lookup as a table.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field};
use rayon::prelude::*;

use crate::columns::batch::batch;
use crate::columns::text::Text;
use crate::columns::write::{StringPool, texts};
use crate::enrich::database::Database;
use crate::enrich::record::{Record, label, unnamed};
use crate::enrich::results::{LookupResult, LookupResults};
use crate::error::{Error, Result};
use crate::ip::column::{Addresses, Distinct};
use crate::ip::write::{addresses, write_network};
use crate::ip::{Ip, IpKind};

/// Rows that one task writes; the table has a chunk for each.
const PIECE: usize = 1 << 16;

/// Look up addresses given as strings, each distinct one once; missing ones become rows without
/// an address.
pub fn lookup(database: &Database, text: &Text) -> Result<Vec<RecordBatch>> {
    let given = parse(text)?;
    let distinct = given.distinct();
    let results = database.resolve(&distinct.ips)?;
    let names: Vec<Cow<'_, str>> = results.records.iter().map(name).collect();
    let facts = Facts::new(&results.records, &names);
    let rows = given.rows();
    (0..rows.div_ceil(PIECE).max(1))
        .into_par_iter()
        .map(|piece| {
            let rows = piece * PIECE..rows.min((piece + 1) * PIECE);
            write(&distinct, &results, &facts, rows)
        })
        .collect()
}

/// Parse addresses; the error has the row of the first invalid one.
pub fn parse(text: &Text) -> Result<Addresses> {
    Addresses::parse(text).map_err(|row| Error::Value {
        row,
        column: "address".into(),
        value: text.get(row).unwrap_or_default().into(),
        reason: "is not an IP address",
    })
}

/// A table with the column `address`.
pub fn address_table(ips: &[Ip]) -> Result<RecordBatch> {
    let texts = addresses(ips.len(), |row| Some(ips[row]).into())?;
    batch(vec![(
        Field::new("address", DataType::Utf8, true),
        Arc::new(texts) as ArrayRef,
    )])
}

/// Name of the holder of a record's networks.
fn name(record: &Record) -> Cow<'_, str> {
    let name = record.name.as_deref().map(Cow::Borrowed);
    name.unwrap_or_else(|| label(record).into())
}

/// Facts of all records, by column.
struct Facts<'a> {
    asns: Vec<Option<u32>>,
    /// Names of the holders, then the labels of addresses without one, by category.
    holders: StringPool<'a>,
    countries: StringPool<'a>,
    kinds: StringPool<'a>,
}

impl<'a> Facts<'a> {
    fn new(records: &'a [Record], names: &'a [Cow<'a, str>]) -> Self {
        let countries = records.iter().map(|record| record.country.as_deref());
        let kinds = IpKind::ALL.into_iter().map(Some).chain([None]);
        let unnamed = kinds.map(|kind| -> &str { unnamed(kind) });
        Self {
            asns: records.iter().map(|record| record.asn).collect(),
            holders: StringPool::new(names.iter().map(|name| &**name).chain(unnamed)),
            countries: StringPool::new(countries.map(Option::unwrap_or_default)),
            kinds: StringPool::new(IpKind::ALL.into_iter().map(IpKind::name)),
        }
    }
}

fn write(
    distinct: &Distinct,
    results: &LookupResults,
    facts: &Facts,
    rows: Range<usize>,
) -> Result<RecordBatch> {
    let known: Vec<Option<(Ip, LookupResult)>> = distinct.indices[rows]
        .iter()
        .map(|index| {
            let index = index.get()? as usize;
            Some((distinct.ips[index], results.get(index)))
        })
        .collect();
    let rows = known.len();
    let system = |row: usize| known[row].and_then(|(_, result)| result.system());
    let kind = |row: usize| known[row].map(|(_, result)| result.kind);
    let text = |name: &str, values: StringArray| {
        (
            Field::new(name, DataType::Utf8, true),
            Arc::new(values) as ArrayRef,
        )
    };
    let name = |row| {
        let unnamed =
            || facts.asns.len() + kind(row).map_or(IpKind::ALL.len(), |kind| kind as usize);
        Some(system(row).map_or_else(unnamed, |(record, _)| record))
    };
    let country = |row: usize| known[row].and_then(|(_, result)| result.country());
    let prefix = |row: usize, bytes: &mut Vec<u8>| {
        let Some(((ip, _), (_, length))) = known[row].zip(system(row)) else {
            return false;
        };
        write_network(ip, length, bytes);
        true
    };
    let asns = (0..rows).map(|row| facts.asns[system(row)?.0]);
    batch(vec![
        text(
            "address",
            addresses(rows, |row| known[row].map(|(ip, _)| ip).into())?,
        ),
        (
            Field::new("asn", DataType::UInt32, true),
            Arc::new(asns.collect::<UInt32Array>()),
        ),
        text("as_name", facts.holders.column(rows, name)?),
        text("country", facts.countries.column(rows, country)?),
        text("prefix", texts(rows, prefix)?),
        text(
            "ip_type",
            facts
                .kinds
                .column(rows, |row| kind(row).map(|kind| kind as usize))?,
        ),
    ])
}
