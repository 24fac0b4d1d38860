//! CIDR prefixes as first and last addresses.

use std::net::IpAddr;

use ipnetwork::IpNetwork;

use crate::ip::address::Ip;

/// Parse a CIDR prefix or a single address into its first and last address.
///
/// Host bits are ignored. An IPv4-mapped IPv6 prefix is the IPv4 prefix inside it.
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
