//! The evidence of addresses: those that only receive (RFC 1122 3.2.1.3, RFC 4291 2.7) and those
//! that only send.

use crate::ip::Ip;
use crate::ip::prefix::parse_network;

/// Broadcast addresses of known IPv4 networks.
#[derive(Clone, Debug, Default)]
pub struct Broadcasts(Vec<u32>);

impl Broadcasts {
    /// The broadcast addresses of prefixes; those of one or two addresses have none.
    pub fn of<S: AsRef<str>>(prefixes: &[S]) -> Self {
        let last = |prefix: &S| {
            let (first, last) = parse_network(prefix.as_ref())?;
            let (first, last) = (first.v4()?, last.v4()?);
            (last - first > 1).then_some(last)
        };
        let mut broadcasts: Vec<u32> = prefixes.iter().filter_map(last).collect();
        broadcasts.sort_unstable();
        Self(broadcasts)
    }

    /// Whether an address only receives: limited broadcast, broadcast of a known network, or
    /// multicast.
    #[inline]
    pub fn receives_only(&self, ip: Ip) -> bool {
        match ip.v4() {
            Some(v4) => {
                v4 >> 28 == 0xe
                    || v4 == u32::MAX
                    || (v4 & 3 == 3 && self.0.binary_search(&v4).is_ok())
            }
            None => ip.0 >> 120 == 0xff,
        }
    }

    /// Whether the source initiated the flow: of the two addresses, one only receives.
    #[inline]
    pub fn initiated(&self, source: Ip, dest: Ip) -> Option<bool> {
        match (self.receives_only(source), self.receives_only(dest)) {
            (true, false) => Some(false),
            (false, true) => Some(true),
            _ => None,
        }
    }
}

/// Whether an address is the unspecified one, which only sends.
#[inline]
pub fn is_unspecified(ip: Ip) -> bool {
    ip.0 == 0 || ip.v4() == Some(0)
}

/// Whether an address would be the broadcast address of a network of at least 256 addresses in
/// which its peer is a host. It may also be a host of a larger network.
#[inline]
pub fn may_be_broadcast(ip: Ip, peer: Ip) -> bool {
    let (Some(ip), Some(peer)) = (ip.v4(), peer.v4()) else {
        return false;
    };
    let host_bits = ip.trailing_ones();
    (8..32).contains(&host_bits) && (ip ^ peer) >> host_bits == 0 && ip != peer
}

/// Whether the addresses of a flow may tell that the destination initiated it: one of them may be
/// a multicast or broadcast address, which have the highest host bits, or it is unspecified.
#[inline]
pub fn may_tell(source: Ip, dest: Ip) -> bool {
    let may_receive = |ip: Ip| match ip.v4() {
        Some(v4) => v4 & 3 == 3 || v4 >> 28 == 0xe,
        None => ip.0 >> 120 == 0xff,
    };
    may_receive(source) || may_receive(dest) || is_unspecified(dest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Ip {
        Ip::parse(text).unwrap()
    }

    #[test]
    fn broadcast_and_multicast_only_receive() {
        let known = Broadcasts::of(&["192.168.7.64/26", "192.0.2.2/31", "2001:db8::/64", "x"]);
        for (text, expected) in [
            ("255.255.255.255", true),
            ("224.0.0.1", true),
            ("239.255.255.250", true),
            ("240.0.0.1", false),
            ("192.168.7.127", true),
            ("192.168.7.255", false),
            ("192.0.2.3", false),
            ("ff02::1", true),
            ("fe80::1", false),
            ("0.0.0.0", false),
        ] {
            assert_eq!(known.receives_only(ip(text)), expected, "{text}");
        }
        assert_eq!(known.initiated(ip("ff02::1"), ip("fe80::1")), Some(false));
        assert_eq!(known.initiated(ip("10.0.0.1"), ip("224.0.0.1")), Some(true));
        assert_eq!(known.initiated(ip("224.0.0.1"), ip("ff02::1")), None);
    }

    #[test]
    fn a_broadcast_address_has_its_hosts_in_its_network() {
        for (address, peer, expected) in [
            ("192.168.7.255", "192.168.7.20", true),
            ("192.168.7.255", "192.168.0.1", true),
            ("192.168.7.255", "192.168.8.1", false),
            ("10.255.255.255", "10.1.2.3", true),
            ("192.168.7.127", "192.168.7.20", false),
            ("192.168.7.255", "192.168.7.255", false),
            ("ff02::ff", "ff02::1", false),
        ] {
            assert_eq!(
                may_be_broadcast(ip(address), ip(peer)),
                expected,
                "{address} {peer}"
            );
        }
    }
}
