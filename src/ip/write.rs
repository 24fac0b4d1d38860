//! Formatting of addresses and prefixes.

use std::io::Write;

use arrow::array::StringArray;

use crate::columns::nulls::NullsLast;
use crate::columns::write::{texts, write_word};
use crate::error::Result;
use crate::ip::Ip;

/// Write a column of `rows` addresses in canonical notation.
pub fn addresses(rows: usize, ip: impl Fn(usize) -> NullsLast<Ip> + Sync) -> Result<StringArray> {
    texts(rows, |row, bytes| {
        let ip = ip(row).get();
        if let Some(ip) = ip {
            write_address(ip, bytes);
        }
        ip.is_some()
    })
}

/// Append an address.
#[inline]
pub fn write_address(ip: Ip, bytes: &mut Vec<u8>) {
    match ip.v4() {
        Some(v4) => write_v4(v4, bytes),
        // Writing to a vector cannot fail.
        None => drop(write!(bytes, "{ip}")),
    }
}

/// Append the network of an address, given its prefix length.
#[inline]
pub fn write_network(ip: Ip, length: u8, bytes: &mut Vec<u8>) {
    let host_bits = if ip.v4().is_some() { 32 } else { 128 } - u32::from(length);
    let host = u128::MAX
        .checked_shl(host_bits)
        .map_or(u128::MAX, |mask| !mask);
    write_address(Ip(ip.0 & !host), bytes);
    bytes.push(b'/');
    let (text, digits) = OCTETS[usize::from(length)];
    write_word(text.into(), digits as usize - 1, bytes);
}

/// Append an IPv4 address.
#[inline]
pub fn write_v4(v4: u32, bytes: &mut Vec<u8>) {
    let [a, b, c, d] = v4.to_be_bytes().map(|octet| OCTETS[octet as usize]);
    let left = u64::from(a.0) | u64::from(b.0) << (8 * a.1);
    let right = u64::from(c.0) | u64::from(d.0) << (8 * c.1);
    let word = u128::from(left) | u128::from(right) << (8 * (a.1 + b.1));
    write_word(word, (a.1 + b.1 + c.1 + d.1) as usize - 1, bytes);
}

/// Every octet in decimal with a dot after it, as a little-endian word, and its length.
static OCTETS: [(u32, u32); 256] = {
    let mut octets = [(0, 0); 256];
    let mut octet = 0;
    while octet < 256_u32 {
        let [hundreds, tens, ones] = [octet / 100, octet / 10 % 10, octet % 10];
        let mut text = (b'.' as u32) << 8 | b'0' as u32 | ones;
        let mut length = 2;
        if octet >= 10 {
            text = text << 8 | b'0' as u32 | tens;
            length = 3;
        }
        if octet >= 100 {
            text = text << 8 | b'0' as u32 | hundreds;
            length = 4;
        }
        octets[octet as usize] = (text, length);
        octet += 1;
    }
    octets
};
