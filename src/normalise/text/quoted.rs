//! Records of delimited text with quotation marks, as in RFC 4180.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2, memrchr};

/// Why the quotation marks of a record are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A quoted value does not end; more text may end it.
    Unclosed,
    /// Text follows the end of a quoted value.
    Misplaced,
}

/// A record with quotation marks.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its text with the line end; only its first line if it has a fault.
    pub range: Range<usize>,
    /// What is wrong with it.
    pub fault: Option<Fault>,
}

/// The next record with quotation marks from `start`, the start of a record; call `value` with the
/// range of each of its values.
pub fn next(
    text: &[u8],
    start: usize,
    delimiter: u8,
    value: impl FnMut(Range<usize>),
) -> Option<Record> {
    let quote = start + memchr(b'"', text.get(start..)?)?;
    let start = memrchr(b'\n', &text[start..quote]).map_or(start, |end| start + end + 1);
    let (end, fault) = match values(text, start, delimiter, value) {
        Ok(end) => (end, None),
        Err(fault) => (line_end(text, start), Some(fault)),
    };
    Some(Record {
        range: start..end,
        fault,
    })
}

/// Length of the whole records of a text of which more may follow.
pub fn whole(text: &[u8], delimiter: u8) -> usize {
    let mut position = 0;
    while let Some(record) = next(text, position, delimiter, |_| {}) {
        let complete = text.get(record.range.end.wrapping_sub(1)) == Some(&b'\n');
        if record.fault == Some(Fault::Unclosed) || !complete {
            return record.range.start;
        }
        position = record.range.end;
    }
    memrchr(b'\n', text).map_or(0, |end| end + 1)
}

/// End of the first record that ends after `length`.
pub fn end_after(text: &[u8], delimiter: u8, length: usize) -> usize {
    let mut position = 0;
    while let Some(record) = next(text, position, delimiter, |_| {}) {
        if record.range.start > length {
            break;
        }
        position = record.range.end;
    }
    if position > length {
        return position;
    }
    line_end(text, length.max(position))
}

/// Position after the line that starts at `start`.
fn line_end(text: &[u8], start: usize) -> usize {
    memchr(b'\n', &text[start..]).map_or(text.len(), |end| start + end + 1)
}

/// Call `value` with the range of each value of a record, with its quotation marks; return the
/// position after the record.
fn values(
    text: &[u8],
    start: usize,
    delimiter: u8,
    mut value: impl FnMut(Range<usize>),
) -> Result<usize, Fault> {
    let mut start = start;
    loop {
        let end = if text.get(start) == Some(&b'"') {
            closing(text, start)? + 1
        } else {
            memchr2(delimiter, b'\n', &text[start..]).map_or(text.len(), |end| start + end)
        };
        match text.get(end) {
            Some(byte) if *byte == delimiter => {
                value(start..end);
                start = end + 1;
            }
            Some(b'\n') => {
                let end_of_value = end - usize::from(end > start && text[end - 1] == b'\r');
                value(start..end_of_value);
                return Ok(end + 1);
            }
            Some(b'\r') if text.get(end + 1).is_none_or(|byte| *byte == b'\n') => {
                value(start..end);
                return Ok((end + 2).min(text.len()));
            }
            Some(_) => return Err(Fault::Misplaced),
            None => {
                value(start..end);
                return Ok(end);
            }
        }
    }
}

/// Position of the quotation mark that closes the value that starts at `start`.
fn closing(text: &[u8], start: usize) -> Result<usize, Fault> {
    let mut position = start + 1;
    loop {
        position +=
            memchr(b'"', text.get(position..).unwrap_or_default()).ok_or(Fault::Unclosed)?;
        if text.get(position + 1) != Some(&b'"') {
            return Ok(position);
        }
        position += 2;
    }
}

/// A value without the quotation marks around it.
pub fn inner(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    }
}

/// The content of a value.
pub fn unquoted(value: &str) -> Cow<'_, str> {
    match value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
    {
        Some(inner) if inner.contains('"') => inner.replace("\"\"", "\"").into(),
        Some(inner) => inner.into(),
        None => value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, Fault> {
        let mut found = Vec::new();
        values(text.as_bytes(), 0, b',', |range| {
            found.push(unquoted(&text[range]).into_owned());
        })
        .map(|_| found)
    }

    #[test]
    fn values_are_those_of_rfc_4180() {
        for (text, expected) in [
            ("a,\"b\",c\n", vec!["a", "b", "c"]),
            ("\"a,\"\"b\"\"\",\"c\nd\"\r\nx", vec!["a,\"b\"", "c\nd"]),
            ("a,x\"y,\"\"\n", vec!["a", "x\"y", ""]),
            ("a,\r\n", vec!["a", ""]),
            ("\"a\"\r", vec!["a"]),
            ("\"a\"", vec!["a"]),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text:?}");
        }
        assert_eq!(read("a,\"b\n"), Err(Fault::Unclosed));
        for text in ["\"a\"b,c\n", "\"a\" ,c\n", "a,\"b\nc,\"d\"\n"] {
            assert_eq!(read(text), Err(Fault::Misplaced), "{text:?}");
        }
    }

    #[test]
    fn a_fault_costs_one_line() {
        let text = b"a\nb,\"x\nc\n\"d\"\n";
        let record = next(text, 0, b',', |_| {}).unwrap();
        assert_eq!((record.range, record.fault), (2..7, Some(Fault::Misplaced)));
        let record = next(text, 7, b',', |_| {}).unwrap();
        assert_eq!((record.range, record.fault), (9..13, None));
        assert!(next(text, 13, b',', |_| {}).is_none());
    }

    #[test]
    fn incomplete_records_are_not_whole() {
        for (text, expected) in [
            (&b"a\nb,\"x\n"[..], 2),
            (b"a\n\"b\"", 2),
            (b"a\n\"b\"\nc", 6),
            (b"a\n\"b\"\r", 2),
            (b"a\"b\nc", 4),
            (b"abc", 0),
        ] {
            assert_eq!(whole(text, b','), expected, "{}", text.escape_ascii());
        }
    }

    /// Ends of all records and faulty lines.
    fn ends(text: &[u8]) -> Vec<usize> {
        let (mut ends, mut position) = (Vec::new(), 0);
        while let Some(record) = next(text, position, b',', |_| {}) {
            let lines = &text[position..record.range.start];
            ends.extend(memchr::memchr_iter(b'\n', lines).map(|end| position + end + 1));
            position = record.range.end;
            ends.push(position);
        }
        let lines = memchr::memchr_iter(b'\n', &text[position..]);
        ends.extend(lines.map(|end| position + end + 1));
        ends
    }

    proptest::proptest! {
        #[test]
        fn records_do_not_depend_on_where_a_text_is_cut(
            text in "[a,\"\n\r]{0,40}", length in 0..40_usize,
        ) {
            let text = text.as_bytes();
            let all = ends(text);
            let end = end_after(text, b',', length.min(text.len()));
            proptest::prop_assert!(end == text.len() || all.contains(&end), "{end} {all:?}");
            let whole = whole(&text[..length.min(text.len())], b',');
            proptest::prop_assert!(whole == 0 || all.contains(&whole), "{whole} {all:?}");
        }
    }
}
