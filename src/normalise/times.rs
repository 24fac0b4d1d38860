//! Times and durations in the notations of logs.

use arrow::array::timezone::Tz;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Offset, TimeZone};

use crate::normalise::decimals::decimal;

/// Order of day and month in dates with the year last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// Month, day, year.
    MonthFirst,
    /// Day, month, year.
    DayFirst,
}

/// Why a string is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotATime {
    /// It has no known notation.
    Invalid,
    /// Day and month are ambiguous.
    Ambiguous,
}

/// Parse a time to microseconds since 1970: ISO 8601, with `-` or `/` in the date and `T` or a
/// space before the time; or a date with the year last and a time with or without AM or PM. A time
/// without a zone is in `zone`.
pub fn instant(text: &str, zone: Tz, order: Option<DateOrder>) -> Result<i64, NotATime> {
    let mut rest = Digits(text.as_bytes());
    let (date, ambiguous) = rest.date(order).ok_or(NotATime::Invalid)?;
    match rest.time(date, zone) {
        Some(_) if ambiguous => Err(NotATime::Ambiguous),
        Some(time) => Ok(time),
        None => Err(NotATime::Invalid),
    }
}

/// Whether a string may be a date with the year last.
pub fn has_year_last(text: &str) -> bool {
    let is_separator = |byte: Option<&u8>| byte.is_some_and(|byte| b"/-.".contains(byte));
    let bytes = text.as_bytes();
    is_separator(bytes.get(1)) || is_separator(bytes.get(2))
}

/// The order of day and month that a date with the year last shows by a number beyond 12.
pub fn order_shown(text: &str) -> Option<DateOrder> {
    let mut rest = Digits(text.as_bytes());
    let first = rest.one_or_two()?;
    rest.one_of(b"/-.")?;
    let second = rest.one_or_two()?;
    match (first, second) {
        (1..=12, 13..=31) => Some(DateOrder::MonthFirst),
        (13..=31, 1..=12) => Some(DateOrder::DayFirst),
        _ => None,
    }
}

/// Microseconds since 1970 UTC of a time of that zone, itself given as if it were UTC.
pub fn from_local(micros: i64, zone: Tz) -> Option<i64> {
    let local = DateTime::from_timestamp_micros(micros)?.naive_utc();
    micros.checked_sub(offset_of(zone, &local) * 1_000_000)
}

/// Offset of a zone from UTC in seconds. An ambiguous local time is the earlier one; a skipped one
/// has the offset after the transition.
fn offset_of(zone: Tz, local: &NaiveDateTime) -> i64 {
    let offset = match zone.offset_from_local_datetime(local).earliest() {
        Some(offset) => offset.fix(),
        None => zone.offset_from_utc_datetime(local).fix(),
    };
    i64::from(offset.local_minus_utc())
}

/// Unparsed part of a time.
struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    /// Parse a date; the flag states that day and month may be the other way round.
    fn date(&mut self, order: Option<DateOrder>) -> Option<(NaiveDate, bool)> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit());
        if digits.count() == 4 {
            let year = self.number(4)?;
            let separator = self.one_of(b"-/")?;
            let month = self.number(2)?;
            self.one_of(&[separator])?;
            let date = NaiveDate::from_ymd_opt(year as i32, month, self.number(2)?)?;
            return Some((date, false));
        }
        let first = self.one_or_two()?;
        let separator = self.one_of(b"/-.")?;
        let second = self.one_or_two()?;
        self.one_of(&[separator])?;
        let year = self.number(4)?;
        let day_first = order.map_or(first > 12, |order| order == DateOrder::DayFirst);
        let (day, month) = if day_first {
            (first, second)
        } else {
            (second, first)
        };
        let ambiguous = order.is_none() && first.max(second) <= 12 && first != second;
        let date = NaiveDate::from_ymd_opt(year as i32, month, day)?;
        let _ = self.one_of(b",");
        Some((date, ambiguous))
    }

    /// Parse the rest after a date, in full.
    fn time(&mut self, date: NaiveDate, zone: Tz) -> Option<i64> {
        let (mut seconds, mut micros) = (0, 0);
        if self.one_of(b"T t").is_some() {
            let hour = self.one_or_two()?;
            self.one_of(b":")?;
            let minute = self.number(2)?;
            let second = match self.one_of(b":") {
                Some(_) => self.number(2)?,
                None => 0,
            };
            micros = self.fraction()?;
            let hour = self.half_day(hour)?;
            // A leap second ends a quarter of an hour in any zone; it is the next second here.
            let max = if minute % 15 == 14 { 60 } else { 59 };
            if hour > 23 || minute > 59 || second > max {
                return None;
            }
            seconds = hour * 3600 + minute * 60 + second;
        }
        let naive = date
            .and_hms_opt(0, 0, 0)?
            .and_utc()
            .timestamp()
            .checked_add(i64::from(seconds))?;
        let offset = match self.0 {
            b"" => {
                let local = DateTime::from_timestamp(naive, 0)?.naive_utc();
                offset_of(zone, &local)
            }
            _ => self.offset()?,
        };
        naive
            .checked_sub(offset)?
            .checked_mul(1_000_000)?
            .checked_add(i64::from(micros))
    }

    /// Convert an hour before AM or PM to one of the whole day.
    fn half_day(&mut self, hour: u32) -> Option<u32> {
        if matches!(self.0, [] | [b'Z' | b'+' | b'-', ..]) {
            return Some(hour);
        }
        let text = std::str::from_utf8(self.0).ok()?;
        // Browsers write a narrow no-break space.
        let text = text.trim_start_matches([' ', '\u{a0}', '\u{202f}']);
        let Some((half, rest)) = text.as_bytes().split_first_chunk::<2>() else {
            return Some(hour);
        };
        let noon = match half.map(|byte| byte.to_ascii_uppercase()) {
            [b'A', b'M'] => 0,
            [b'P', b'M'] => 12,
            _ => return Some(hour),
        };
        self.0 = rest;
        (1..=12).contains(&hour).then_some(hour % 12 + noon)
    }

    fn one_or_two(&mut self) -> Option<u32> {
        match self.0 {
            [_, b'0'..=b'9', ..] => self.number(2),
            _ => self.number(1),
        }
    }

    fn number(&mut self, digits: usize) -> Option<u32> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.iter().try_fold(0, |value, byte| {
            byte.is_ascii_digit()
                .then(|| value * 10 + u32::from(byte - b'0'))
        })
    }

    fn one_of(&mut self, wanted: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        wanted.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    /// Parse a fraction to microseconds; further digits are truncated.
    fn fraction(&mut self) -> Option<u32> {
        if self.one_of(b".,").is_none() {
            return Some(0);
        }
        let digits = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let (fraction, rest) = self.0.split_at(digits);
        self.0 = rest;
        let micros = (0..6).fold(0, |value, index| {
            value * 10 + fraction.get(index).map_or(0, |byte| u32::from(byte - b'0'))
        });
        (digits > 0).then_some(micros)
    }

    /// Parse an offset from UTC to seconds.
    fn offset(&mut self) -> Option<i64> {
        if self.0.first() == Some(&b' ') {
            self.0 = &self.0[1..];
        }
        if matches!(self.0, b"Z" | b"z" | b"UTC" | b"GMT") {
            return Some(0);
        }
        let sign = if self.one_of(b"+-")? == b'+' { 1 } else { -1 };
        let hours = self.number(2)?;
        let minutes = if self.0.is_empty() {
            0
        } else {
            let _ = self.one_of(b":");
            self.number(2)?
        };
        let whole = self.0.is_empty() && hours < 24 && minutes < 60;
        whole.then_some(sign * i64::from(hours * 3600 + minutes * 60))
    }
}

/// Parse a duration `hours:minutes:seconds`, optionally after days and a `d`, to microseconds.
pub fn clock(text: &str) -> Option<i64> {
    let (days, time) = match text.split_once('d') {
        Some((days, time)) => (days.trim().parse::<u32>().ok()?, time.trim()),
        None => (0, text),
    };
    let mut parts = time.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let whole = |part: &str| part.parse::<u32>().ok().map(i64::from);
    let minutes = i64::from(days) * 1440 + whole(hours)? * 60 + whole(minutes)?;
    let seconds = decimal(seconds, 1_000_000).filter(|seconds| *seconds >= 0)?;
    minutes.checked_mul(60_000_000)?.checked_add(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_parsed_in_every_notation() {
        let utc: Tz = "+00:00".parse().unwrap();
        let expected = 1_540_889_767_459_844;
        for text in [
            "2018-10-30T08:56:07.459844Z",
            "2018-10-30 08:56:07.4598449",
            "2018/10/30 08:56:07.459844",
            "2018-10-30T09:56:07.459844+0100",
            "2018-10-30T09:56:07,459844+01:00",
            "2018-10-30T06:56:07.459844-02",
            "2018-10-30 08:56:07.459844 UTC",
            "2018-10-30 09:56:07.459844 +01:00",
        ] {
            assert_eq!(instant(text, utc, None), Ok(expected), "{text}");
        }
        assert_eq!(instant("1970-01-02", utc, None), Ok(86_400_000_000));
        assert_eq!(instant("1970-01-01T00:01", utc, None), Ok(60_000_000));
        for text in [
            "",
            "2018",
            "2018-10/30",
            "2018-13-01",
            "2018-02-30",
            "2018-10-30T24:00:00",
            "2018-10-30T08:56:07.",
            "2018-10-30T08:56:07+1",
            "2018-10-30T08:56:07 CET",
            "2018-10-30T08:56:07Zx",
            "2018-10-30Tü",
        ] {
            assert_eq!(instant(text, utc, None), Err(NotATime::Invalid), "{text}");
        }
    }

    #[test]
    fn dates_with_the_year_last_need_a_known_order() {
        use DateOrder::{DayFirst, MonthFirst};
        let utc: Tz = "+00:00".parse().unwrap();
        let at = |text| instant(text, utc, None);
        for (text, expected) in [
            ("8/25/2025 7:06:57.584 PM", "2025-08-25T19:06:57.584"),
            ("25/08/2025, 7:06:57 pm", "2025-08-25T19:06:57"),
            ("8/25/2025 12:30\u{202f}AM", "2025-08-25T00:30"),
            ("08/25/2025, 12:30:00.000 PM", "2025-08-25T12:30"),
            ("25.8.2025 19:06", "2025-08-25T19:06"),
            ("5/5/2025", "2025-05-05"),
            ("2016-12-31T23:59:60Z", "2017-01-01"),
            ("2017-01-01 05:29:60.5+05:30", "2017-01-01T00:00:00.5"),
        ] {
            assert_eq!(at(text), at(expected), "{text}");
            assert!(at(text).is_ok(), "{text}");
        }
        let text = "3/4/2025 10:00:00 AM";
        assert_eq!(at(text), Err(NotATime::Ambiguous));
        assert_eq!(instant(text, utc, Some(MonthFirst)), at("2025-03-04 10:00"));
        assert_eq!(instant(text, utc, Some(DayFirst)), at("2025-04-03 10:00"));
        for text in [
            "3/4/2025 junk",
            "3/4/2025 13:00 PM",
            "3/4/2025 0:00 AM",
            "31/31/2025",
            "3/4-2025",
            "3/4/25",
            "2016-12-31T23:58:60Z",
            "2016-12-31T23:59:61Z",
        ] {
            assert_eq!(at(text), Err(NotATime::Invalid), "{text}");
        }
    }

    #[test]
    fn times_without_a_zone_are_local() {
        let prague: Tz = "Europe/Prague".parse().unwrap();
        let utc: Tz = "UTC".parse().unwrap();
        for (local, expected) in [
            ("2018-01-12 15:37:30", "2018-01-12 14:37:30"),
            ("2018-07-12 15:37:30", "2018-07-12 13:37:30"),
            ("2018-10-28 02:30:00", "2018-10-28 00:30:00"),
            ("2018-03-25 02:30:00", "2018-03-25 00:30:00"),
            ("2018-07-12 15:37:30Z", "2018-07-12 15:37:30"),
        ] {
            let expected = instant(expected, utc, None);
            assert_eq!(instant(local, prague, None), expected, "{local}");
        }
        let naive = instant("2018-07-12 15:37:30", utc, None).unwrap();
        assert_eq!(
            from_local(naive, prague),
            instant("2018-07-12 13:37:30", utc, None).ok()
        );
    }

    #[test]
    fn durations_may_be_clock_times() {
        assert_eq!(clock("00:00:22.577"), Some(22_577_000));
        assert_eq!(clock("1d 01:00:00"), Some(90_000_000_000));
        for text in [
            "22.5",
            "1:2",
            "1:2:3:4",
            "x:00:01",
            "",
            "0:0:-1",
            "213503982d 08:01:49.551616",
            "106751991d 04:00:54.775808",
        ] {
            assert_eq!(clock(text), None, "{text}");
        }
    }
}
