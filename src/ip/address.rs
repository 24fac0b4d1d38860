//! IP addresses as 128-bit integers, IPv4 mapped into IPv6.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::error::{Error, Result};
use crate::ip::{parse_mapped, parse_v4, parse_v6};

/// An IPv4 or IPv6 address, ordered numerically with IPv4 at `::ffff:0:0/96`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Ip(pub u128);

const V4_MAPPED: u128 = 0xffff_0000_0000;

/// Parse an address that is given as an argument.
pub fn parse_ip(text: &str) -> Result<Ip> {
    Ip::parse(text)
        .ok_or_else(|| Error::Argument(format!("invalid IP address {text:?}; give IPv4 or IPv6")))
}

impl Ip {
    /// Parse canonical and common non-canonical notations: surrounding spaces, brackets around
    /// IPv6, IPv4 mapped into IPv6 in any form. An IPv6 zone (`fe80::1%eth0`) is dropped.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(v4) = parse_v4(text.as_bytes()) {
            return Some(Self::from_v4(v4));
        }
        if let Some(v4) = parse_mapped(text.as_bytes()) {
            return Some(Self::from_v4(v4));
        }
        if let Some(v6) = parse_v6(text.as_bytes()) {
            return Some(Self(v6));
        }
        let text = text.trim();
        let text = text
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']'))
            .unwrap_or(text);
        let text = match text.split_once('%') {
            Some((address, zone)) if !zone.is_empty() && address.contains(':') => address,
            _ => text,
        };
        text.parse::<IpAddr>().ok().map(Self::from)
    }

    /// The IPv4 address with this value in host order.
    pub const fn from_v4(value: u32) -> Self {
        Self(V4_MAPPED | value as u128)
    }

    /// The IPv4 value in host order, if this is an IPv4 address.
    pub const fn v4(self) -> Option<u32> {
        if self.0 >> 32 == V4_MAPPED >> 32 {
            Some(self.0 as u32)
        } else {
            None
        }
    }

    /// The address as a type of the standard library.
    pub fn to_std(self) -> IpAddr {
        match self.v4() {
            Some(v4) => IpAddr::V4(Ipv4Addr::from(v4)),
            None => IpAddr::V6(Ipv6Addr::from(self.0)),
        }
    }
}

impl From<IpAddr> for Ip {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::from_v4(v4.into()),
            IpAddr::V6(v6) => Self(v6.into()),
        }
    }
}

impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_std().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations_of_one_address_are_equal() {
        let ten = Ip::parse("10.0.0.1").unwrap();
        for text in [
            "::ffff:10.0.0.1",
            "::FFFF:a00:1",
            " 10.0.0.1 ",
            "[::ffff:10.0.0.1]",
        ] {
            assert_eq!(Ip::parse(text), Some(ten), "{text}");
        }
        assert_eq!(ten.to_string(), "10.0.0.1");
        assert_eq!(
            Ip::parse("FE80:0:0::1%eth0").unwrap().to_string(),
            "fe80::1"
        );
    }

    #[test]
    fn invalid_addresses_are_rejected() {
        for text in [
            "",
            "-",
            "10.0.0",
            "10.0.0.256",
            "10.0.0.01",
            "1.2.3.4.5",
            "10..0.1",
            "10.0.0.1/8",
            "::1%",
            "10.0.0.1%eth0",
            ":::",
            "[10.0.0.1",
            "a.b.c.d",
            "1234.1.1.1",
        ] {
            assert_eq!(Ip::parse(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_ipv6_address_round_trips(value: u128, mask in 0_u8..=255) {
            // Groups of zeros at every position.
            let cleared = (0..8).filter(|group| mask >> group & 1 == 0);
            let value = cleared.fold(value, |value, group| value & !(0xffff << (16 * group)));
            let text = Ipv6Addr::from(value).to_string();
            proptest::prop_assert_eq!(Ip::parse(&text), Some(Ip(value)));
        }

        #[test]
        fn a_formatted_address_round_trips(value: u128, v4: u32) {
            for ip in [Ip(value), Ip::from_v4(v4)] {
                proptest::prop_assert_eq!(Ip::parse(&ip.to_string()), Some(ip));
            }
        }

        #[test]
        fn parsing_agrees_with_the_standard_library(
            text in "[0-9.:a-f]{0,20}|([0-9]{1,4}[.]){3}[0-9]{0,3}|([0-9./:]{1,3}[.]?){2,5}",
        ) {
            proptest::prop_assert_eq!(Ip::parse(&text), text.parse::<IpAddr>().ok().map(Ip::from));
        }
    }
}
