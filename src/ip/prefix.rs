//! Networks in prefix notation, as their first and last address.

use std::net::IpAddr;

use ipnetwork::IpNetwork;

use crate::ip::Ip;

/// First and last address of a network or of a single address; host bits are ignored and
/// IPv4-mapped IPv6 networks are the IPv4 networks they contain.
pub fn parse_network(text: &str) -> Option<(Ip, Ip)> {
    let (address, length) = match text.trim().split_once('/') {
        Some((address, length)) => (Ip::parse(address)?, Some(length.parse::<u8>().ok()?)),
        None => (Ip::parse(text)?, None),
    };
    let written_as_v6 = text.contains(':');
    let length = match (length, address.v4(), written_as_v6) {
        (None, Some(_), _) => 32,
        (None, None, _) => 128,
        (Some(length), Some(_), true) if length >= 96 => length - 96,
        (Some(length), _, _) => length,
    };
    let address: IpAddr = match address.v4() {
        Some(_) if written_as_v6 && length > 32 => IpAddr::V6(address.0.into()),
        _ => address.to_std(),
    };
    let network = IpNetwork::new(address, length).ok()?;
    Some((network.network().into(), network.broadcast().into()))
}

const V4: (Ip, Ip) = (Ip::from_v4(0), Ip::from_v4(u32::MAX));

/// An IPv6 network as wide as `::/0` surrounds the mapped IPv4 range but does not mean it.
pub(crate) fn without_v4((first, last): (Ip, Ip)) -> impl Iterator<Item = (Ip, Ip)> {
    let parts = if first < V4.0 && last > V4.1 {
        [Some((first, Ip(V4.0.0 - 1))), Some((Ip(V4.1.0 + 1), last))]
    } else {
        [Some((first, last)), None]
    };
    parts.into_iter().flatten()
}
