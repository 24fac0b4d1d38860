//! Address kinds.

use std::sync::LazyLock;

use crate::ip::address::Ip;
use crate::ip::prefix::parse_network;
use crate::ip::range_map::RangeMap;

/// Kind of an address, after the IANA special-purpose address registries.
///
/// The names and their precedence are msticpy's; `Shared` is added for carrier-grade NAT
/// (RFC 6598), which is neither private nor public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IpKind {
    /// Globally reachable unicast.
    Public,
    /// Not globally reachable: private use, documentation, benchmarking, reserved IPv4.
    Private,
    /// Carrier-grade NAT, 100.64.0.0/10.
    Shared,
    /// The host itself.
    Loopback,
    /// Local to one link.
    LinkLocal,
    /// Multicast group.
    Multicast,
    /// Unspecified address.
    Unspecified,
    /// Unallocated IPv6.
    Reserved,
}

impl IpKind {
    /// All kinds, indexed by discriminant.
    pub const ALL: [Self; 8] = [
        Self::Public,
        Self::Private,
        Self::Shared,
        Self::Loopback,
        Self::LinkLocal,
        Self::Multicast,
        Self::Unspecified,
        Self::Reserved,
    ];

    /// Name of the kind.
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

/// Kinds of special-purpose prefixes; the longest prefix wins.
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

impl Ip {
    /// Kind of the address.
    pub fn kind(self) -> IpKind {
        static KINDS: LazyLock<RangeMap<IpKind>> = LazyLock::new(|| {
            let ranges = SPECIAL.iter();
            RangeMap::new(ranges.filter_map(|(prefix, kind)| Some((parse_network(prefix)?, *kind))))
        });
        KINDS.find(self).unwrap_or(IpKind::Reserved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_indexed_by_discriminant() {
        for (index, kind) in IpKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
    }

    #[test]
    fn kinds_follow_the_registries() {
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
}
