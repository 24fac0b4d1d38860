//! A map from ranges of addresses to values.

use std::collections::BTreeSet;
use std::iter;

use rayon::slice::ParallelSliceMut;

use crate::error::{Error, Result};
use crate::ip::address::Ip;
use crate::ip::prefix::parse_network;

/// Values of address ranges that may overlap; the narrowest range wins, of equals the first.
#[derive(Clone, Debug)]
pub struct RangeMap<V> {
    /// First and last address of disjoint segments in order, each with the value that wins there.
    segments: Vec<(Ip, Ip, V)>,
}

impl<V> Default for RangeMap<V> {
    fn default() -> Self {
        Self {
            segments: Vec::new(),
        }
    }
}

/// A boundary of a range: its address, whether the range starts there, the width, and the number
/// of the range.
type Boundary = (Ip, bool, u128, u32);

impl<V: Copy + PartialEq> RangeMap<V> {
    /// Build the map from ranges, given by first and last address.
    pub fn new(ranges: impl IntoIterator<Item = ((Ip, Ip), V)>) -> Self {
        let (mut boundaries, mut values) = (Vec::new(), Vec::new());
        for ((range, value), number) in ranges.into_iter().zip(0..) {
            values.push(value);
            for part in without_v4(range) {
                boundaries.extend(boundaries_of(part, number));
            }
        }
        boundaries.par_sort_unstable();
        let mut map = Self::default();
        let mut open: BTreeSet<(u128, u32)> = BTreeSet::new();
        let mut start = Ip(0);
        for (at, is_start, width, number) in boundaries {
            if at > start {
                let narrowest = open.first().map(|(_, number)| values[*number as usize]);
                map.push(start, Ip(at.0 - 1), narrowest);
                start = at;
            }
            if is_start {
                open.insert((width, number));
            } else {
                open.remove(&(width, number));
            }
        }
        let narrowest = open.first().map(|(_, number)| values[*number as usize]);
        map.push(start, Ip(u128::MAX), narrowest);
        map
    }

    /// Append a segment, or extend the last one.
    fn push(&mut self, first: Ip, last: Ip, value: Option<V>) {
        let Some(value) = value else { return };
        match self.segments.last_mut() {
            Some(before) if before.2 == value && before.1.0 + 1 == first.0 => before.1 = last,
            _ => self.segments.push((first, last, value)),
        }
    }

    /// The value of the narrowest range that contains the address.
    pub fn find(&self, ip: Ip) -> Option<V> {
        let after = self.segments.partition_point(|(first, ..)| *first <= ip);
        let (_, last, value) = self.segments[after.checked_sub(1)?];
        (ip <= last).then_some(value)
    }
}

impl RangeMap<()> {
    /// Build a set of addresses from CIDR prefixes and single addresses.
    pub fn from_prefixes<S: AsRef<str>>(prefixes: &[S]) -> Result<Self> {
        let ranges = prefixes.iter().map(|prefix| {
            let prefix = prefix.as_ref();
            let range = parse_network(prefix).ok_or_else(|| {
                Error::Argument(format!(
                    "invalid network {prefix:?}; give a CIDR prefix such as 10.0.0.0/8 or fd00::/8"
                ))
            })?;
            Ok((range, ()))
        });
        Ok(Self::new(ranges.collect::<Result<Vec<_>>>()?))
    }

    /// Whether a range contains the address.
    pub fn contains(&self, ip: Ip) -> bool {
        self.find(ip).is_some()
    }
}

/// The start of a range and the address after its end, if there is one.
fn boundaries_of((first, last): (Ip, Ip), number: u32) -> impl Iterator<Item = Boundary> {
    let width = last.0 - first.0;
    let after = last.0.checked_add(1);
    let end = after.map(|after| (Ip(after), false, width, number));
    iter::once((first, true, width, number)).chain(end)
}

/// Exclude the IPv4-mapped addresses from an IPv6 range around them, such as `::/0`.
fn without_v4((first, last): (Ip, Ip)) -> impl Iterator<Item = (Ip, Ip)> {
    const V4: (Ip, Ip) = (Ip::from_v4(0), Ip::from_v4(u32::MAX));
    let parts = if first < V4.0 && last > V4.1 {
        [Some((first, Ip(V4.0.0 - 1))), Some((Ip(V4.1.0 + 1), last))]
    } else {
        [Some((first, last)), None]
    };
    parts.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use ipnetwork::IpNetwork;

    use super::*;

    fn contains(networks: &[&str], ip: &str) -> bool {
        let set = RangeMap::from_prefixes(networks).unwrap();
        set.contains(Ip::parse(ip).unwrap())
    }

    #[test]
    fn host_bits_and_mapped_prefixes_are_accepted() {
        assert!(contains(&["10.1.2.3/8"], "10.255.0.1"));
        assert!(!contains(&["10.1.2.3/8"], "11.0.0.0"));
        assert!(contains(&["::ffff:10.0.0.0/104"], "10.9.9.9"));
        assert!(!contains(&["::ffff:10.0.0.0/104"], "11.9.9.9"));
        assert!(contains(&["192.0.2.7"], "::ffff:192.0.2.7"));
        assert!(contains(&["fc00::/7"], "fd12::1"));
        assert!(!contains(&["::/0"], "10.0.0.1"));
        assert!(contains(&["::/0"], "2001:db8::1"));
        assert!(contains(&["0.0.0.0/0"], "10.0.0.1"));
    }

    #[test]
    fn overlapping_and_adjacent_ranges_of_one_value_merge() {
        let networks = ["10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16"];
        let set = RangeMap::from_prefixes(&networks).unwrap();
        assert_eq!(set.segments.len(), 1);
        assert!(set.contains(Ip::parse("10.200.0.1").unwrap()));
    }

    #[test]
    fn an_invalid_network_is_named() {
        let error = RangeMap::from_prefixes(&["10.0.0.0/33"]).unwrap_err();
        assert!(error.to_string().contains("10.0.0.0/33"), "{error}");
        assert!(RangeMap::from_prefixes(&["office"]).is_err());
        assert!(!contains(&[], "::"));
    }

    proptest::proptest! {
        #[test]
        fn membership_agrees_with_ipnetwork(prefixes: Vec<(u32, u8)>, probe: u32) {
            let networks: Vec<IpNetwork> = prefixes
                .iter()
                .map(|(address, length)| IpNetwork::new(IpAddr::V4((*address).into()), length % 33).unwrap())
                .collect();
            let texts: Vec<String> = networks.iter().map(ToString::to_string).collect();
            let expected = networks.iter().any(|n| n.contains(IpAddr::V4(probe.into())));
            let set = RangeMap::from_prefixes(&texts).unwrap();
            proptest::prop_assert_eq!(set.contains(Ip::from_v4(probe)), expected);
        }

        #[test]
        fn the_narrowest_range_wins(all: Vec<(u8, u8)>, probe: u8) {
            let at = |octet: u8| Ip::from_v4(octet.into());
            let all: Vec<(u8, u8)> = all.iter().map(|&(a, b)| (a.min(b), a.max(b))).collect();
            let around = all.iter().zip(0_u32..).filter(|((a, b), _)| (*a..=*b).contains(&probe));
            let expected = around.min_by_key(|((a, b), row)| (b - a, *row)).map(|(_, row)| row);
            let map = RangeMap::new(all.iter().zip(0..).map(|((a, b), row)| ((at(*a), at(*b)), row)));
            proptest::prop_assert_eq!(map.find(at(probe)), expected);
        }
    }
}
