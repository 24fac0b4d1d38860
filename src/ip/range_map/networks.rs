//! Lists of networks, asked for the longest one that holds an address.

use std::cmp::Reverse;
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, Field};

use crate::columns::batch::batch;
use crate::columns::text::Text;
use crate::error::{Error, Result};
use crate::ip::Ip;
use crate::ip::prefix::{parse_network, without_v4};

/// A list of networks, laid out as the ranges between which the longest one changes.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    /// First address of a range, and the row of its longest network; sorted.
    ranges: Vec<(Ip, Option<u32>)>,
    bad: Vec<usize>,
}

impl Networks {
    /// Lays out CIDR prefixes and single addresses; of equal ones the first counts.
    pub fn parse(texts: &Text) -> Self {
        let parsed = texts.map(|text| text.and_then(parse_network));
        let bad = (0..parsed.len()).filter(|&row| parsed[row].is_none());
        let mut networks: Vec<(Ip, Ip, u32)> = parsed
            .iter()
            .enumerate()
            .filter_map(|(row, network)| network.map(|network| (network, row as u32)))
            .flat_map(|(network, row)| {
                without_v4(network).map(move |(first, last)| (first, last, row))
            })
            .collect();
        networks.sort_unstable_by_key(|&(first, last, row)| (first, Reverse(last), row));
        networks.dedup_by_key(|(first, last, _)| (*first, *last));
        Self {
            ranges: lay_out(&networks),
            bad: bad.collect(),
        }
    }

    /// Rows that are neither a network nor an address.
    pub fn bad(&self) -> &[usize] {
        &self.bad
    }

    /// Row of the longest network that holds the address.
    pub fn find(&self, ip: Ip) -> Option<u32> {
        let after = self.ranges.partition_point(|(first, _)| *first <= ip);
        after.checked_sub(1).and_then(|at| self.ranges[at].1)
    }

    /// Column `network`: for each address the row of its longest network.
    pub fn find_all(&self, addresses: &Text) -> Result<RecordBatch> {
        let found = addresses.map(|text| match text {
            None | Some("") => Ok(None),
            Some(text) => Ip::parse(text).map(|ip| self.find(ip)).ok_or(()),
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
        let field = Field::new("network", DataType::UInt32, true);
        batch(vec![(field, Arc::new(rows))])
    }
}

/// Networks either contain one another or do not touch, so those around a place are a stack.
fn lay_out(networks: &[(Ip, Ip, u32)]) -> Vec<(Ip, Option<u32>)> {
    let mut ranges: Vec<(Ip, Option<u32>)> = Vec::with_capacity(2 * networks.len());
    let mut begin = |first: Ip, row: Option<u32>| match ranges.last_mut() {
        Some(last) if last.0 == first => last.1 = row,
        _ => ranges.push((first, row)),
    };
    let mut around: Vec<(Ip, u32)> = Vec::new();
    for &(first, last, row) in networks {
        while let Some((end, _)) = around.pop_if(|(end, _)| *end < first) {
            begin(Ip(end.0 + 1), around.last().map(|(_, row)| *row));
        }
        begin(first, Some(row));
        around.push((last, row));
    }
    while let Some((end, _)) = around.pop() {
        if let Some(next) = end.0.checked_add(1) {
            begin(Ip(next), around.last().map(|(_, row)| *row));
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use arrow::array::{Array, AsArray, StringArray};
    use arrow::datatypes::UInt32Type;
    use ipnetwork::IpNetwork;

    use super::*;

    fn networks<S: AsRef<str>>(texts: &[S]) -> Networks {
        let texts: StringArray = texts.iter().map(|text| Some(text.as_ref())).collect();
        Networks::parse(&Text::Utf8(texts))
    }

    fn find(texts: &[&str], ip: &str) -> Option<u32> {
        networks(texts).find(Ip::parse(ip).unwrap())
    }

    #[test]
    fn the_longest_network_is_found() {
        let nested = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "10.1.255.0/24"];
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
    fn the_first_of_equal_networks_counts_and_what_is_none_is_told() {
        assert_eq!(
            find(&["x", "192.0.2.0/24", "192.0.2.9/24"], "192.0.2.1"),
            Some(1)
        );
        assert_eq!(networks(&["10.0.0.0/33", "::1", ""]).bad(), [0, 2]);
    }

    #[test]
    fn the_ends_of_both_families_are_held() {
        let all = ["::/0", "0.0.0.0/0", "ff00::/8"];
        assert_eq!(find(&all, "0.0.0.0"), Some(1));
        assert_eq!(find(&all, "255.255.255.255"), Some(1));
        assert_eq!(find(&all, "::"), Some(0));
        assert_eq!(find(&all, "::1:0:0:0"), Some(0));
        assert_eq!(
            find(&all, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            Some(2)
        );
        assert_eq!(find(&[], "::"), None);
    }

    #[test]
    fn missing_addresses_match_nothing_and_bad_ones_are_named() {
        let all = networks(&["0.0.0.0/0"]);
        let column = |texts: Vec<Option<&str>>| Text::Utf8(StringArray::from(texts));
        let found = all
            .find_all(&column(vec![None, Some(""), Some("1.1.1.1")]))
            .unwrap();
        let rows = found.column(0).as_primitive::<UInt32Type>();
        assert_eq!((rows.null_count(), rows.value(2)), (2, 0));
        let error = all.find_all(&column(vec![Some("office")])).unwrap_err();
        assert!(error.to_string().contains("office"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn the_network_found_is_that_of_a_search_one_by_one(
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
    }
}
