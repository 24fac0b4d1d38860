//! Which endpoint of a unidirectional record initiated the flow, by ports and TCP flags.

use crate::flow::tcp_flags::{ACK, SYN};

/// Ports of services.
const WELL_KNOWN: std::ops::Range<u16> = 0..1024;

/// Ports and TCP flags of a unidirectional record.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence {
    /// Source port.
    pub src_port: Option<u16>,
    /// Destination port.
    pub dst_port: Option<u16>,
    /// TCP flags of all packets, combined.
    pub flags: Option<u8>,
}

/// Whether the sender of a record initiated the flow: it sent SYN without ACK, or only the port of
/// its peer is well known.
pub fn initiated(record: Evidence) -> Option<bool> {
    by_flags(record.flags).or_else(|| by_ports(record))
}

/// Whether the sender of the first of two opposite records initiated the flow.
pub fn first_initiated(first: Evidence, second: Evidence) -> Option<bool> {
    by_flags(first.flags)
        .or_else(|| by_flags(second.flags).map(|initiated| !initiated))
        .or_else(|| by_ports(first))
}

fn by_flags(flags: Option<u8>) -> Option<bool> {
    let flags = flags?;
    (flags & (SYN | ACK) == SYN).then_some(true)
}

fn by_ports(record: Evidence) -> Option<bool> {
    let known = |port: Option<u16>| port.map(|port| WELL_KNOWN.contains(&port));
    match (known(record.src_port)?, known(record.dst_port)?) {
        (true, false) => Some(false),
        (false, true) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(src_port: u16, dst_port: u16, flags: u8) -> Evidence {
        Evidence {
            src_port: Some(src_port),
            dst_port: Some(dst_port),
            flags: Some(flags),
        }
    }

    #[test]
    fn a_well_known_port_is_the_responder() {
        assert_eq!(initiated(record(50_000, 443, 0)), Some(true));
        assert_eq!(initiated(record(443, 50_000, 0)), Some(false));
        assert_eq!(initiated(record(50_000, 8080, 0)), None);
        assert_eq!(initiated(record(53, 53, 0)), None);
        assert_eq!(initiated(Evidence::default()), None);
    }

    #[test]
    fn syn_without_ack_initiates_for_any_ports() {
        assert_eq!(initiated(record(20, 50_000, SYN)), Some(true));
        assert_eq!(initiated(record(20, 50_000, SYN | ACK)), Some(false));
        let (request, response) = (record(9_000, 9_001, SYN), record(9_001, 9_000, SYN | ACK));
        assert_eq!(first_initiated(request, response), Some(true));
        assert_eq!(first_initiated(response, request), Some(false));
    }
}
