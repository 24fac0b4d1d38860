//! Columns of addresses: IPv4 in narrow codes, IPv6 beside them.

use arrow::array::Array;
use rayon::prelude::*;

use crate::columns::{MORSEL, Text};
use crate::flows::OrNull;
use crate::ip::Ip;

const NULL: u64 = 1 << 32;
const V6: u64 = 1 << 33;
const BAD: u64 = 1 << 34;

/// A column of addresses.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The IPv4 address in the low 32 bits, or a mark above them.
    codes: Vec<u64>,
    /// IPv6 addresses by row, with any value in other rows; empty where there is none.
    wide: Vec<Ip>,
}

impl Addresses {
    /// Parses a column; empty text is null. The error is the first row that is no address.
    pub fn parse(text: &Text) -> Result<Self, usize> {
        match text {
            Text::Utf8(a) => Self::fill(a.len(), |row| code(a.is_valid(row).then(|| a.value(row)))),
            Text::Large(a) => {
                Self::fill(a.len(), |row| code(a.is_valid(row).then(|| a.value(row))))
            }
            Text::View(a) => Self::fill(a.len(), |row| code(a.is_valid(row).then(|| a.value(row)))),
            Text::Null(rows) => Self::fill(*rows, |_| code(None)),
            Text::Dictionary(keys, values) => {
                let distinct: Vec<_> = (0..values.len()).map(|i| code(values.get(i))).collect();
                Self::fill(keys.len(), |row| {
                    let key = keys.is_valid(row).then(|| keys.value(row) as usize);
                    key.map_or_else(|| code(None), |key| distinct[key])
                })
            }
        }
    }

    fn fill(rows: usize, at: impl Fn(usize) -> (u64, Ip) + Sync) -> Result<Self, usize> {
        let mut codes = vec![0; rows];
        let parts: Vec<(u64, Vec<Ip>)> = codes
            .par_chunks_mut(MORSEL)
            .enumerate()
            .map(|(morsel, codes)| {
                let mut marks = 0;
                let mut wide = Vec::new();
                for (i, out) in codes.iter_mut().enumerate() {
                    let (code, ip) = at(morsel * MORSEL + i);
                    *out = code;
                    marks |= code;
                    if code & V6 != 0 {
                        wide.resize(i, Ip::default());
                        wide.push(ip);
                    }
                }
                (marks, wide)
            })
            .collect();
        let marks = parts.iter().fold(0, |all, (marks, _)| all | marks);
        if marks & BAD != 0 {
            return Err(codes
                .iter()
                .position(|code| code & BAD != 0)
                .unwrap_or_default());
        }
        let mut wide = Vec::new();
        if marks & V6 != 0 {
            wide.reserve(rows);
            for (morsel, (_, part)) in parts.iter().enumerate() {
                wide.resize(morsel * MORSEL, Ip::default());
                wide.extend_from_slice(part);
            }
            wide.resize(rows, Ip::default());
        }
        Ok(Self { codes, wide })
    }

    /// The address of a row.
    pub fn get(&self, row: usize) -> OrNull<Ip> {
        match self.codes[row] {
            code if code & V6 != 0 => Some(self.wide[row]).into(),
            code => narrow(code),
        }
    }

    /// Whether no row holds an IPv6 address.
    pub fn all_narrow(&self) -> bool {
        self.wide.is_empty()
    }

    /// A code of 33 bits that sorts as the address does, unless that is an IPv6 address.
    pub fn narrow(&self, row: usize) -> Option<u64> {
        Some(self.codes[row]).filter(|code| code & V6 == 0)
    }
}

/// The address of a narrow code.
pub fn narrow(code: u64) -> OrNull<Ip> {
    (code & NULL == 0).then(|| Ip::from_v4(code as u32)).into()
}

fn code(text: Option<&str>) -> (u64, Ip) {
    match text {
        None | Some("") => (NULL, Ip::default()),
        Some(text) => match Ip::parse(text) {
            None => (BAD, Ip::default()),
            Some(ip) => (ip.v4().map_or(V6, u64::from), ip),
        },
    }
}
