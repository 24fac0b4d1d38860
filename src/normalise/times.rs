//! Times and durations in the notations of logs.

use arrow::array::timezone::Tz;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Offset, TimeZone};

use crate::columns::cast::float_to_int;

/// Parse a time to microseconds since 1970: ISO 8601, with `-` or `/` in the date and `T` or a
/// space before the time. A time without a zone is in `zone`.
pub fn instant(text: &str, zone: Tz) -> Option<i64> {
    let mut rest = Digits(text.as_bytes());
    let year = rest.number(4)?;
    let separator = rest.one_of(b"-/")?;
    let month = rest.number(2)?;
    rest.one_of(&[separator])?;
    let date = NaiveDate::from_ymd_opt(year as i32, month, rest.number(2)?)?;
    let (mut seconds, mut micros) = (0, 0);
    if rest.one_of(b"T t").is_some() {
        let hour = rest.number(2)?;
        rest.one_of(b":")?;
        let minute = rest.number(2)?;
        let second = match rest.one_of(b":") {
            Some(_) => rest.number(2)?,
            None => 0,
        };
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        seconds = hour * 3600 + minute * 60 + second;
        micros = rest.fraction()?;
    }
    let naive = date
        .and_hms_opt(0, 0, 0)?
        .and_utc()
        .timestamp()
        .checked_add(i64::from(seconds))?;
    let offset = match rest.0 {
        b"" => {
            let local = DateTime::from_timestamp(naive, 0)?.naive_utc();
            offset_of(zone, &local)
        }
        _ => rest.offset()?,
    };
    naive
        .checked_sub(offset)?
        .checked_mul(1_000_000)?
        .checked_add(i64::from(micros))
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
    Some(minutes * 60_000_000 + decimal(seconds, 1_000_000)?)
}

/// Parse a decimal number and multiply it by `scale`, a power of ten; round once, at the end.
pub fn decimal(text: &str, scale: i64) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let (whole, rest) = leading_digits(digits);
    let fraction = match rest {
        [] => rest,
        [b'.', fraction @ ..] => fraction,
        _ => return exponent(text, scale),
    };
    let length = digits.len() - rest.len();
    if !(1..=18).contains(&length) || !fraction.iter().all(u8::is_ascii_digit) {
        return exponent(text, scale);
    }
    let (mut part, mut unit, mut further) = (0, scale, fraction.iter());
    while unit > 1
        && let Some(digit) = further.next()
    {
        part = part * 10 + i64::from(digit - b'0');
        unit /= 10;
    }
    let up = further.next().is_some_and(|digit| *digit >= b'5');
    let value = whole
        .checked_mul(scale)?
        .checked_add(part * unit + i64::from(up))?;
    Some(if negative { -value } else { value })
}

/// Parse up to 18 leading digits; return the number and the rest.
#[inline]
pub fn leading_digits(text: &[u8]) -> (i64, &[u8]) {
    let mut number = 0;
    for (index, byte) in text.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 || index == 18 {
            return (number, &text[index..]);
        }
        number = number * 10 + i64::from(digit);
    }
    (number, &[])
}

fn exponent(text: &str, scale: i64) -> Option<i64> {
    if !text.contains(['e', 'E']) {
        return None;
    }
    float_to_int((text.parse::<f64>().ok()? * scale as f64).round())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::spec::Unit;

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
            assert_eq!(instant(text, utc), Some(expected), "{text}");
        }
        assert_eq!(instant("1970-01-02", utc), Some(86_400_000_000));
        assert_eq!(instant("1970-01-01T00:01", utc), Some(60_000_000));
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
            assert_eq!(instant(text, utc), None, "{text}");
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
            assert_eq!(instant(local, prague), instant(expected, utc), "{local}");
        }
        let naive = instant("2018-07-12 15:37:30", utc).unwrap();
        assert_eq!(
            from_local(naive, prague),
            instant("2018-07-12 13:37:30", utc)
        );
    }

    #[test]
    fn durations_may_be_clock_times() {
        assert_eq!(clock("00:00:22.577"), Some(22_577_000));
        assert_eq!(clock("1d 01:00:00"), Some(90_000_000_000));
        for text in ["22.5", "1:2", "1:2:3:4", "x:00:01", ""] {
            assert_eq!(clock(text), None, "{text}");
        }
    }
}
