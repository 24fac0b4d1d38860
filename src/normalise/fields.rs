//! Canonical columns, each computed from columns of a log.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, Int64Array, NullBufferBuilder, PrimitiveArray,
    StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType, UInt16Type};

use crate::columns::write::{texts, write_text};
use crate::direction::rules::Direction;
use crate::error::{Error, Result};
use crate::normalise::dates::Dates;
use crate::normalise::log::Log;
use crate::normalise::outcome::BadRow;
use crate::normalise::spec::{Field, Kind, Spec, Unit};
use crate::normalise::times::DateOrder;
use crate::normalise::values::{self, Cells, Conditions, YEARS};
use crate::normalise::whole;

/// Rows with a bad value, each with the first of them.
pub type BadRows = BTreeMap<usize, BadRow>;

/// Compute a canonical column; a bad value is null, and its row is added to `bad`.
/// Dates that show the order of day and month are noted.
pub fn column(
    field: &Field,
    log: &Log<'_>,
    spec: &Spec,
    start_time: Option<&ArrayRef>,
    (bad, dates): (&mut BadRows, &RefCell<Dates<usize>>),
) -> Result<ArrayRef> {
    let cells = field
        .columns
        .iter()
        .map(|name| Ok(Cells::find(log, name, &spec.nulls)?.with_nulls(&field.nulls)))
        .collect::<Result<Vec<_>>>()?;
    let as_dictionary = spec.is_projected() && field.is_sole;
    if let Some(made) = whole::column(field, &cells, as_dictionary) {
        return made;
    }
    let conditions = |wanted| Conditions::find(log, wanted, &spec.nulls);
    let (all, any) = (conditions(&field.when)?, conditions(&field.when_any)?);
    let unless = conditions(&field.unless)?;
    let met = |row| all.met(row) && any.any_met(row) && !unless.is_any(row);
    let rows = 0..log.rows();
    if let Kind::Constant(value) = field.kind {
        let values = rows.map(|row| if met(row) { value } else { 0 });
        return Ok(Arc::new(Int64Array::from_iter_values(values)));
    }
    let Some(first) = cells.first() else {
        return Err(Error::Argument(format!(
            "field {:?} has no source column",
            field.target
        )));
    };
    let values = &field.values;
    Ok(match field.kind {
        Kind::Time(unit) => times(good(rows, bad, |row| first.time(row, unit, spec, dates))),
        Kind::Duration(unit) => times(ends(first, unit, start_time, rows, bad)),
        Kind::Count | Kind::Total => {
            let needed = field.target == "flows" && !field.has_alternative;
            let count = |row| match sum(&cells, row)? {
                _ if !met(row) => Ok(Some(0)),
                None if needed => Err(first.bad(row, "has no number of flows")),
                count => Ok(count),
            };
            Arc::new(good::<Int64Type>(rows, bad, count))
        }
        Kind::Difference => Arc::new(good::<Int64Type>(rows, bad, |row| difference(&cells, row))),
        Kind::Number => Arc::new(good::<Float64Type>(rows, bad, |row| first.number(row))),
        Kind::Port => Arc::new(good::<UInt16Type>(rows, bad, |row| first.port(row))),
        Kind::PortOrName => {
            let [port, protocol] = cells.as_slice() else {
                return Err(Error::Argument(format!(
                    "field {:?} needs a port and a protocol",
                    field.target
                )));
            };
            Arc::new(good::<UInt16Type>(rows, bad, |row| {
                port.port_or_name(row, protocol)
            }))
        }
        Kind::PortOrIcmp => Arc::new(good::<UInt16Type>(rows, bad, |row| first.port_or_icmp(row))),
        Kind::Direction => {
            let direction = |row| {
                let text = first.get(row).and_then(|text| whole::mapped(text, values));
                let direction = text.map(|text| values::direction(&first.name, &text));
                direction.transpose()
            };
            let words: Vec<_> = rows
                .map(|row| ok_or_bad(direction(row), row, bad).map(Direction::word))
                .collect();
            Arc::new(StringArray::from(words))
        }
        Kind::Text => text(rows.len(), |row| {
            let found = cells.iter().find_map(|cells| cells.get(row));
            found.and_then(|text| whole::mapped(text, values))
        })?,
        Kind::Observer => text(rows.len(), |row| observer(&cells, row))?,
        Kind::Protocol => text(rows.len(), |row| first.protocol(row))?,
        Kind::Flags => text(rows.len(), |row| first.flags(row, 10))?,
        Kind::HexFlags => text(rows.len(), |row| first.flags(row, 16))?,
        Kind::Constant(_) => unreachable!("returned above"),
    })
}

fn times(values: TimestampMicrosecondArray) -> ArrayRef {
    Arc::new(values.with_timezone("UTC"))
}

fn text<'a>(rows: usize, value: impl Fn(usize) -> Option<Cow<'a, str>> + Sync) -> Result<ArrayRef> {
    let texts = texts(rows, |row, bytes| {
        let text = value(row);
        if let Some(text) = &text {
            write_text(text.as_bytes(), bytes);
        }
        text.is_some()
    });
    Ok(Arc::new(texts?))
}

fn ends(
    lengths: &Cells<'_>,
    unit: Unit,
    start_time: Option<&ArrayRef>,
    rows: std::ops::Range<usize>,
    bad: &mut BadRows,
) -> TimestampMicrosecondArray {
    let starts = start_time.and_then(|a| a.as_any().downcast_ref::<TimestampMicrosecondArray>());
    let start = |row| starts.filter(|s| s.is_valid(row)).map(|s| s.value(row));
    good::<TimestampMicrosecondType>(rows, bad, |row| {
        let Some(length) = lengths.duration(row, unit)? else {
            return Ok(None);
        };
        let end = start(row).map(|start| start.saturating_add(length));
        if end.is_some_and(|end| end > *YEARS.end()) {
            return Err(BadRow::value(
                0,
                &lengths.name,
                None,
                "exceeds the year 9999",
            ));
        }
        Ok(end)
    })
}

fn good<T: ArrowPrimitiveType>(
    rows: std::ops::Range<usize>,
    bad: &mut BadRows,
    value: impl Fn(usize) -> Result<Option<T::Native>, BadRow>,
) -> PrimitiveArray<T> {
    let mut values = Vec::with_capacity(rows.len());
    let mut nulls = NullBufferBuilder::new(rows.len());
    for row in rows {
        let value = ok_or_bad(value(row), row, bad);
        nulls.append(value.is_some());
        values.push(value.unwrap_or_default());
    }
    PrimitiveArray::new(values.into(), nulls.finish())
}

/// The value of a row; `None` if it is bad, which is added to `bad`.
fn ok_or_bad<T>(value: Result<Option<T>, BadRow>, row: usize, bad: &mut BadRows) -> Option<T> {
    value.unwrap_or_else(|reason| {
        bad.entry(row).or_insert(reason);
        None
    })
}

fn sum(columns: &[Cells<'_>], row: usize) -> Result<Option<i64>, BadRow> {
    let mut sum: Option<i64> = None;
    for cells in columns {
        if let Some(value) = cells.count(row)? {
            let total = sum.unwrap_or(0).checked_add(value);
            sum = Some(total.ok_or_else(|| cells.bad(row, "makes a sum beyond a 64-bit integer"))?);
        }
    }
    Ok(sum)
}

/// The observation point of a flow: the destination if it is inbound, else the source.
fn observer<'a>(columns: &'a [Cells<'_>], row: usize) -> Option<Cow<'a, str>> {
    let [direction, dest, source] = columns else {
        return None;
    };
    let direction = direction.get(row).and_then(|text| Direction::parse(&text));
    let (own, other) = match direction {
        Some(Direction::Inbound) => (dest, source),
        _ => (source, dest),
    };
    own.get(row).or_else(|| other.get(row))
}

fn difference(columns: &[Cells<'_>], row: usize) -> Result<Option<i64>, BadRow> {
    let [total, part] = columns else {
        return Ok(None);
    };
    let (Some(all), Some(less)) = (total.count(row)?, part.count(row)?) else {
        return Ok(None);
    };
    if less > all {
        return Err(total.bad(row, &format!("is less than {}", part.name)));
    }
    Ok(Some(all - less))
}

impl Kind {
    /// Parse a kind as a declaration names it, with the unit of its numbers.
    pub fn parse(kind: &str, unit: Option<&str>) -> Result<Self> {
        let time = match unit {
            None | Some("s" | "icmp" | "hex" | "name") => Unit::Seconds,
            Some("ms") => Unit::Milliseconds,
            Some("us") => Unit::Microseconds,
            Some(other) => {
                return Err(Error::Argument(format!(
                    "invalid unit {other:?}; give s, ms, us, icmp, hex or name"
                )));
            }
        };
        Ok(match kind {
            "time" => Self::Time(time),
            "duration" => Self::Duration(time),
            "port" if unit == Some("icmp") => Self::PortOrIcmp,
            "port" if unit == Some("name") => Self::PortOrName,
            "port" => Self::Port,
            "count" => Self::Count,
            "total" => Self::Total,
            "difference" => Self::Difference,
            "number" => Self::Number,
            "text" => Self::Text,
            "observer" => Self::Observer,
            "protocol" => Self::Protocol,
            "direction" => Self::Direction,
            "flags" if unit == Some("hex") => Self::HexFlags,
            "flags" => Self::Flags,
            "one" => Self::Constant(1),
            other => return Err(Error::Argument(format!("invalid kind of field {other:?}"))),
        })
    }
}

/// Parse the order of day and month: `mdy` or `dmy`.
pub fn date_order(order: &str) -> Result<DateOrder> {
    match order {
        "mdy" => Ok(DateOrder::MonthFirst),
        "dmy" => Ok(DateOrder::DayFirst),
        other => Err(Error::Argument(format!(
            "invalid date_order {other:?}; give mdy (month first) or dmy (day first)"
        ))),
    }
}

/// Parse a time zone: an IANA name, or an offset such as `+01:00`.
pub fn zone(name: &str) -> Result<Tz> {
    name.parse().map_err(|_| {
        Error::Argument(format!(
            "invalid tz {name:?}; give an IANA name such as Europe/Prague, or an offset such as +01:00"
        ))
    })
}
