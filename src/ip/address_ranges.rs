//! Lists of networks and address ranges in text.

use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, Field};

use crate::columns::batch::batch;
use crate::columns::parallel::by_row;
use crate::columns::text::Text;
use crate::error::{Error, Result};
use crate::ip::Ip;
use crate::ip::prefix::parse_network;
use crate::ip::range_map::RangeMap;

/// The rows of a list of networks or ranges, by address.
#[derive(Clone, Debug, Default)]
pub struct AddressRanges {
    rows: RangeMap<u32>,
    bad: Vec<usize>,
}

impl AddressRanges {
    /// Parse CIDR prefixes and single addresses.
    pub fn from_networks(texts: &Text) -> Self {
        Self::new(&texts.map(|text| text.and_then(parse_network)))
    }

    /// Parse ranges from their first and last addresses.
    ///
    /// Where `last` is null, `first` is a CIDR prefix, a range such as `10.0.0.1-10.0.0.9`, or an
    /// address. Addresses may be integers; those below 2^32 are IPv4.
    pub fn from_ranges(first: &Text, last: &Text) -> Result<Self> {
        if first.len() != last.len() {
            return Err(Error::Argument(format!(
                "first and last must have the same length, got {} and {}",
                first.len(),
                last.len()
            )));
        }
        let parsed = by_row(first.len(), |row| {
            let (first, last) = (first.get(row), last.get(row));
            first.and_then(|first| last.map_or_else(|| range(first), |last| between(first, last)))
        });
        Ok(Self::new(&parsed))
    }

    fn new(parsed: &[Option<(Ip, Ip)>]) -> Self {
        let bad = (0..parsed.len()).filter(|&row| parsed[row].is_none());
        let ranges = parsed.iter().zip(0..);
        Self {
            bad: bad.collect(),
            rows: RangeMap::new(ranges.filter_map(|(range, row)| Some(((*range)?, row)))),
        }
    }

    /// Invalid rows.
    pub fn bad(&self) -> &[usize] {
        &self.bad
    }

    /// Row of the narrowest range that contains the address.
    pub fn find(&self, ip: Ip) -> Option<u32> {
        self.rows.find(ip)
    }

    /// Column `range`: for each address the row of its narrowest range.
    ///
    /// Invalid addresses have no range, or are an error if `strict`.
    pub fn find_all(&self, addresses: &Text, strict: bool) -> Result<RecordBatch> {
        let found = addresses.map(|text| match text.map(|text| (text, Ip::parse(text))) {
            Some((_, Some(ip))) => Ok(self.find(ip)),
            Some((text, None)) if strict && !text.is_empty() => Err(()),
            _ => Ok(None),
        });
        if let Some(row) = found.iter().position(Result::is_err) {
            return Err(Error::Value {
                row,
                column: "address".into(),
                value: addresses.get(row).unwrap_or_default().into(),
                reason: "is not an IP address",
            });
        }
        let rows: UInt32Array = found.into_iter().map(Result::unwrap_or_default).collect();
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
    let integer = || {
        let value = text.trim().parse::<u128>().ok()?;
        Some(u32::try_from(value).map_or(Ip(value), Ip::from_v4))
    };
    Ip::parse(text).or_else(integer)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use arrow::array::{Array, AsArray, StringArray};
    use arrow::datatypes::UInt32Type;
    use ipnetwork::IpNetwork;

    use super::*;

    fn networks<S: AsRef<str>>(texts: &[S]) -> AddressRanges {
        let texts: StringArray = texts.iter().map(|text| Some(text.as_ref())).collect();
        AddressRanges::from_networks(&Text::Utf8(texts))
    }

    fn ranges(texts: &[(&str, Option<&str>)]) -> AddressRanges {
        let first: StringArray = texts.iter().map(|(first, _)| Some(*first)).collect();
        let last: StringArray = texts.iter().map(|(_, last)| *last).collect();
        AddressRanges::from_ranges(&Text::Utf8(first), &Text::Utf8(last)).unwrap()
    }

    fn find(ranges: &AddressRanges, ip: &str) -> Option<u32> {
        ranges.find(Ip::parse(ip).unwrap())
    }

    #[test]
    fn the_longest_prefix_wins() {
        let nested = networks(&["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "10.1.255.0/24"]);
        assert_eq!(find(&nested, "10.0.0.0"), Some(0));
        assert_eq!(find(&nested, "10.1.2.2"), Some(1));
        assert_eq!(find(&nested, "10.1.2.3"), Some(2));
        assert_eq!(find(&nested, "10.1.2.4"), Some(1));
        assert_eq!(find(&nested, "10.1.255.255"), Some(3));
        assert_eq!(find(&nested, "10.2.0.0"), Some(0));
        assert_eq!(find(&nested, "11.0.0.0"), None);
        assert_eq!(find(&nested, "9.255.255.255"), None);
    }

    #[test]
    fn the_first_of_equal_networks_wins_and_invalid_ones_are_listed() {
        let equal = networks(&["x", "192.0.2.0/24", "192.0.2.9/24"]);
        assert_eq!(find(&equal, "192.0.2.1"), Some(1));
        assert_eq!(networks(&["10.0.0.0/33", "::1", ""]).bad(), [0, 2]);
    }

    #[test]
    fn the_boundaries_of_both_families_are_included() {
        let all = networks(&["::/0", "0.0.0.0/0", "ff00::/8"]);
        let last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        assert_eq!(find(&all, "0.0.0.0"), Some(1));
        assert_eq!(find(&all, "255.255.255.255"), Some(1));
        assert_eq!(find(&all, "::"), Some(0));
        assert_eq!(find(&all, "::1:0:0:0"), Some(0));
        assert_eq!(find(&all, last), Some(2));
        assert_eq!(find(&networks::<&str>(&[]), "::"), None);
        let equal = ("255.0.0.0/8", None);
        let all = ranges(&[equal, equal, ("ff00::/8", None)]);
        assert_eq!(find(&all, "255.255.255.255"), Some(0));
        assert_eq!(find(&all, last), Some(2));
        assert_eq!(find(&ranges(&[("::/0", None)]), "10.0.0.1"), None);
    }

    #[test]
    fn missing_addresses_have_no_range_and_invalid_ones_neither_unless_strict() {
        let all = networks(&["0.0.0.0/0"]);
        let column = |texts: Vec<Option<&str>>| Text::Utf8(StringArray::from(texts));
        let texts = column(vec![None, Some(""), Some("1.1.1.1")]);
        let found = all.find_all(&texts, true).unwrap();
        let rows = found.column(0).as_primitive::<UInt32Type>();
        assert_eq!((rows.null_count(), rows.value(2)), (2, 0));
        let texts = column(vec![Some("office")]);
        let error = all.find_all(&texts, true).unwrap_err();
        assert!(error.to_string().contains("office"), "{error}");
        assert_eq!(
            all.find_all(&texts, false).unwrap().column(0).null_count(),
            1
        );
    }

    #[test]
    fn networks_ranges_addresses_and_integers_are_parsed() {
        let all = ranges(&[
            ("10.0.0.0/8", None),
            ("10.0.0.5 - 10.0.0.9", None),
            ("10.0.0.7", None),
            ("16777216", Some("16777471")),
            ("2001:db8::1", Some("2001:db8::9")),
            ("office", None),
            ("10.0.0.9-10.0.0.5", None),
        ]);
        assert_eq!(find(&all, "10.0.0.4"), Some(0));
        assert_eq!(find(&all, "10.0.0.5"), Some(1));
        assert_eq!(find(&all, "10.0.0.7"), Some(2));
        assert_eq!(find(&all, "10.0.0.9"), Some(1));
        assert_eq!(find(&all, "10.0.0.10"), Some(0));
        assert_eq!(find(&all, "1.0.0.255"), Some(3));
        assert_eq!(find(&all, "1.0.1.0"), None);
        assert_eq!(find(&all, "2001:db8::9"), Some(4));
        assert_eq!(all.bad(), [5, 6]);
    }

    proptest::proptest! {
        #[test]
        fn the_network_found_is_that_of_a_linear_search(
            prefixes: Vec<(u16, u8)>, probe: u16
        ) {
            let address = |low: u16| IpAddr::V4((0x0a00_0000 | u32::from(low)).into());
            let all: Vec<IpNetwork> = prefixes
                .iter()
                .map(|(low, length)| IpNetwork::new(address(*low), 16 + length % 17).unwrap())
                .collect();
            let holds = all.iter().filter(|network| network.contains(address(probe)));
            let longest = holds.map(IpNetwork::prefix).max();
            let expected = longest.and_then(|length| {
                all.iter().position(|n| n.prefix() == length && n.contains(address(probe)))
            });
            let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
            let found = networks(&texts).find(address(probe).into());
            proptest::prop_assert_eq!(found.map(|row| row as usize), expected);
        }

        #[test]
        fn the_range_found_is_that_of_a_linear_search(all: Vec<(u8, u8)>, probe: u8) {
            let all: Vec<(u8, u8)> = all.iter().map(|&(a, b)| (a.min(b), a.max(b))).collect();
            let holds = all.iter().zip(0..).filter(|((a, b), _)| (*a..=*b).contains(&probe));
            let expected = holds.min_by_key(|((a, b), row)| (b - a, *row)).map(|(_, row)| row);
            let texts: Vec<_> = all.iter().map(|(a, b)| format!("10.0.0.{a}-10.0.0.{b}")).collect();
            let rows: Vec<_> = texts.iter().map(|text| (text.as_str(), None)).collect();
            let found = find(&ranges(&rows), &format!("10.0.0.{probe}"));
            proptest::prop_assert_eq!(found, expected);
        }
    }
}
