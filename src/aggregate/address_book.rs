//! IPv6 addresses as numbers, so that every address has a narrow code.

use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use arrow::array::StringArray;
use hashbrown::{DefaultHashBuilder, HashMap};
use rayon::prelude::*;

use crate::addresses::Addresses;
use crate::aggregate::strings::{addresses, texts, write_v4};
use crate::error::Result;
use crate::flows::OrNull;
use crate::ip::Ip;

const SHARDS: usize = 64;

/// Mark of a code that is a number in the book.
const WIDE: u64 = 2 << 32;

/// Bits of a code or rank.
pub const ADDRESS_BITS: u32 = 34;

/// IPv6 addresses, numbered as they are met.
#[derive(Debug)]
pub struct AddressBook {
    hasher: DefaultHashBuilder,
    shards: Vec<Mutex<HashMap<Ip, u32>>>,
}

impl Default for AddressBook {
    fn default() -> Self {
        Self {
            hasher: DefaultHashBuilder::default(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }
}

impl AddressBook {
    /// A code for the address of a row; it keeps no order.
    #[inline]
    pub fn code(&self, addresses: &Addresses, row: usize) -> u64 {
        match addresses.narrow(row) {
            Some(code) => code,
            None => self.number(addresses.get(row)),
        }
    }

    fn number(&self, ip: OrNull<Ip>) -> u64 {
        let ip = ip.get().unwrap_or_default();
        let shard = self.hasher.hash_one(ip) as usize % SHARDS;
        let mut known = self.shards[shard]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let next = known.len() as u32;
        let place = *known.entry(ip).or_insert(next);
        let number = u64::from(place) * SHARDS as u64 + shard as u64;
        WIDE | number
    }

    /// Ends the numbering: the order of the addresses is known now.
    pub fn into_ranks(self) -> AddressRanks {
        let mut known: Vec<(Ip, usize)> = Vec::new();
        for (shard, places) in self.shards.into_iter().enumerate() {
            let places = places.into_inner().unwrap_or_else(PoisonError::into_inner);
            known.extend(
                places
                    .into_iter()
                    .map(|(ip, place)| (ip, place as usize * SHARDS + shard)),
            );
        }
        known.par_sort_unstable();
        let before_v4 = known.partition_point(|(ip, _)| *ip < Ip::from_v4(0));
        let numbers = known.iter().map(|(_, number)| number + 1).max();
        let mut ranks = vec![0; numbers.unwrap_or(0)];
        for (place, (_, number)) in known.iter().enumerate() {
            ranks[*number] = if place < before_v4 { 0 } else { 2 << 32 } | place as u64;
        }
        AddressRanks {
            ranks,
            wide: known.into_iter().map(|(ip, _)| ip).collect(),
        }
    }
}

/// The order of the addresses of an [`AddressBook`].
///
/// Ranks are ordered as the addresses are: IPv6 before IPv4, IPv4, other IPv6, no address.
#[derive(Debug)]
pub struct AddressRanks {
    ranks: Vec<u64>,
    wide: Vec<Ip>,
}

impl AddressRanks {
    const NULL: u64 = 3 << 32;

    /// The rank of a code.
    #[inline]
    pub fn rank(&self, code: u64) -> u64 {
        match code >> 32 {
            0 => 1 << 32 | code,
            1 => Self::NULL,
            _ => self.ranks[code as u32 as usize],
        }
    }

    /// The address of a rank.
    #[inline]
    pub fn address(&self, rank: u64) -> OrNull<Ip> {
        match rank >> 32 {
            1 => Some(Ip::from_v4(rank as u32)),
            3 => None,
            _ => Some(self.wide[rank as u32 as usize]),
        }
        .into()
    }

    /// The IPv6 addresses as text, each written once.
    pub fn texts(&self) -> Result<AddressTexts> {
        let wide = addresses(self.wide.len(), |place| Some(self.wide[place]).into())?;
        Ok(AddressTexts { wide })
    }
}

/// Texts of the addresses of [`AddressRanks`].
#[derive(Debug)]
pub struct AddressTexts {
    wide: StringArray,
}

impl AddressTexts {
    /// Columns of addresses given by rank.
    pub fn column(&self, rows: usize, rank: impl Fn(usize) -> u64 + Sync) -> Result<StringArray> {
        texts(rows, |row, bytes| {
            let rank = rank(row);
            match rank >> 32 {
                1 => write_v4(rank as u32, bytes),
                3 => return false,
                _ => bytes.extend_from_slice(self.wide.value(rank as u32 as usize).as_bytes()),
            }
            true
        })
    }
}
