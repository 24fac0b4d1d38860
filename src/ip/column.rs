//! Columns of addresses: IPv4 in narrow codes, IPv6 beside them.

use arrow::array::Array;
use rayon::prelude::*;

use crate::columns::nulls::NullsLast;
use crate::columns::parallel::{MORSEL, by_morsel};
use crate::columns::text::Text;
use crate::ip::{Ip, parse_v4, parse_v6};

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
    /// Whether some text is no address; such columns are refused.
    has_bad: bool,
}

impl Addresses {
    /// Parses a column; empty text is null. The error is the first row that is no address.
    pub fn parse(text: &Text) -> Result<Self, usize> {
        let parsed = over(text, &Fill);
        if !parsed.has_bad {
            return Ok(parsed);
        }
        let bad = |code: &u64| code & BAD != 0;
        Err(parsed.codes.iter().position(bad).unwrap_or_default())
    }

    /// Rows of a column that hold an address. The error is the first row that is no address.
    pub fn rows_of(text: &Text, ip: Ip) -> Result<Vec<u32>, usize> {
        over(text, &Seek(ip))
    }

    fn fill(rows: usize, code_of: impl Fn(usize) -> (u64, Ip) + Sync) -> Self {
        let mut codes = vec![0; rows];
        let parts: Vec<(u64, Vec<Ip>)> = codes
            .par_chunks_mut(MORSEL)
            .enumerate()
            .map(|(morsel, codes)| {
                let mut marks = 0;
                let mut wide = Vec::new();
                for (i, out) in codes.iter_mut().enumerate() {
                    let (code, ip) = code_of(morsel * MORSEL + i);
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
        let mut wide = Vec::new();
        if marks & V6 != 0 {
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
            has_bad: marks & BAD != 0,
        }
    }

    /// The code of a row, and the address where that is an IPv6 address.
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

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.codes.len()
    }

    /// Every address once, and where it stands.
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
            places: vec![None.into(); self.rows()],
        };
        for (ip, row) in narrow.chain(wide) {
            if out.ips.last() != Some(&ip) {
                out.ips.push(ip);
            }
            out.places[row as usize] = Some(out.ips.len() as u32 - 1).into();
        }
        out
    }

    /// The IPv4 address of a row, or null, unless it is an IPv6 address.
    #[inline]
    pub fn narrow(&self, row: usize) -> Option<NullsLast<u32>> {
        let code = self.codes[row];
        (code & V6 == 0).then(|| (code < NULL).then_some(code as u32).into())
    }

    /// Some of the IPv6 addresses, about `most` of them.
    pub fn some_wide(&self, most: usize) -> Vec<Ip> {
        let rows = (0..self.wide.len()).step_by((self.wide.len() / most).max(1));
        rows.filter(|row| self.codes[*row] & V6 != 0)
            .map(|row| self.wide[row])
            .collect()
    }
}

/// Work on the codes of all rows of a column.
trait Work {
    type Out;
    /// Does it, given a function from row to code.
    fn run(&self, rows: usize, code_of: impl Fn(usize) -> (u64, Ip) + Sync) -> Self::Out;
}

/// Keeps all codes.
struct Fill;

impl Work for Fill {
    type Out = Addresses;
    fn run(&self, rows: usize, code_of: impl Fn(usize) -> (u64, Ip) + Sync) -> Addresses {
        Addresses::fill(rows, code_of)
    }
}

/// Finds the rows of an address.
struct Seek(Ip);

impl Work for Seek {
    type Out = Result<Vec<u32>, usize>;
    fn run(&self, rows: usize, code_of: impl Fn(usize) -> (u64, Ip) + Sync) -> Self::Out {
        let sought = self.0.v4().map_or(V6, u64::from);
        let parts = by_morsel(rows, |rows| {
            let mut found = Vec::new();
            for row in rows {
                let (code, ip) = code_of(row);
                if code == sought && (code != V6 || ip == self.0) {
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

fn over<W: Work>(text: &Text, work: &W) -> W::Out {
    match text {
        Text::Utf8(a) => work.run(a.len(), |row| code(a.is_valid(row).then(|| a.value(row)))),
        Text::Large(a) => work.run(a.len(), |row| code(a.is_valid(row).then(|| a.value(row)))),
        Text::View(a) => work.run(a.len(), |row| code(a.is_valid(row).then(|| a.value(row)))),
        Text::Null(rows) => work.run(*rows, |_| code(None)),
        Text::Dictionary(keys, values) => {
            let distinct = Addresses::fill(values.len(), |place| code(values.get(place)));
            work.run(keys.len(), |row| {
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
    /// For each row the place of its address.
    pub places: Vec<NullsLast<u32>>,
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
            _ => unusual(text),
        },
        None => (NULL, Ip::default()),
    }
}

/// The code of a text that is not in a plain form.
#[cold]
fn unusual(text: &str) -> (u64, Ip) {
    match Ip::parse(text) {
        _ if text.is_empty() => (NULL, Ip::default()),
        Some(ip) => (ip.v4().map_or(V6, u64::from), ip),
        None => (BAD, Ip::default()),
    }
}
