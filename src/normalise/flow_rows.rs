//! From columns of records to columns of flows.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, UInt32Array, new_null_array,
};
use arrow::compute::kernels::zip::zip;
use arrow::compute::take;
use arrow::datatypes::Int64Type;

use crate::error::Result;
use crate::ip::write::addresses;
use crate::normalise::columns::{Columns, place};
use crate::normalise::endpoints::Ends;
use crate::normalise::log::Log;
use crate::normalise::outcome::Repeated;
use crate::normalise::spec::Spec;
use crate::normalise::values::Conditions;

/// Columns that a flow's own counters replace, and the place of the counter.
const OWN: [(&str, usize); 4] = [
    ("src_packets", 2),
    ("dst_packets", 3),
    ("src_bytes", 4),
    ("dst_bytes", 5),
];

/// Columns of one end, and of the other.
const SIDES: [(&str, &str); 5] = [
    ("src_ip", "dst_ip"),
    ("src_port", "dst_port"),
    ("src_bytes", "dst_bytes"),
    ("src_packets", "dst_packets"),
    ("src_payload_bytes", "dst_payload_bytes"),
];

/// Turns columns of records into columns of flows, with their addresses and own counters.
pub fn per_flow(columns: &mut Columns<'_>, ends: &Ends, records: usize) -> Result<()> {
    if !ends.is_one_to_one(records) {
        let records = UInt32Array::from_iter_values(ends.flows.iter().map(|end| end.record));
        for (_, column) in columns.iter_mut() {
            *column = take(column, &records, None)?;
        }
    }
    if ends.any_own() {
        own_counters(columns, ends);
    }
    let rows = ends.flows.len();
    let sources = addresses(rows, |row| Some(ends.flows[row].source).into())?;
    let dests = addresses(rows, |row| Some(ends.flows[row].dest).into())?;
    columns.push(("src_ip", Arc::new(sources)));
    columns.push(("dst_ip", Arc::new(dests)));
    Ok(())
}

fn counts<'a>(columns: &'a Columns<'_>, name: &str) -> Option<&'a Int64Array> {
    columns[place(columns, name)?]
        .1
        .as_primitive_opt::<Int64Type>()
}

fn value(counts: Option<&Int64Array>, row: usize) -> Option<i64> {
    counts
        .filter(|counts| counts.is_valid(row))
        .map(|counts| counts.value(row))
}

/// Puts the counters of an address in the place of those of its record. The flows that it started
/// are denied where all flows of the record are.
fn own_counters(columns: &mut Columns<'_>, ends: &Ends) {
    let rows = 0..ends.flows.len();
    let (flows, denied) = (counts(columns, "flows"), counts(columns, "denied_flows"));
    let started = |row: usize| {
        let own = ends.own(row)?;
        let refused = value(flows, row) == Some(0) && value(denied, row) > Some(0);
        Some(if refused { (0, own[0]) } else { (own[0], 0) })
    };
    let allowed =
        |row| started(row).map_or_else(|| value(flows, row), |(allowed, _)| Some(allowed));
    let refused =
        |row| started(row).map_or_else(|| value(denied, row), |(_, refused)| Some(refused));
    let mut new: Vec<(&'static str, Int64Array)> = vec![
        ("flows", rows.clone().map(allowed).collect()),
        ("denied_flows", rows.clone().map(refused).collect()),
    ];
    for (name, counter) in OWN {
        let old = counts(columns, name);
        let own = |row| {
            ends.own(row)
                .map_or_else(|| value(old, row), |own| Some(own[counter]))
        };
        new.push((name, rows.clone().map(own).collect()));
    }
    for (name, column) in new {
        set(columns, name, Arc::new(column));
    }
}

/// The flows that repeat the counts of one record, and by how much their totals are too high.
pub fn repeated(columns: &Columns<'_>, ends: &Ends) -> Repeated {
    let mut out = Repeated::default();
    let flows = counts(columns, "flows");
    let bytes = ["src_bytes", "dst_bytes"].map(|name| counts(columns, name));
    for (row, end) in ends.flows.iter().enumerate() {
        if end.sharing > 1 {
            let too_often = 1.0 - 1.0 / f64::from(end.sharing);
            out.rows += 1;
            out.flows += value(flows, row).unwrap_or(0) as f64 * too_often;
            for bytes in bytes {
                out.bytes += value(bytes, row).unwrap_or(0) as f64 * too_often;
            }
        }
    }
    out
}

/// Which flows were begun by their second end; `None` where the format does not tell.
pub fn reversed(log: &Log<'_>, spec: &Spec, ends: &Ends) -> Result<Option<BooleanArray>> {
    if spec.reversed.is_empty() {
        return Ok(None);
    }
    let reversed = Conditions::find(log, &spec.reversed, &spec.nulls)?;
    let flows = ends.flows.iter();
    let mask: BooleanArray = flows
        .map(|end| Some(reversed.met(end.record as usize)))
        .collect();
    Ok((mask.true_count() > 0).then_some(mask))
}

/// Exchanges the ends of the marked flows.
pub fn swap(columns: &mut Columns<'_>, marked: &BooleanArray) -> Result<()> {
    for (one, other) in SIDES {
        let (Some(first), Some(second)) = (side(columns, one, other), side(columns, other, one))
        else {
            continue;
        };
        set(columns, one, zip(marked, &second, &first)?);
        set(columns, other, zip(marked, &first, &second)?);
    }
    Ok(())
}

/// The column of one end; nulls where only the other end has one.
fn side(columns: &Columns<'_>, name: &str, other: &str) -> Option<ArrayRef> {
    let like = |place: usize| &columns[place].1;
    let nulls = |array: &ArrayRef| new_null_array(array.data_type(), array.len());
    match place(columns, name) {
        Some(place) => Some(Arc::clone(like(place))),
        None => place(columns, other).map(like).map(nulls),
    }
}

fn set<'a>(columns: &mut Columns<'a>, name: &'a str, column: ArrayRef) {
    match place(columns, name) {
        Some(place) => columns[place].1 = column,
        None => columns.push((name, column)),
    }
}
