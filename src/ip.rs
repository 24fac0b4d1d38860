//! IP addresses as 128-bit integers, IPv4 mapped into IPv6.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::prefixes::parse_network;

/// An IPv4 or IPv6 address, ordered numerically with IPv4 at `::ffff:0:0/96`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Ip(pub u128);

const V4_MAPPED: u128 = 0xffff_0000_0000;

impl Ip {
    /// Parses canonical and common non-canonical spellings: surrounding blanks,
    /// brackets around IPv6, IPv4 mapped into IPv6 in any form.
    /// An IPv6 scope (`fe80::1%eth0`) is local to a machine and is dropped.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(v4) = parse_v4(text.as_bytes()) {
            return Some(Self::from_v4(v4));
        }
        let text = text.trim();
        let text = text
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']'))
            .unwrap_or(text);
        let text = match text.split_once('%') {
            Some((address, scope)) if !scope.is_empty() && address.contains(':') => address,
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

    /// The address as the standard library writes it.
    pub fn to_std(self) -> IpAddr {
        match self.v4() {
            Some(v4) => IpAddr::V4(Ipv4Addr::from(v4)),
            None => IpAddr::V6(Ipv6Addr::from(self.0)),
        }
    }

    /// Category of the address.
    pub fn kind(self) -> IpKind {
        IpKind::of(self)
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

fn parse_v4(text: &[u8]) -> Option<u32> {
    if text.len() > 15 {
        return None;
    }
    let (mut value, mut octet, mut digits, mut dots) = (0_u32, 0_u32, 0, 0);
    for &byte in text {
        match byte {
            b'0'..=b'9' => {
                if digits > 0 && octet == 0 {
                    return None;
                }
                octet = octet * 10 + u32::from(byte - b'0');
                digits += 1;
                if octet > 255 {
                    return None;
                }
            }
            b'.' if digits > 0 && dots < 3 => {
                value = value << 8 | octet;
                (octet, digits) = (0, 0);
                dots += 1;
            }
            _ => return None,
        }
    }
    (dots == 3 && digits > 0).then_some(value << 8 | octet)
}

/// What an address is for, after the IANA special-purpose address registries.
///
/// The names and their order of precedence are msticpy's; `Shared` is added for
/// carrier-grade NAT (RFC 6598), which is neither private nor public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IpKind {
    /// Globally reachable unicast.
    Public,
    /// Not globally reachable: private use, documentation, benchmarking, reserved IPv4.
    Private,
    /// Carrier-grade NAT, 100.64.0.0/10.
    Shared,
    /// The machine itself.
    Loopback,
    /// One link only.
    LinkLocal,
    /// A group of receivers.
    Multicast,
    /// No address yet.
    Unspecified,
    /// IPv6 that no registry has given out.
    Reserved,
}

/// First match wins, so narrower networks stand before wider ones.
const SPECIAL: &[(&str, IpKind)] = &[
    ("224.0.0.0/4", IpKind::Multicast),
    ("ff00::/8", IpKind::Multicast),
    ("127.0.0.0/8", IpKind::Loopback),
    ("::1/128", IpKind::Loopback),
    ("169.254.0.0/16", IpKind::LinkLocal),
    ("fe80::/10", IpKind::LinkLocal),
    ("0.0.0.0/32", IpKind::Unspecified),
    ("::/128", IpKind::Unspecified),
    ("100.64.0.0/10", IpKind::Shared),
    ("0.0.0.0/8", IpKind::Private),
    ("10.0.0.0/8", IpKind::Private),
    ("172.16.0.0/12", IpKind::Private),
    ("192.168.0.0/16", IpKind::Private),
    ("192.0.0.9/32", IpKind::Public),
    ("192.0.0.10/32", IpKind::Public),
    ("192.0.0.0/24", IpKind::Private),
    ("192.0.2.0/24", IpKind::Private),
    ("198.18.0.0/15", IpKind::Private),
    ("198.51.100.0/24", IpKind::Private),
    ("203.0.113.0/24", IpKind::Private),
    ("240.0.0.0/4", IpKind::Private),
    ("0.0.0.0/0", IpKind::Public),
    ("64:ff9b:1::/48", IpKind::Private),
    ("64:ff9b::/96", IpKind::Public),
    ("100::/64", IpKind::Private),
    ("fc00::/7", IpKind::Private),
    ("fec0::/10", IpKind::Private),
    ("2001:1::1/128", IpKind::Public),
    ("2001:1::2/128", IpKind::Public),
    ("2001:1::3/128", IpKind::Public),
    ("2001:3::/32", IpKind::Public),
    ("2001:4:112::/48", IpKind::Public),
    ("2001:20::/28", IpKind::Public),
    ("2001:30::/28", IpKind::Public),
    ("2001::/23", IpKind::Private),
    ("2001:db8::/32", IpKind::Private),
    ("2002::/16", IpKind::Private),
    ("3fff::/20", IpKind::Private),
    ("2000::/3", IpKind::Public),
];

impl IpKind {
    fn of(ip: Ip) -> Self {
        static TABLE: std::sync::LazyLock<Vec<(Ip, Ip, IpKind)>> = std::sync::LazyLock::new(|| {
            SPECIAL
                .iter()
                .filter_map(|(network, kind)| {
                    parse_network(network).map(|(first, last)| (first, last, *kind))
                })
                .collect()
        });
        TABLE
            .iter()
            .find(|(first, last, _)| (*first..=*last).contains(&ip))
            .map_or(Self::Reserved, |(_, _, kind)| *kind)
    }

    /// Name of the category.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "Public",
            Self::Private => "Private",
            Self::Shared => "Shared",
            Self::Loopback => "Loopback",
            Self::LinkLocal => "Link Local",
            Self::Multicast => "Multicast",
            Self::Unspecified => "Unspecified",
            Self::Reserved => "Reserved",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_one_address() {
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
    fn text_that_is_no_address_is_refused() {
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

    #[test]
    fn categories_follow_the_registries() {
        for (text, name) in [
            ("8.8.8.8", "Public"),
            ("10.255.255.255", "Private"),
            ("100.64.0.1", "Shared"),
            ("100.128.0.1", "Public"),
            ("127.0.0.2", "Loopback"),
            ("169.254.1.1", "Link Local"),
            ("172.32.0.1", "Public"),
            ("192.0.0.8", "Private"),
            ("192.0.0.9", "Public"),
            ("224.0.0.251", "Multicast"),
            ("255.255.255.255", "Private"),
            ("0.0.0.0", "Unspecified"),
            ("::", "Unspecified"),
            ("::1", "Loopback"),
            ("::ffff:192.168.0.1", "Private"),
            ("2606:4700::1111", "Public"),
            ("2001:db8::1", "Private"),
            ("fd00::1", "Private"),
            ("fe80::1", "Link Local"),
            ("ff02::fb", "Multicast"),
            ("4000::1", "Reserved"),
        ] {
            assert_eq!(Ip::parse(text).unwrap().kind().name(), name, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn text_of_an_address_reads_back(value: u128, v4: u32) {
            for ip in [Ip(value), Ip::from_v4(v4)] {
                proptest::prop_assert_eq!(Ip::parse(&ip.to_string()), Some(ip));
            }
        }

        #[test]
        fn parsing_agrees_with_the_standard_library(text in "[0-9.:a-f]{0,20}") {
            proptest::prop_assert_eq!(Ip::parse(&text), text.parse::<IpAddr>().ok().map(Ip::from));
        }
    }
}
