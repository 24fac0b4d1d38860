//! Values of a log, parsed cell by cell.

use std::borrow::Cow;
use std::cell::RefCell;

use arrow::array::Array;
use arrow::datatypes::DataType;

use crate::columns::cast::float_to_int;
use crate::columns::column::Column;
use crate::columns::nulls::get;
use crate::columns::text::Text;
use crate::direction::rules::Direction;
use crate::error::Result;
use crate::flow::{protocols, tcp_flags};
use crate::normalise::dates::Dates;
use crate::normalise::decimals::{decimal, leading_digits};
use crate::normalise::log::{Cell, Log};
use crate::normalise::outcome::BadRow;
use crate::normalise::services;
use crate::normalise::spec::{Condition, Spec, Unit};
use crate::normalise::times::{NotATime, clock, from_local, has_year_last, instant};

/// The years 1 to 9999 in microseconds since 1970, the range of ISO 8601 and most software.
pub const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

/// Maximum integer up to which floats are exact.
const EXACT: i64 = 1 << 53;

/// Reason of a bad row with a time outside [`YEARS`].
pub const NOT_A_TIME: &str = "is not a time of the years 1 to 9999";

/// A column of a log.
#[derive(Clone, Debug)]
pub struct Cells<'a> {
    /// Its name.
    pub name: String,
    pub(super) values: LogColumn<'a>,
    pub(super) nulls: Vec<&'a str>,
    max_null: usize,
}

/// The values of a column of a log.
#[derive(Clone, Debug)]
pub(super) enum LogColumn<'a> {
    /// Strings of a text log.
    Text(&'a [Cell<'a>]),
    /// A column of a table.
    Column(Column),
    /// Timestamps without a zone.
    Local(Column),
}

impl<'a> Cells<'a> {
    /// Find a column by name; an absent one is all null.
    pub fn find(log: &'a Log<'_>, name: &str, nulls: &'a [String]) -> Result<Self> {
        let values = match (log.text(name), log.array(name)) {
            (Some(text), _) => LogColumn::Text(text),
            (None, Some(array)) => match array.data_type() {
                DataType::Timestamp(_, None) => LogColumn::Local(Column::read(name, array)?),
                _ => LogColumn::Column(Column::read(name, array)?),
            },
            (None, None) => LogColumn::Column(Column::Text(Text::Null(log.rows()))),
        };
        Ok(Self {
            name: name.into(),
            values,
            nulls: Vec::new(),
            max_null: 0,
        }
        .with_nulls(nulls))
    }

    /// Add strings that mean a missing value.
    #[must_use]
    pub fn with_nulls(mut self, nulls: &'a [String]) -> Self {
        for null in nulls {
            self.max_null = self.max_null.max(null.len());
            self.nulls.push(null);
        }
        self
    }

    #[inline]
    fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        match &self.values {
            LogColumn::Text(cells) => cells[row].as_deref().map(Cow::Borrowed),
            LogColumn::Column(column) | LogColumn::Local(column) => column.text(row),
        }
    }

    /// The value of a row as a string; `None` if it is missing.
    #[inline]
    pub fn get(&self, row: usize) -> Option<Cow<'_, str>> {
        self.text(row).and_then(|text| self.meaning(text))
    }

    /// What a string of the column means; `None` if it stands for a missing value.
    #[inline]
    pub(super) fn meaning<'b>(&self, text: Cow<'b, str>) -> Option<Cow<'b, str>> {
        let known = |text: &Cow<'_, str>| {
            text.len() > self.max_null
                || (!text.is_empty() && self.nulls.iter().all(|null| null != text))
        };
        Some(trimmed(text)).filter(known)
    }

    /// A bad row with the value of this column.
    pub fn bad(&self, row: usize, reason: &str) -> BadRow {
        BadRow::value(0, &self.name, self.text(row).as_deref(), reason)
    }

    /// A time in microseconds since 1970.
    ///
    /// Without a known order of day and month, ambiguous dates are missing, and noted in `dates`.
    pub fn time(
        &self,
        row: usize,
        unit: Unit,
        spec: &Spec,
        dates: &RefCell<Dates<usize>>,
    ) -> Result<Option<i64>, BadRow> {
        let time = match &self.values {
            LogColumn::Column(Column::Time(times)) => {
                if times.is_null(row) {
                    return Ok(None);
                }
                Some(times.value(row))
            }
            LogColumn::Local(Column::Time(times)) => {
                if times.is_null(row) {
                    return Ok(None);
                }
                from_local(times.value(row), spec.zone)
            }
            _ => {
                let Some(text) = self.get(row) else {
                    return Ok(None);
                };
                match decimal(&text, unit.micros()) {
                    None => {
                        let found = instant(&text, spec.zone, spec.date_order);
                        if spec.notes_dates() {
                            let is_ambiguous = found == Err(NotATime::Ambiguous);
                            dates
                                .borrow_mut()
                                .note(row, &self.name, &text, is_ambiguous);
                            if is_ambiguous {
                                return Ok(None);
                            }
                        }
                        found.ok()
                    }
                    time => time,
                }
            }
        };
        time.filter(|time| YEARS.contains(time))
            .map(Some)
            .ok_or_else(|| self.bad(row, NOT_A_TIME))
    }

    /// Note the date of a row whose time is not read; return whether it is certain.
    pub fn note_date(&self, row: usize, spec: &Spec, dates: &mut Dates<usize>) -> bool {
        let Some(text) = self.get(row) else {
            return false;
        };
        if !has_year_last(&text) || decimal(&text, 1).is_some() {
            return true;
        }
        let found = instant(&text, spec.zone, spec.date_order);
        let is_ambiguous = found == Err(NotATime::Ambiguous);
        dates.note(row, &self.name, &text, is_ambiguous);
        !is_ambiguous
    }

    /// Whether values may be strings.
    pub const fn has_texts(&self) -> bool {
        matches!(
            self.values,
            LogColumn::Text(_) | LogColumn::Column(Column::Text(_))
        )
    }

    /// A duration in microseconds, negative if a clock was set back.
    pub fn duration(&self, row: usize, unit: Unit) -> Result<Option<i64>, BadRow> {
        if let LogColumn::Column(Column::Duration(lengths)) = &self.values {
            return Ok(get(lengths, row));
        }
        let Some(text) = self.get(row) else {
            return Ok(None);
        };
        decimal(&text, unit.micros())
            .or_else(|| clock(&text))
            .map(Some)
            .ok_or_else(|| self.bad(row, "is not a duration"))
    }

    /// A non-negative integer.
    pub fn count(&self, row: usize) -> Result<Option<i64>, BadRow> {
        let value = if let LogColumn::Column(Column::Int(ints)) = &self.values {
            if ints.is_null(row) || (ints.value(row) == 0 && self.nulls.contains(&"0")) {
                return Ok(None);
            }
            Some(ints.value(row))
        } else {
            let Some(text) = self.get(row) else {
                return Ok(None);
            };
            digits(&text)
                .or_else(|| text.parse().ok())
                .or_else(|| float_to_int(text.parse().ok()?)?.filter(|i| i.abs() <= EXACT))
        };
        value
            .filter(|value| *value >= 0)
            .map(Some)
            .ok_or_else(|| self.bad(row, "is not a non-negative integer"))
    }

    /// A finite number.
    pub fn number(&self, row: usize) -> Result<Option<f64>, BadRow> {
        let Some(text) = self.get(row) else {
            return Ok(None);
        };
        let value = text.parse().ok().filter(|value: &f64| value.is_finite());
        value
            .map(Some)
            .ok_or_else(|| self.bad(row, "is not a number"))
    }

    /// A port, decimal or hexadecimal.
    pub fn port(&self, row: usize) -> Result<Option<u16>, BadRow> {
        let bad = || self.bad(row, "is not a port (0 to 65535)");
        if !matches!(self.values, LogColumn::Column(Column::Int(_))) {
            let Some(text) = self.get(row) else {
                return Ok(None);
            };
            if let Some(port) = digits(&text) {
                return u16::try_from(port).map(Some).map_err(|_| bad());
            }
            if let Some(digits) = text.strip_prefix("0x") {
                return u16::from_str_radix(digits, 16).map(Some).map_err(|_| bad());
            }
        }
        let port = self.count(row).map_err(|_| bad())?;
        port.map(u16::try_from).transpose().map_err(|_| bad())
    }

    /// A port, or the name of a service of the protocol.
    pub fn port_or_name(&self, row: usize, protocol: &Cells<'_>) -> Result<Option<u16>, BadRow> {
        let text = self.get(row);
        match text.filter(|text| text.starts_with(|c: char| !c.is_ascii_digit())) {
            Some(name) => services::port(&name, protocol.get(row).as_deref())
                .map(Some)
                .ok_or_else(|| self.bad(row, "is neither a port nor a known service")),
            None => self.port(row),
        }
    }

    /// A port, or ICMP type and code with a dot between, which become 256 * type + code as in
    /// `NetFlow`.
    pub fn port_or_icmp(&self, row: usize) -> Result<Option<u16>, BadRow> {
        let text = self.get(row);
        let Some((kind, code)) = text.as_ref().and_then(|text| text.split_once('.')) else {
            return self.port(row);
        };
        match (kind.parse::<u8>(), code.parse::<u8>()) {
            (Ok(kind), Ok(code)) => Ok(Some(u16::from_be_bytes([kind, code]))),
            _ => Err(self.bad(row, "is neither a port nor an ICMP type and code")),
        }
    }

    /// The IANA keyword of a protocol.
    pub fn protocol(&self, row: usize) -> Option<Cow<'_, str>> {
        self.get(row).map(protocols::keyword)
    }

    /// TCP flags as letters; a string that is not flags is unchanged.
    pub fn flags(&self, row: usize, radix: u32) -> Option<Cow<'_, str>> {
        let text = self.get(row)?;
        match tcp_flags::parse(&text, radix) {
            Some(0) => None,
            Some(flags) => Some(tcp_flags::letters(flags).into()),
            None => Some(text),
        }
    }
}

/// Parse a number of digits only, the usual case.
fn digits(text: &str) -> Option<i64> {
    match leading_digits(text.as_bytes()) {
        (number, []) if !text.is_empty() => Some(number),
        _ => None,
    }
}

#[inline]
fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
        Cow::Owned(text) => Cow::Owned(text),
    }
}

/// Parse a direction.
pub fn direction(column: &str, text: &str) -> Result<Direction, BadRow> {
    Direction::parse(text).ok_or_else(|| {
        BadRow::value(
            0,
            column,
            Some(text),
            "is not a direction (I, O, Inbound, Outbound)",
        )
    })
}

/// Conditions on the columns of a log.
pub struct Conditions<'a>(Vec<(Vec<Cells<'a>>, &'a [String])>);

impl<'a> Conditions<'a> {
    /// Find the columns.
    pub fn find(log: &'a Log<'_>, wanted: &'a [Condition], nulls: &'a [String]) -> Result<Self> {
        let found = wanted.iter().map(|condition| {
            let columns = condition.columns.iter();
            let cells = columns.map(|name| Cells::find(log, name, nulls));
            Ok((cells.collect::<Result<_>>()?, condition.values.as_slice()))
        });
        found.collect::<Result<_>>().map(Self)
    }

    /// Whether a row meets all of them.
    pub fn met(&self, row: usize) -> bool {
        self.0.iter().all(|condition| is_met(condition, row))
    }

    /// Whether there are no conditions, or a row meets at least one.
    pub fn any_met(&self, row: usize) -> bool {
        self.0.is_empty() || self.is_any(row)
    }

    /// Whether a row meets at least one of them.
    pub fn is_any(&self, row: usize) -> bool {
        self.0.iter().any(|condition| is_met(condition, row))
    }

    /// The first column whose value does not meet its condition, with the value.
    pub fn unmet(&self, row: usize) -> Option<(&str, Cow<'_, str>)> {
        self.values(row)
            .find(|(_, value, known)| !is_among(known, value))
            .map(named)
    }

    /// The first column whose value meets its condition, with the value.
    pub fn hit(&self, row: usize) -> Option<(&str, Cow<'_, str>)> {
        self.values(row)
            .find(|(_, value, known)| is_among(known, value))
            .map(named)
    }

    /// The columns whose value does not meet their condition, with the values.
    pub fn all_unmet(&self, row: usize) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let values = self.values(row);
        values
            .filter(|(_, value, known)| !is_among(known, value))
            .map(named)
    }

    fn values(&self, row: usize) -> impl Iterator<Item = Stated<'_>> {
        self.0.iter().filter_map(move |(cells, known)| {
            let (name, value) = first_value(cells, row)?;
            Some((name, value, *known))
        })
    }
}

/// A column, its value, and the values of the condition.
type Stated<'a> = (&'a str, Cow<'a, str>, &'a [String]);

fn named((name, value, _): Stated<'_>) -> (&str, Cow<'_, str>) {
    (name, value)
}

fn first_value<'a>(columns: &'a [Cells<'_>], row: usize) -> Option<(&'a str, Cow<'a, str>)> {
    let mut columns = columns.iter();
    columns.find_map(|cells| Some((cells.name.as_str(), cells.get(row)?)))
}

fn is_met((columns, known): &(Vec<Cells<'_>>, &[String]), row: usize) -> bool {
    let value = first_value(columns, row).map(|(_, value)| value);
    is_among(known, &value.unwrap_or_default())
}

fn is_among(known: &[String], value: &str) -> bool {
    known.iter().any(|known| known.eq_ignore_ascii_case(value))
}
