//! Cells with one address as numbers, and those of dictionaries, which parts of a table share.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ip::Ip;

pub(super) const EMPTY: u64 = 1 << 32;
pub(super) const V6: u64 = 1 << 33;
pub(super) const OTHER: u64 = 1 << 34;

/// What a cell has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Single {
    /// One address.
    Address(Ip),
    /// No value.
    Empty,
    /// Anything else: several addresses, another notation, or no address.
    Other,
}

/// Strings of cells.
#[derive(Debug, Default)]
pub struct Codes {
    /// An IPv4 address, or a flag and the index of an IPv6 address.
    pub(super) codes: Vec<u64>,
    pub(super) wide: Vec<Ip>,
}

/// The values of dictionaries of a table, by column; its parts share them.
#[derive(Debug, Default)]
pub struct Dictionaries(pub(super) BTreeMap<String, Arc<Codes>>);

impl Codes {
    /// What a cell has.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Single {
        match self.codes[index] {
            code if code < EMPTY => Single::Address(Ip::from_v4(code as u32)),
            code if code & V6 != 0 => Single::Address(self.wide[code as u32 as usize]),
            code if code & EMPTY != 0 => Single::Empty,
            _ => Single::Other,
        }
    }
}
