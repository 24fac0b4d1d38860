//! Columns of text, written in parallel.

use std::io::Write;

use arrow::array::StringArray;
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use crate::columns::by_morsel;
use crate::error::{Error, Result};
use crate::flows::OrNull;
use crate::ip::Ip;

/// A column of texts, one for each number below `rows`.
pub fn strings<'a>(
    rows: usize,
    text: impl Fn(usize) -> Option<&'a str> + Sync,
) -> Result<StringArray> {
    written(rows, |row, bytes| {
        text(row)
            .map(|text| bytes.extend_from_slice(text.as_bytes()))
            .is_some()
    })
}

/// A column of addresses in canonical text, one for each number below `rows`.
pub fn addresses(rows: usize, ip: impl Fn(usize) -> OrNull<Ip> + Sync) -> Result<StringArray> {
    written(rows, |row, bytes| {
        let ip = ip(row).get();
        if let Some(ip) = ip {
            write_address(ip, bytes);
        }
        ip.is_some()
    })
}

/// Appends an address.
pub fn write_address(ip: Ip, bytes: &mut Vec<u8>) {
    let Some(v4) = ip.v4() else {
        // Writing into a vector does not fail.
        let _ = write!(bytes, "{ip}");
        return;
    };
    for (i, octet) in v4.to_be_bytes().into_iter().enumerate() {
        if i > 0 {
            bytes.push(b'.');
        }
        if octet >= 100 {
            bytes.push(b'0' + octet / 100);
        }
        if octet >= 10 {
            bytes.push(b'0' + octet / 10 % 10);
        }
        bytes.push(b'0' + octet % 10);
    }
}

fn written(rows: usize, write: impl Fn(usize, &mut Vec<u8>) -> bool + Sync) -> Result<StringArray> {
    let parts = by_morsel(rows, |rows| {
        let mut bytes = Vec::with_capacity(rows.len() * 8);
        let mut ends = Vec::with_capacity(rows.len());
        let mut valid = Vec::with_capacity(rows.len());
        for row in rows {
            valid.push(write(row, &mut bytes));
            ends.push(bytes.len());
        }
        (bytes, ends, valid)
    });
    let total: usize = parts.iter().map(|(bytes, ..)| bytes.len()).sum();
    if i32::try_from(total).is_err() {
        return Err(Error::Argument(format!(
            "the result holds {total} bytes of text in one column, and 2147483647 are the most; \
             narrow the timespan or the hosts"
        )));
    }
    let mut values = Vec::with_capacity(total);
    let mut offsets = Vec::with_capacity(rows + 1);
    let mut valid = Vec::with_capacity(rows);
    offsets.push(0);
    for (bytes, ends, part) in parts {
        let before = values.len();
        offsets.extend(ends.into_iter().map(|end| (before + end) as i32));
        values.extend_from_slice(&bytes);
        valid.extend(part);
    }
    let nulls = valid.contains(&false).then(|| NullBuffer::from(valid));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    Ok(StringArray::try_new(
        offsets,
        Buffer::from_vec(values),
        nulls,
    )?)
}
