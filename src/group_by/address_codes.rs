//! Addresses as codes in approximate order: IPv4 by value, IPv6 numbered within buckets.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use arrow::array::StringArray;
use hashbrown::HashMap;
use rayon::prelude::*;

use crate::columns::nulls::NullsLast;
use crate::columns::parallel::{MORSEL, by_morsel};
use crate::columns::write::texts;
use crate::error::Result;
use crate::ip::Ip;
use crate::ip::column::Addresses;
use crate::ip::write::{addresses, write_v4};

/// Bits of a code or rank: two for the kind, then the bucket, then the number within it.
pub const ADDRESS_BITS: u32 = 2 + BUCKET_BITS + 32;
const BUCKET_BITS: u32 = 10;
const KIND: u32 = BUCKET_BITS + 32;

// Kinds in order.
const BEFORE_V4: u64 = 0;
const V4: u64 = 1;
const AFTER_V4: u64 = 2;
const NULL: u64 = 3;

const SHARDS: usize = 64;

/// Maximum number of addresses at which buckets are split.
const MAX_SPLITS: usize = (1 << (BUCKET_BITS - 1)) - 1;

/// Sampled addresses per split.
const SAMPLES: usize = 16;

/// Codes of addresses; IPv6 addresses are numbered within buckets in order of appearance.
///
/// Codes of addresses in different buckets are in order.
#[derive(Debug)]
pub struct AddressCodes {
    /// Codes of addresses, by the hash of the address.
    shards: Vec<HashMap<Ip, u64>>,
    /// Each of these addresses is a bucket of its own, between two others.
    splits: Vec<Ip>,
    /// Number of addresses in each bucket.
    counts: Vec<AtomicU32>,
}

impl Default for AddressCodes {
    fn default() -> Self {
        Self {
            shards: vec![HashMap::default(); SHARDS],
            splits: Vec::new(),
            counts: vec![AtomicU32::new(0)],
        }
    }
}

impl AddressCodes {
    /// Split the buckets by a sample of the first IPv6 addresses.
    pub fn prepare(&mut self, columns: &[&Addresses]) {
        if !self.splits.is_empty() || self.counts.iter().any(|count| count.load(Relaxed) > 0) {
            return;
        }
        let mut sample: Vec<Ip> = columns
            .iter()
            .flat_map(|addresses| addresses.sample_wide(MAX_SPLITS * SAMPLES))
            .collect();
        sample.sort_unstable();
        let split = |number: usize| sample.get(sample.len() * number / MAX_SPLITS).copied();
        self.splits = (0..MAX_SPLITS).filter_map(split).collect();
        self.splits.dedup();
        let buckets = 2 * self.splits.len() + 1;
        self.counts.resize_with(buckets, AtomicU32::default);
    }

    /// Find or make the codes of a column.
    pub fn encode<'a>(&mut self, addresses: &'a Addresses) -> Coded<'a> {
        let wide = if addresses.has_wide() {
            self.wide_codes(addresses)
        } else {
            Vec::new()
        };
        Coded { addresses, wide }
    }

    /// The codes of IPv6 addresses by row. The rows are distributed to the shards, so that each
    /// has one thread and fits the cache.
    fn wide_codes(&mut self, addresses: &Addresses) -> Vec<u64> {
        let Self {
            shards,
            splits,
            counts,
        } = self;
        let rows = addresses.rows();
        let morsels: Vec<Vec<Vec<(Ip, u32)>>> = by_morsel(rows, |rows| {
            let mut parts = vec![Vec::new(); SHARDS];
            for row in rows {
                if let (None, Some(ip)) = (addresses.narrow(row), addresses.get(row).get()) {
                    parts[shard_of(ip)].push((ip, row as u32));
                }
            }
            parts
        });
        let coded: Vec<Vec<u64>> = shards
            .par_iter_mut()
            .enumerate()
            .map(|(shard, known)| {
                let ips = morsels.iter().flat_map(|parts| &parts[shard]);
                let code = |(ip, _): &(Ip, u32)| {
                    *known
                        .entry(*ip)
                        .or_insert_with(|| new_code(*ip, splits, counts))
                };
                ips.map(code).collect()
            })
            .collect();
        let mut next = [0; SHARDS];
        let starts: Vec<[usize; SHARDS]> = morsels
            .iter()
            .map(|parts| {
                let starts = next;
                for (next, part) in next.iter_mut().zip(parts) {
                    *next += part.len();
                }
                starts
            })
            .collect();
        let mut by_row = vec![0; rows];
        by_row
            .par_chunks_mut(MORSEL)
            .zip(morsels.par_iter().zip(starts))
            .for_each(|(own, (parts, starts))| {
                for (shard, part) in parts.iter().enumerate() {
                    let found = &coded[shard][starts[shard]..];
                    for ((_, row), code) in part.iter().zip(found) {
                        own[*row as usize % MORSEL] = *code;
                    }
                }
            });
        by_row
    }

    /// Finish the codes and rank the addresses.
    pub fn into_ranks(self) -> AddressRanks {
        let mut known: Vec<(Ip, u64)> = self
            .shards
            .into_par_iter()
            .flat_map_iter(HashMap::into_iter)
            .collect();
        known.par_sort_unstable();
        let counts = self.counts.into_iter().map(AtomicU32::into_inner);
        let mut ranks: Vec<Vec<u32>> = counts.map(|count| vec![0; count as usize]).collect();
        let mut firsts = Vec::with_capacity(ranks.len());
        let mut codes = known.iter().map(|(_, code)| *code);
        for ranks in &mut ranks {
            firsts.push(known.len() - codes.len());
            for (rank, code) in (0..ranks.len() as u32).zip(&mut codes) {
                ranks[code as u32 as usize] = rank;
            }
        }
        AddressRanks {
            ranks,
            firsts,
            wide: known.into_iter().map(|(ip, _)| ip).collect(),
        }
    }
}

fn shard_of(ip: Ip) -> usize {
    let mixed = (ip.0 as u64 ^ (ip.0 >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize % SHARDS
}

fn new_code(ip: Ip, splits: &[Ip], counts: &[AtomicU32]) -> u64 {
    let kind = if ip < Ip::from_v4(0) {
        BEFORE_V4
    } else {
        AFTER_V4
    };
    let before = splits.partition_point(|split| *split < ip);
    let bucket = 2 * before + usize::from(splits.get(before) == Some(&ip));
    let number = counts[bucket].fetch_add(1, Relaxed);
    kind << KIND | (bucket as u64) << 32 | u64::from(number)
}

/// A column of addresses with their codes.
#[derive(Debug)]
pub struct Coded<'a> {
    addresses: &'a Addresses,
    /// Codes of IPv6 addresses by row.
    wide: Vec<u64>,
}

impl Coded<'_> {
    /// The code of a row's address.
    #[inline]
    pub fn code(&self, row: usize) -> u64 {
        match self.addresses.narrow(row) {
            Some(v4) => v4
                .get()
                .map_or(NULL << KIND, |v4| V4 << KIND | u64::from(v4)),
            None => self.wide[row],
        }
    }
}

/// Partition rank of a pair of codes: its approximate position in the order of all pairs.
///
/// Numbers within a bucket are not in order; pairs that differ only in these have one rank.
#[inline]
pub fn partition_rank(source: u64, dest: u64) -> u64 {
    // 34 bits in code order, and whether they stand for a single address.
    let rough = |code: u64| match code >> KIND {
        V4 | NULL => (code >> KIND << 32 | u64::from(code as u32), true),
        kind => {
            let bucket = code >> 32 & ((1 << BUCKET_BITS) - 1);
            (kind << 32 | bucket, bucket % 2 == 1)
        }
    };
    let (source, is_one) = rough(source);
    let dest = if is_one { rough(dest).0 } else { 0 };
    source << 30 | dest >> 4
}

/// The part of a code that its rank has, too: all of it except the number of an IPv6 address within
/// its bucket.
#[inline]
pub fn lasting(code: u64) -> u64 {
    match code >> KIND {
        V4 | NULL => code,
        _ => code >> 32,
    }
}

/// The order of the addresses of an [`AddressCodes`].
///
/// Ranks follow the order of addresses: IPv6 below IPv4, IPv4, other IPv6, null.
#[derive(Debug)]
pub struct AddressRanks {
    /// Ranks by bucket and number.
    ranks: Vec<Vec<u32>>,
    /// Start of each bucket in `wide`.
    firsts: Vec<usize>,
    wide: Vec<Ip>,
}

impl AddressRanks {
    /// The rank of a code.
    #[inline]
    pub fn rank(&self, code: u64) -> u64 {
        match code >> KIND {
            V4 | NULL => code,
            _ => {
                let rank = self.ranks[bucket(code)][code as u32 as usize];
                code >> 32 << 32 | u64::from(rank)
            }
        }
    }

    /// The address of a rank.
    #[inline]
    pub fn address(&self, rank: u64) -> NullsLast<Ip> {
        match rank >> KIND {
            V4 => Some(Ip::from_v4(rank as u32)),
            NULL => None,
            _ => Some(self.wide[self.wide_index(rank)]),
        }
        .into()
    }

    #[inline]
    fn wide_index(&self, rank: u64) -> usize {
        self.firsts[bucket(rank)] + rank as u32 as usize
    }

    /// Format the IPv6 addresses, each once.
    pub fn texts(&self) -> Result<AddressTexts<'_>> {
        let wide = addresses(self.wide.len(), |index| Some(self.wide[index]).into())?;
        Ok(AddressTexts { wide, ranks: self })
    }
}

#[inline]
fn bucket(code: u64) -> usize {
    (code >> 32 & ((1 << BUCKET_BITS) - 1)) as usize
}

/// Formatted addresses of [`AddressRanks`].
#[derive(Debug)]
pub struct AddressTexts<'a> {
    wide: StringArray,
    ranks: &'a AddressRanks,
}

impl AddressTexts<'_> {
    /// Write a column of addresses, given by rank.
    pub fn column(&self, rows: usize, rank: impl Fn(usize) -> u64 + Sync) -> Result<StringArray> {
        texts(rows, |row, bytes| {
            let rank = rank(row);
            match rank >> KIND {
                V4 => write_v4(rank as u32, bytes),
                NULL => return false,
                _ => {
                    let index = self.ranks.wide_index(rank);
                    bytes.extend_from_slice(self.wide.value(index).as_bytes());
                }
            }
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::ArrayRef;
    use proptest::prelude::*;

    use super::*;
    use crate::columns::text::Text;

    fn column(ips: &[Option<Ip>]) -> Addresses {
        let texts = ips.iter().map(|ip| ip.map(|ip| ip.to_string()));
        let array: ArrayRef = Arc::new(texts.collect::<StringArray>());
        Addresses::parse(&Text::read("ip", &array).unwrap()).unwrap()
    }

    fn ip() -> impl Strategy<Value = Option<Ip>> {
        prop_oneof![
            any::<u32>().prop_map(|v4| Some(Ip::from_v4(v4))),
            // Few addresses on both sides of IPv4, so that some repeat.
            (0_u128..40, any::<bool>()).prop_map(|(low, high)| {
                Some(Ip(low | if high { 0x2001_0db8 << 96 } else { 0 }))
            }),
            Just(None),
        ]
    }

    proptest! {
        #[test]
        fn ranks_keep_the_order_of_addresses(
            first in prop::collection::vec((ip(), ip()), 1..60),
            later in prop::collection::vec((ip(), ip()), 0..60),
        ) {
            let mut address_codes = AddressCodes::default();
            let mut codes = Vec::new();
            for pairs in [&first, &later] {
                let (left, right): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
                let (left, right) = (column(&left), column(&right));
                address_codes.prepare(&[&left, &right]);
                let coded = (address_codes.encode(&left), address_codes.encode(&right));
                codes.extend((0..pairs.len()).map(|row| (coded.0.code(row), coded.1.code(row))));
            }
            let ranks = address_codes.into_ranks();
            let rank = |(left, right): &(u64, u64)| (ranks.rank(*left), ranks.rank(*right));
            let known: Vec<_> = codes.iter().map(rank).collect();
            let mut all: Vec<_> = first.into_iter().chain(later).zip(known).zip(codes).collect();
            for ((ips, rank), _) in &all {
                let address = |rank| ranks.address(rank).get();
                prop_assert_eq!(*ips, (address(rank.0), address(rank.1)));
            }
            let none_last = |(left, right): (Option<Ip>, Option<Ip>)| {
                (NullsLast::from(left), NullsLast::from(right))
            };
            all.sort_by_key(|((ips, _), _)| none_last(*ips));
            for pair in all.windows(2) {
                let (((_, before), code), ((_, after), later)) = (pair[0], pair[1]);
                prop_assert!(before <= after);
                prop_assert!(partition_rank(code.0, code.1) <= partition_rank(later.0, later.1));
            }
        }
    }
}
