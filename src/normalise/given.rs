//! Flows given in the canonical schema, without reading them as a log: the same rules about times,
//! protocols and addresses that only receive.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, TimestampMicrosecondArray, UInt32Array,
    new_null_array,
};
use arrow::compute::{interleave, nullif, take};
use arrow::datatypes::{DataType, Decimal128Type, Field, Schema};

use crate::columns::batch::{find, position};
use crate::columns::cast::{checked_cast, int64, micros};
use crate::columns::parallel::by_morsel;
use crate::columns::text::Text;
use crate::error::{Error, Result};
use crate::flow::initiator::addresses::is_unspecified;
use crate::flow::schema::CANONICAL;
use crate::ip::Ip;
use crate::normalise::columns::CanonicalColumns;
use crate::normalise::endpoints::Ends;
use crate::normalise::exchange::{DIRECTIONS, SIDES, Totals, find_by_addresses};
use crate::normalise::given_protocols::as_keywords;
use crate::normalise::values::{NOT_A_TIME, YEARS};

/// What was changed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settled {
    /// Flows whose endpoints were exchanged.
    pub exchanged: u64,
    /// Records that end before they start; their end is missing.
    pub end_before_start: u64,
}

/// Settle the flows of a batch in the canonical schema; other batches stay. A time outside
/// [`YEARS`] is an error.
pub fn settle(batch: RecordBatch) -> Result<(RecordBatch, Settled)> {
    let names = ["src_ip", "dst_ip", "flows"];
    if names.iter().any(|name| find(&batch, name).is_none()) {
        return Ok((batch, Settled::default()));
    }
    let batch = with_keywords(with_both_sides(batch)?)?;
    let (batch, end_before_start) = without_early_ends(batch)?;
    let (batch, exchanged) = with_initiators(batch)?;
    let settled = Settled {
        exchanged,
        end_before_start,
    };
    Ok((batch, settled))
}

/// Settle projected flows, whose times are settled.
pub fn settle_projected(batch: RecordBatch) -> Result<(RecordBatch, Settled)> {
    let numbers = |name| {
        let array = find(&batch, name)?.as_primitive_opt::<Decimal128Type>()?;
        Some(array.clone())
    };
    let (Some(sources), Some(dests)) = (numbers("src_ip"), numbers("dst_ip")) else {
        return Ok((batch, Settled::default()));
    };
    let ends = |row: usize| {
        let ends = [&sources, &dests].map(|ips| Ip(ips.value(row) as u128));
        let may_differ = ends.into_iter().any(may_only_receive) || is_unspecified(ends[1]);
        may_differ.then_some((row as u32, ends))
    };
    let found: Vec<_> = (0..batch.num_rows()).filter_map(ends).collect();
    if found.is_empty() {
        return Ok((batch, Settled::default()));
    }
    let (batch, exchanged) = exchange(with_both_sides(batch)?, found)?;
    let settled = Settled {
        exchanged,
        end_before_start: 0,
    };
    Ok((batch, settled))
}

/// Give both endpoints columns of one type wherever one of them has a column, so that all batches
/// of a stream have the same columns after an exchange.
fn with_both_sides(batch: RecordBatch) -> Result<RecordBatch> {
    let mut batch = batch;
    for (one, other) in &SIDES[1..] {
        let names = [*one, *other];
        let arrays = names.map(|name| find(&batch, name).map(Arc::clone));
        let kinds = arrays
            .clone()
            .map(|array| array.map(|array| array.data_type().clone()));
        let is_settled = kinds[0] == kinds[1]
            && kinds[0] != Some(DataType::Null)
            && names.iter().all(|name| is_nullable(&batch, name));
        if is_settled {
            continue;
        }
        let field = CANONICAL.field_with_name(one);
        let kind = field.map_or(&DataType::Int64, |field| field.data_type());
        let typed = arrays.map(|array| {
            array
                .filter(|array| *array.data_type() != DataType::Null)
                .unwrap_or_else(|| new_null_array(kind, batch.num_rows()))
        });
        let is_one_type = typed[0].data_type() == typed[1].data_type();
        let typed = if is_one_type || !typed.iter().all(is_number) {
            typed
        } else {
            [
                Arc::new(int64(one, &typed[0])?) as ArrayRef,
                Arc::new(int64(other, &typed[1])?),
            ]
        };
        for (name, array) in names.into_iter().zip(typed) {
            batch = with_column(&batch, name, array)?;
        }
    }
    Ok(batch)
}

fn with_keywords(batch: RecordBatch) -> Result<RecordBatch> {
    let keywords = match find(&batch, "protocol") {
        Some(array) => as_keywords("protocol", array)?,
        None => None,
    };
    match keywords {
        Some(array) => with_column(&batch, "protocol", array),
        None => Ok(batch),
    }
}

fn is_number(array: &ArrayRef) -> bool {
    match array.data_type() {
        DataType::Dictionary(_, values) => values.is_numeric(),
        kind => kind.is_numeric(),
    }
}

fn is_nullable(batch: &RecordBatch, name: &str) -> bool {
    let index = position(batch.schema_ref(), name);
    index.is_none_or(|index| batch.schema_ref().field(index).is_nullable())
}

/// Replace or add a column.
fn with_column(batch: &RecordBatch, name: &str, array: ArrayRef) -> Result<RecordBatch> {
    let schema = batch.schema_ref();
    let (mut fields, mut arrays) = (schema.fields().to_vec(), batch.columns().to_vec());
    let kind = array.data_type().clone();
    if let Some(index) = position(schema, name) {
        let field = fields[index].as_ref().clone().with_data_type(kind);
        fields[index] = Arc::new(field.with_nullable(true));
        arrays[index] = array;
    } else {
        fields.push(Arc::new(Field::new(name, kind, true)));
        arrays.push(array);
    }
    let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
    Ok(RecordBatch::try_new(Arc::new(schema), arrays)?)
}

fn without_early_ends(batch: RecordBatch) -> Result<(RecordBatch, u64)> {
    let times = |name| find(&batch, name).and_then(|array| micros(name, array).ok());
    let (starts, ends) = (times("start_time"), times("end_time"));
    for (name, times) in [("start_time", &starts), ("end_time", &ends)] {
        if let Some((row, value)) = times.as_ref().and_then(first_outside) {
            return Err(Error::Value {
                row,
                column: name.into(),
                value: format!("{value} µs"),
                reason: NOT_A_TIME,
            });
        }
    }
    let (Some(starts), Some(ends)) = (starts, ends) else {
        return Ok((batch, 0));
    };
    let is_early = |row: usize| {
        ends.value(row) < starts.value(row) && ends.is_valid(row) && starts.is_valid(row)
    };
    let rows = batch.num_rows();
    let early = by_morsel(rows, |mut rows| rows.any(is_early));
    if !early.into_iter().any(|early| early) {
        return Ok((batch, 0));
    }
    let mask: BooleanArray = (0..rows).map(|row| Some(is_early(row))).collect();
    let index = position(batch.schema_ref(), "end_time");
    let mut arrays = batch.columns().to_vec();
    if let Some(index) = index {
        arrays[index] = nullif(&arrays[index], &mask)?;
    }
    let batch = RecordBatch::try_new(batch.schema(), arrays)?;
    Ok((batch, mask.true_count() as u64))
}

fn first_outside(times: &TimestampMicrosecondArray) -> Option<(usize, i64)> {
    let values = times.values();
    let is_outside = |row: &usize| !YEARS.contains(&values[*row]);
    let parts = by_morsel(times.len(), |mut rows| rows.any(|row| is_outside(&row)));
    if !parts.into_iter().any(|outside| outside) {
        return None;
    }
    // Nulls may have any value.
    let mut rows = (0..times.len()).filter(is_outside);
    let row = rows.find(|row| times.is_valid(*row))?;
    Some((row, values[row]))
}

/// Exchange the endpoints of flows whose addresses show that the second one initiated them.
fn with_initiators(batch: RecordBatch) -> Result<(RecordBatch, u64)> {
    let text = |name| find(&batch, name).and_then(|array| Text::read(name, array).ok());
    let (Some(sources), Some(dests)) = (text("src_ip"), text("dst_ip")) else {
        return Ok((batch, 0));
    };
    let ends = |row: usize| {
        let (source, dest) = (sources.get(row)?, dests.get(row)?);
        let may_differ = may_be_receiver(source) || dest.starts_with(['0', ':', ' ']);
        let ends = may_differ.then(|| Some([Ip::parse(source)?, Ip::parse(dest)?]))??;
        Some((row as u32, ends))
    };
    let found = by_morsel(batch.num_rows(), |rows| {
        rows.filter_map(ends).collect::<Vec<_>>()
    });
    exchange(batch, found.concat())
}

/// Exchange the endpoints of flows, given with their rows, that the second one initiated.
fn exchange(batch: RecordBatch, flows: Vec<(u32, [Ip; 2])>) -> Result<(RecordBatch, u64)> {
    let (rows, ends): (Vec<u32>, Vec<[Ip; 2]>) = flows.into_iter().unzip();
    if rows.is_empty() {
        return Ok((batch, 0));
    }
    let ends = Ends::of(ends);
    let mut columns = plain_columns(&batch, &rows)?;
    let exchanged = find_by_addresses(&columns, &ends);
    if exchanged.count() == 0 {
        return Ok((batch, 0));
    }
    exchanged.apply(&mut columns, &ends, &Totals::new())?;
    Ok((
        with_rows(&batch, &rows, &columns)?,
        exchanged.count() as u64,
    ))
}

/// Whether an address may be multicast or broadcast.
fn may_only_receive(ip: Ip) -> bool {
    match ip.v4() {
        Some(v4) => v4 >> 28 == 0xe || v4 & 0xff == 0xff,
        None => ip.0 >> 120 == 0xff,
    }
}

/// Whether an address in any notation may be multicast, broadcast, or mapped into IPv6.
fn may_be_receiver(text: &str) -> bool {
    let text = text.as_bytes();
    match text {
        [b'2', b'2', b'4'..=b'9', ..]
        | [b'2', b'3', _, b'.', ..]
        | [b'f' | b'F', b'f' | b'F', ..]
        | [b':' | b'0' | b' ', ..] => true,
        _ => text.ends_with(b"255"),
    }
}

/// The columns of the endpoints of some rows, as strings and 64-bit integers.
fn plain_columns(batch: &RecordBatch, rows: &[u32]) -> Result<CanonicalColumns<'static>> {
    let indices = UInt32Array::from(rows.to_vec());
    let texts = ["src_ip", "dst_ip", "protocol"];
    let texts = texts.into_iter().chain(DIRECTIONS);
    let counts = SIDES[1..].iter().flat_map(|(one, other)| [*one, *other]);
    let names = texts.map(|name| (name, true));
    let names = names.chain(counts.map(|name| (name, false)));
    let found = names.filter_map(|(name, is_text)| Some((name, is_text, find(batch, name)?)));
    let plain = found.map(|(name, is_text, array)| {
        let array = take(array, &indices, None)?;
        let array = if array.data_type().is_decimal() && is_text {
            array
        } else if is_text {
            checked_cast(name, &array, &DataType::Utf8)?
        } else {
            let integers = int64(name, &array);
            let integers = integers.map_err(|error| error.at(|row| rows[row] as usize))?;
            Arc::new(integers) as ArrayRef
        };
        Ok((name, array))
    });
    plain.collect()
}

/// Replace some rows of the columns of a batch, which keep their types.
fn with_rows(
    batch: &RecordBatch,
    rows: &[u32],
    columns: &CanonicalColumns<'_>,
) -> Result<RecordBatch> {
    let mut indices: Vec<(usize, usize)> = (0..batch.num_rows()).map(|row| (0, row)).collect();
    for (index, row) in rows.iter().enumerate() {
        indices[*row as usize] = (1, index);
    }
    let mut arrays = batch.columns().to_vec();
    for (name, new) in columns {
        let index = position(batch.schema_ref(), name);
        let Some(index) = index.filter(|index| *arrays[*index].data_type() != DataType::Null)
        else {
            continue;
        };
        let old = &arrays[index];
        let new = checked_cast(name, new, old.data_type())?;
        arrays[index] = interleave(&[old, &new], &indices)?;
    }
    Ok(RecordBatch::try_new(batch.schema(), arrays)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_only_receive_are_looked_at() {
        for text in [
            "224.0.0.1",
            "239.255.255.250",
            "255.255.255.255",
            "10.0.0.255",
            "ff02::1",
            "FF02::1",
            "::ffff:224.0.0.1",
            "0:0:0:0:0:ffff:e000:1",
        ] {
            assert!(may_be_receiver(text), "{text}");
        }
        for text in [
            "10.0.0.1",
            "23.1.2.3",
            "223.0.0.1",
            "2001:db8::1",
            "fe80::1",
        ] {
            assert!(!may_be_receiver(text), "{text}");
        }
    }
}
