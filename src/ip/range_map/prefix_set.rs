//! Sets of networks.

use crate::error::{Error, Result};
use crate::ip::Ip;
use crate::ip::prefix::{parse_network, without_v4};

/// A set of networks, merged into sorted ranges.
#[derive(Clone, Debug, Default)]
pub struct PrefixSet {
    ranges: Vec<(Ip, Ip)>,
}

impl PrefixSet {
    /// Builds the set from CIDR prefixes and single addresses.
    pub fn parse<S: AsRef<str>>(networks: &[S]) -> Result<Self> {
        let ranges = networks
            .iter()
            .map(|network| {
                let network = network.as_ref();
                parse_network(network).ok_or_else(|| {
                    Error::Argument(format!(
                        "{network:?} is not a network; write it like 10.0.0.0/8 or fd00::/8"
                    ))
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let mut ranges: Vec<_> = ranges.into_iter().flat_map(without_v4).collect();
        ranges.sort_unstable();
        let mut merged: Vec<(Ip, Ip)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(previous) if first.0 <= previous.1.0.saturating_add(1) => {
                    previous.1 = previous.1.max(last);
                }
                _ => merged.push((first, last)),
            }
        }
        Ok(Self { ranges: merged })
    }

    /// Whether the address lies in one of the networks.
    pub fn contains(&self, ip: Ip) -> bool {
        let after = self.ranges.partition_point(|(first, _)| *first <= ip);
        after > 0 && ip <= self.ranges[after - 1].1
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use ipnetwork::IpNetwork;

    use super::*;

    fn contains(networks: &[&str], ip: &str) -> bool {
        PrefixSet::parse(networks)
            .unwrap()
            .contains(Ip::parse(ip).unwrap())
    }

    #[test]
    fn host_bits_and_mapped_prefixes_are_understood() {
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
    fn overlapping_and_adjacent_networks_merge() {
        let set = PrefixSet::parse(&["10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16"]).unwrap();
        assert_eq!(set.ranges.len(), 1);
        assert!(set.contains(Ip::parse("10.200.0.1").unwrap()));
    }

    #[test]
    fn what_is_no_network_is_named() {
        let error = PrefixSet::parse(&["10.0.0.0/33"]).unwrap_err().to_string();
        assert!(error.contains("10.0.0.0/33"), "{error}");
        assert!(PrefixSet::parse(&["office"]).is_err());
        assert!(!PrefixSet::parse::<&str>(&[]).unwrap().contains(Ip(0)));
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
            let set = PrefixSet::parse(&texts).unwrap();
            proptest::prop_assert_eq!(set.contains(Ip::from_v4(probe)), expected);
        }
    }
}
