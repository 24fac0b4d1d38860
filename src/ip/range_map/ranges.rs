//! Lists of ranges of addresses, asked for the narrowest one that holds an address.

use std::collections::BTreeSet;
use std::iter;
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, Field};
use rayon::slice::ParallelSliceMut;

use crate::columns::batch::batch;
use crate::columns::parallel::by_row;
use crate::columns::text::Text;
use crate::error::{Error, Result};
use crate::ip::Ip;
use crate::ip::prefix::{parse_network, without_v4};

/// A list of ranges, laid out as the stretches between which the narrowest one changes.
#[derive(Clone, Debug, Default)]
pub struct Ranges {
    /// First address of a stretch, and the row of its narrowest range; sorted.
    stretches: Vec<(Ip, Option<u32>)>,
    bad: Vec<usize>,
}

impl Ranges {
    /// Lays out ranges; of equal ones the first counts, and ranges may overlap in any way.
    ///
    /// Where `last` is null, `first` is a network, a range such as `10.0.0.1-10.0.0.9`, or an
    /// address. Addresses may be whole numbers; those below 2^32 are IPv4.
    pub fn parse(first: &Text, last: &Text) -> Result<Self> {
        if first.len() != last.len() {
            return Err(Error::Argument(format!(
                "there are {} first addresses of ranges and {} last ones",
                first.len(),
                last.len()
            )));
        }
        let parsed = by_row(first.len(), |row| {
            let (first, last) = (first.get(row), last.get(row));
            first.and_then(|first| last.map_or_else(|| range(first), |last| between(first, last)))
        });
        let bad = (0..parsed.len()).filter(|&row| parsed[row].is_none());
        let bad = bad.collect();
        let mut ends = Vec::with_capacity(2 * parsed.len());
        for (range, row) in parsed.into_iter().zip(0..) {
            ends.extend(
                range
                    .into_iter()
                    .flat_map(without_v4)
                    .flat_map(|r| ends_of(r, row)),
            );
        }
        let stretches = lay_out(ends);
        Ok(Self { stretches, bad })
    }

    /// Rows that are no range.
    pub fn bad(&self) -> &[usize] {
        &self.bad
    }

    /// Row of the narrowest range that holds the address.
    pub fn find(&self, ip: Ip) -> Option<u32> {
        let after = self.stretches.partition_point(|(first, _)| *first <= ip);
        after.checked_sub(1).and_then(|at| self.stretches[at].1)
    }

    /// Column `range`: for each address the row of its narrowest range. What is no address is in
    /// no range.
    pub fn find_all(&self, addresses: &Text) -> Result<RecordBatch> {
        let found = addresses.map(|text| text.and_then(Ip::parse).and_then(|ip| self.find(ip)));
        let rows: UInt32Array = found.into_iter().collect();
        let field = Field::new("range", DataType::UInt32, true);
        batch(vec![(field, Arc::new(rows))])
    }
}

fn range(text: &str) -> Option<(Ip, Ip)> {
    match text.split_once('-') {
        Some((first, last)) => between(first, last),
        None => parse_network(text).or_else(|| between(text, text)),
    }
}

fn between(first: &str, last: &str) -> Option<(Ip, Ip)> {
    let (first, last) = (address(first)?, address(last)?);
    (first <= last).then_some((first, last))
}

fn address(text: &str) -> Option<Ip> {
    let number = || {
        let number = text.trim().parse::<u128>().ok()?;
        Some(u32::try_from(number).map_or(Ip(number), Ip::from_v4))
    };
    Ip::parse(text).or_else(number)
}

/// An end of a range: where it is, whether the range begins there, its width, and its row.
type End = (Ip, bool, u128, u32);

/// Where a range begins, and where it is over; the latter is nowhere after the last address.
fn ends_of((first, last): (Ip, Ip), row: u32) -> impl Iterator<Item = End> {
    let width = last.0 - first.0;
    let over = last
        .0
        .checked_add(1)
        .map(|next| (Ip(next), false, width, row));
    iter::once((first, true, width, row)).chain(over)
}

/// Sweeps over the ends of all ranges with those around a place sorted by width.
fn lay_out(mut ends: Vec<End>) -> Vec<(Ip, Option<u32>)> {
    ends.par_sort_unstable();
    let mut around: BTreeSet<(u128, u32)> = BTreeSet::new();
    let mut stretches: Vec<(Ip, Option<u32>)> = Vec::new();
    for (at, begins, width, row) in ends {
        if begins {
            around.insert((width, row));
        } else {
            around.remove(&(width, row));
        }
        let narrowest = around.first().map(|(_, row)| *row);
        match stretches.last_mut() {
            Some(last) if last.0 == at => last.1 = narrowest,
            _ => stretches.push((at, narrowest)),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;

    use super::*;

    fn ranges(texts: &[(&str, Option<&str>)]) -> Ranges {
        let first: StringArray = texts.iter().map(|(first, _)| Some(*first)).collect();
        let last: StringArray = texts.iter().map(|(_, last)| *last).collect();
        Ranges::parse(&Text::Utf8(first), &Text::Utf8(last)).unwrap()
    }

    fn find(texts: &[(&str, Option<&str>)], ip: &str) -> Option<u32> {
        ranges(texts).find(Ip::parse(ip).unwrap())
    }

    #[test]
    fn networks_ranges_addresses_and_numbers_are_understood() {
        let all = [
            ("10.0.0.0/8", None),
            ("10.0.0.5 - 10.0.0.9", None),
            ("10.0.0.7", None),
            ("16777216", Some("16777471")),
            ("2001:db8::1", Some("2001:db8::9")),
            ("office", None),
            ("10.0.0.9-10.0.0.5", None),
        ];
        assert_eq!(find(&all, "10.0.0.4"), Some(0));
        assert_eq!(find(&all, "10.0.0.5"), Some(1));
        assert_eq!(find(&all, "10.0.0.7"), Some(2));
        assert_eq!(find(&all, "10.0.0.9"), Some(1));
        assert_eq!(find(&all, "10.0.0.10"), Some(0));
        assert_eq!(find(&all, "1.0.0.255"), Some(3));
        assert_eq!(find(&all, "1.0.1.0"), None);
        assert_eq!(find(&all, "2001:db8::9"), Some(4));
        assert_eq!(ranges(&all).bad(), [5, 6]);
    }

    #[test]
    fn the_last_address_ends_no_stretch_and_the_first_of_equals_counts() {
        let all = [
            ("255.0.0.0/8", None),
            ("255.0.0.0/8", None),
            ("ff00::/8", None),
        ];
        assert_eq!(find(&all, "255.255.255.255"), Some(0));
        assert_eq!(
            find(&all, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            Some(2)
        );
        assert_eq!(find(&[("::/0", None)], "10.0.0.1"), None);
    }

    proptest::proptest! {
        #[test]
        fn the_range_found_is_that_of_a_search_one_by_one(all: Vec<(u8, u8)>, probe: u8) {
            let all: Vec<(u8, u8)> = all.iter().map(|&(a, b)| (a.min(b), a.max(b))).collect();
            let holds = all.iter().zip(0..).filter(|((a, b), _)| (*a..=*b).contains(&probe));
            let expected = holds.min_by_key(|((a, b), row)| (b - a, *row)).map(|(_, row)| row);
            let texts: Vec<_> = all.iter().map(|(a, b)| format!("10.0.0.{a}-10.0.0.{b}")).collect();
            let pairs: Vec<_> = texts.iter().map(|text| (text.as_str(), None)).collect();
            proptest::prop_assert_eq!(find(&pairs, &format!("10.0.0.{probe}")), expected);
        }
    }
}
