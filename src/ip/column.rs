//! Address columns: IPv4 as narrow codes, IPv6 in a second column.

use arrow::array::{Array, Decimal128Array};
use rayon::prelude::*;

use crate::columns::nulls::NullsLast;
use crate::columns::parallel::{MORSEL, by_morsel};
use crate::columns::text::Text;
use crate::ip::{Ip, parse_mapped, parse_v4, parse_v6};

const NULL: u64 = 1 << 32;
const V6: u64 = 1 << 33;
const BAD: u64 = 1 << 34;

/// A column of addresses.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The IPv4 address in the low 32 bits, or a flag above them.
    codes: Vec<u64>,
    /// IPv6 addresses by row, with any value in other rows; empty if there are none.
    wide: Vec<Ip>,
    /// Whether a string is no address; such columns are rejected.
    has_bad: bool,
}

impl Addresses {
    /// Parse a column; empty strings are null. The error is the first invalid row.
    pub fn parse(text: &Text) -> Result<Self, usize> {
        let parsed = run(text, &Fill);
        if !parsed.has_bad {
            return Ok(parsed);
        }
        let bad = |code: &u64| code & BAD != 0;
        Err(parsed.codes.iter().position(bad).unwrap_or_default())
    }

    /// A column of addresses that are numbers.
    pub fn of_numbers(numbers: &Decimal128Array) -> Self {
        let code_of = |row| {
            if numbers.is_null(row) {
                return (NULL, Ip::default());
            }
            let ip = Ip(numbers.value(row) as u128);
            ip.v4().map_or((V6, ip), |v4| (v4.into(), Ip::default()))
        };
        Self::fill(numbers.len(), code_of)
    }

    /// Rows of a column that hold the address. The error is the first invalid row.
    pub fn rows_of(text: &Text, ip: Ip) -> Result<Vec<u32>, usize> {
        run(text, &Seek(ip))
    }

    fn fill(rows: usize, code_of: impl Fn(usize) -> (u64, Ip) + Sync) -> Self {
        let mut codes = vec![0; rows];
        let parts: Vec<(u64, Vec<Ip>)> = codes
            .par_chunks_mut(MORSEL)
            .enumerate()
            .map(|(morsel, codes)| {
                let mut flags = 0;
                let mut wide = Vec::new();
                for (i, out) in codes.iter_mut().enumerate() {
                    let (code, ip) = code_of(morsel * MORSEL + i);
                    *out = code;
                    flags |= code;
                    if code & V6 != 0 {
                        wide.resize(i, Ip::default());
                        wide.push(ip);
                    }
                }
                (flags, wide)
            })
            .collect();
        let flags = parts.iter().fold(0, |all, (flags, _)| all | flags);
        let mut wide = Vec::new();
        if flags & V6 != 0 {
            wide.reserve(rows);
            for (morsel, (_, part)) in parts.iter().enumerate() {
                wide.resize(morsel * MORSEL, Ip::default());
                wide.extend_from_slice(part);
            }
            wide.resize(rows, Ip::default());
        }
        Self {
            codes,
            wide,
            has_bad: flags & BAD != 0,
        }
    }

    /// The code of a row, and its address if that is IPv6.
    fn code(&self, row: usize) -> (u64, Ip) {
        match self.codes[row] {
            code if code & V6 != 0 => (code, self.wide[row]),
            code => (code, Ip::default()),
        }
    }

    /// The address of a row.
    pub fn get(&self, row: usize) -> NullsLast<Ip> {
        match self.codes[row] {
            code if code & V6 != 0 => Some(self.wide[row]).into(),
            code => narrow(code),
        }
    }

    /// Whether there are IPv6 addresses.
    pub const fn has_wide(&self) -> bool {
        !self.wide.is_empty()
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.codes.len()
    }

    /// The distinct addresses, and the index of each row's address.
    pub fn distinct(&self) -> Distinct {
        let mut narrow: Vec<u64> = self
            .codes
            .par_iter()
            .enumerate()
            .filter(|(_, code)| **code < NULL)
            .map(|(row, code)| code << 32 | row as u64)
            .collect();
        narrow.par_sort_unstable();
        let mut wide: Vec<(Ip, u32)> = (self.wide.iter().copied().zip(0..))
            .filter(|(_, row)| self.codes[*row as usize] & V6 != 0)
            .collect();
        wide.par_sort_unstable();
        let narrow = narrow
            .into_iter()
            .map(|entry| (Ip::from_v4((entry >> 32) as u32), entry as u32));
        let mut out = Distinct {
            ips: Vec::new(),
            indices: vec![None.into(); self.rows()],
        };
        for (ip, row) in narrow.chain(wide) {
            if out.ips.last() != Some(&ip) {
                out.ips.push(ip);
            }
            out.indices[row as usize] = Some(out.ips.len() as u32 - 1).into();
        }
        out
    }

    /// The IPv4 address of a row, or null; `None` for an IPv6 address.
    #[inline]
    pub fn narrow(&self, row: usize) -> Option<NullsLast<u32>> {
        let code = self.codes[row];
        (code & V6 == 0).then(|| (code < NULL).then_some(code as u32).into())
    }

    /// A sample of about `limit` IPv6 addresses.
    pub fn sample_wide(&self, limit: usize) -> Vec<Ip> {
        let rows = (0..self.wide.len()).step_by((self.wide.len() / limit).max(1));
        rows.filter(|row| self.codes[*row] & V6 != 0)
            .map(|row| self.wide[row])
            .collect()
    }
}

/// An operation on the codes of all rows of a column.
trait Operation {
    type Out;
    /// Run it, given a function from row to code.
    fn run(&self, rows: usize, code_of: impl Fn(usize) -> (u64, Ip) + Sync) -> Self::Out;
}

/// Collect all codes.
struct Fill;

impl Operation for Fill {
    type Out = Addresses;
    fn run(&self, rows: usize, code_of: impl Fn(usize) -> (u64, Ip) + Sync) -> Addresses {
        Addresses::fill(rows, code_of)
    }
}

/// Find the rows of an address.
struct Seek(Ip);

impl Operation for Seek {
    type Out = Result<Vec<u32>, usize>;
    fn run(&self, rows: usize, code_of: impl Fn(usize) -> (u64, Ip) + Sync) -> Self::Out {
        let target = self.0.v4().map_or(V6, u64::from);
        let parts = by_morsel(rows, |rows| {
            let mut found = Vec::new();
            for row in rows {
                let (code, ip) = code_of(row);
                if code == target && (code != V6 || ip == self.0) {
                    found.push(row as u32);
                } else if code & BAD != 0 {
                    return Err(row);
                }
            }
            Ok(found)
        });
        let found: Vec<Vec<u32>> = parts.into_iter().collect::<Result<_, _>>()?;
        Ok(found.concat())
    }
}

fn run<O: Operation>(text: &Text, operation: &O) -> O::Out {
    match text {
        Text::Utf8(a) => operation.run(a.len(), |row| code(a.is_valid(row).then(|| a.value(row)))),
        Text::Large(a) => operation.run(a.len(), |row| code(a.is_valid(row).then(|| a.value(row)))),
        Text::View(a) => operation.run(a.len(), |row| code(a.is_valid(row).then(|| a.value(row)))),
        Text::Null(rows) => operation.run(*rows, |_| code(None)),
        Text::Dictionary(keys, values) => {
            let distinct = Addresses::fill(values.len(), |index| code(values.get(index)));
            operation.run(keys.len(), |row| {
                match keys.is_valid(row).then(|| keys.value(row) as usize) {
                    Some(key) => distinct.code(key),
                    None => (NULL, Ip::default()),
                }
            })
        }
    }
}

/// Distinct addresses, IPv4 before IPv6 and each kind in order.
#[derive(Debug)]
pub struct Distinct {
    /// The addresses.
    pub ips: Vec<Ip>,
    /// For each row the index of its address.
    pub indices: Vec<NullsLast<u32>>,
}

/// The address of a narrow code.
pub fn narrow(code: u64) -> NullsLast<Ip> {
    (code & NULL == 0).then(|| Ip::from_v4(code as u32)).into()
}

#[inline]
fn code(text: Option<&str>) -> (u64, Ip) {
    match text.map(|text| (text, parse_v4(text.as_bytes()))) {
        Some((_, Some(v4))) => (v4.into(), Ip::default()),
        Some((text, None)) => match parse_v6(text.as_bytes()) {
            Some(v6) if Ip(v6).v4().is_none() => (V6, Ip(v6)),
            _ => match parse_mapped(text.as_bytes()) {
                Some(v4) => (v4.into(), Ip::default()),
                None => unusual(text),
            },
        },
        None => (NULL, Ip::default()),
    }
}

/// The code of a string in a non-canonical notation.
#[cold]
fn unusual(text: &str) -> (u64, Ip) {
    match Ip::parse(text) {
        _ if text.is_empty() => (NULL, Ip::default()),
        Some(ip) => (ip.v4().map_or(V6, u64::from), ip),
        None => (BAD, Ip::default()),
    }
}
