//! Single values of a log.

use std::borrow::Cow;

use arrow::array::{Array, RecordBatch};
use chrono::Utc;

use crate::columns::{Column, Text, find, whole_number};
use crate::direction::Direction;
use crate::error::Result;
use crate::normalise::BadRow;
use crate::normalise::protocols;
use crate::normalise::spec::Unit;

/// The years 1 to 9999 in microseconds since 1970: what ISO 8601 and most software can tell.
pub const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

/// A column of a log.
#[derive(Clone, Debug)]
pub struct Cells {
    /// Its name.
    pub name: String,
    column: Column,
}

impl Cells {
    /// The column of that name; one that is absent is null in every row.
    pub fn find(batch: &RecordBatch, name: &str) -> Result<Self> {
        let column = match find(batch, name) {
            Some(array) => Column::read(name, array)?,
            None => Column::Text(Text::Null(batch.num_rows())),
        };
        Ok(Self {
            name: name.into(),
            column,
        })
    }

    /// The value of a row as text, unless it is missing.
    pub fn get(&self, row: usize, nulls: &[String]) -> Option<Cow<'_, str>> {
        self.column
            .text(row)
            .filter(|text| !text.is_empty() && nulls.iter().all(|null| null != text))
    }

    fn bad(&self, row: usize, reason: &str) -> BadRow {
        BadRow::value(0, &self.name, self.column.text(row).as_deref(), reason)
    }

    /// A point in time in microseconds.
    pub fn time(&self, row: usize, nulls: &[String], unit: Unit) -> Result<Option<i64>, BadRow> {
        let time = if let Column::Time(times) = &self.column {
            if times.is_null(row) {
                return Ok(None);
            }
            Some(times.value(row))
        } else {
            let Some(text) = self.get(row, nulls) else {
                return Ok(None);
            };
            decimal(&text, unit.micros()).or_else(|| {
                arrow::compute::kernels::cast_utils::string_to_datetime(&Utc, &text)
                    .ok()
                    .map(|time| time.timestamp_micros())
            })
        };
        time.filter(|time| YEARS.contains(time))
            .map(Some)
            .ok_or_else(|| self.bad(row, "is not a time of the years 1 to 9999"))
    }

    /// A length of time in microseconds.
    pub fn duration(
        &self,
        row: usize,
        nulls: &[String],
        unit: Unit,
    ) -> Result<Option<i64>, BadRow> {
        let Some(text) = self.get(row, nulls) else {
            return Ok(None);
        };
        decimal(&text, unit.micros())
            .filter(|duration| *duration >= 0)
            .map(Some)
            .ok_or_else(|| self.bad(row, "is not a duration"))
    }

    /// A whole number that is not negative.
    pub fn count(&self, row: usize, nulls: &[String]) -> Result<Option<i64>, BadRow> {
        let value = if let Column::Int(ints) = &self.column {
            if ints.is_null(row) {
                return Ok(None);
            }
            Some(ints.value(row))
        } else {
            let Some(text) = self.get(row, nulls) else {
                return Ok(None);
            };
            text.parse()
                .ok()
                .or_else(|| whole_number(text.parse().ok()?)?)
        };
        value
            .filter(|value| *value >= 0)
            .map(Some)
            .ok_or_else(|| self.bad(row, "is not a whole number from 0"))
    }

    /// A port.
    pub fn port(&self, row: usize, nulls: &[String]) -> Result<Option<u16>, BadRow> {
        self.count(row, nulls)
            .and_then(|port| {
                port.map(u16::try_from)
                    .transpose()
                    .map_err(|_| self.bad(row, ""))
            })
            .map_err(|_| self.bad(row, "is not a port (0 to 65535)"))
    }

    /// The IANA keyword of a protocol.
    pub fn protocol(&self, row: usize, nulls: &[String]) -> Option<Cow<'_, str>> {
        self.get(row, nulls).map(protocols::keyword)
    }

    /// The word for a direction.
    pub fn direction(&self, row: usize, nulls: &[String]) -> Result<Option<&'static str>, BadRow> {
        let text = self.get(row, nulls);
        let direction = text.map(|text| direction(&self.name, &text)).transpose()?;
        Ok(direction.map(Direction::word))
    }
}

/// Reads a direction.
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

/// A decimal number times `scale`, rounded to a whole number without loss on the way.
fn decimal(text: &str, scale: i64) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 18 || !all_digits(whole) || !all_digits(fraction) {
        return exponent(text, scale);
    }
    let mut value = whole.parse::<i64>().ok()?.checked_mul(scale)?;
    let mut place = scale;
    for digit in fraction.bytes().map(|b| i64::from(b - b'0')) {
        if place == 1 {
            value = value.checked_add(i64::from(digit >= 5))?;
            break;
        }
        place /= 10;
        value = value.checked_add(digit * place)?;
    }
    Some(if negative { -value } else { value })
}

fn exponent(text: &str, scale: i64) -> Option<i64> {
    if !text.contains(['e', 'E']) {
        return None;
    }
    whole_number((text.parse::<f64>().ok()? * scale as f64).round())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_without_loss() {
        let s = Unit::Seconds.micros();
        assert_eq!(decimal("1379288667.706265", s), Some(1_379_288_667_706_265));
        assert_eq!(decimal("1379288667", s), Some(1_379_288_667_000_000));
        assert_eq!(decimal("0.0012309551239013672", s), Some(1_231));
        assert_eq!(decimal("-1.5", s), Some(-1_500_000));
        assert_eq!(decimal("1.5e9", s), Some(1_500_000_000_000_000));
        assert_eq!(
            decimal("1588205199824", Unit::Milliseconds.micros()),
            Some(1_588_205_199_824_000)
        );
        for text in [
            "",
            ".",
            "-",
            "1.2.3",
            "2011-08-15",
            "nan",
            "inf",
            "99999999999999999999",
            "9e99",
        ] {
            assert_eq!(decimal(text, s), None, "{text}");
        }
    }
}
