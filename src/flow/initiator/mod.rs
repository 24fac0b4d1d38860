//! Which endpoint initiated a flow, from evidence; without evidence it stays undecided.
//!
//! The evidence is, in order of precedence: addresses that only receive, the log's own statement,
//! the side of the exporter, ICMP types, TCP flags, and, if the start of the flow was not seen,
//! ports.

pub mod addresses;
pub mod icmp;
pub mod ports;
pub mod tcp;

use crate::flow::tcp_flags::{ACK, SYN};

/// Why the endpoints of a record are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExchangeReason {
    /// The source is a broadcast or multicast address, or the destination the unspecified one.
    Address,
    /// The log marks the second endpoint as the initiator.
    Logged,
    /// The exporter is the other endpoint than its logged direction implies.
    Exporter,
    /// The source sent an ICMP reply.
    IcmpType,
    /// The source sent SYN with ACK, or the destination sent SYN without ACK.
    TcpFlags,
    /// The start was not seen, and only the source has a well-known port.
    Ports,
}

impl ExchangeReason {
    /// Name of the reason.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "destination-only address",
            Self::Logged => "logged initiator",
            Self::Exporter => "exporter's side",
            Self::IcmpType => "ICMP type",
            Self::TcpFlags => "TCP flags",
            Self::Ports => "ports",
        }
    }
}

/// Ports and TCP flags of a unidirectional record.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence {
    /// Source port.
    pub src_port: Option<u16>,
    /// Destination port.
    pub dst_port: Option<u16>,
    /// TCP flags of all packets, combined.
    pub flags: Option<u8>,
    /// Whether the record may have more than one packet, so that its flags may be of several.
    pub several_packets: bool,
}

/// Whether the sender of a record initiated the flow: by its flags, or else by the ports.
pub fn initiated(record: Evidence) -> Option<bool> {
    by_flags(record).or_else(|| by_ports(record))
}

/// Whether the sender of the first of two opposite records initiated the flow.
pub fn first_initiated(first: Evidence, second: Evidence) -> Option<bool> {
    by_flags(first)
        .or_else(|| by_flags(second).map(|initiated| !initiated))
        .or_else(|| by_ports(first))
}

/// SYN without ACK is sent by the initiator, a packet with both by the responder. Over several
/// packets, the initiator's flags contain both as well.
fn by_flags(record: Evidence) -> Option<bool> {
    match record.flags? & (SYN | ACK) {
        SYN => Some(true),
        both if both == SYN | ACK && !record.several_packets => Some(false),
        _ => None,
    }
}

fn by_ports(record: Evidence) -> Option<bool> {
    ports::initiated(record.src_port, record.dst_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(src_port: u16, dst_port: u16, flags: u8) -> Evidence {
        Evidence {
            src_port: Some(src_port),
            dst_port: Some(dst_port),
            flags: Some(flags),
            several_packets: false,
        }
    }

    #[test]
    fn ports_decide_without_flags() {
        assert_eq!(initiated(record(50_000, 443, 0)), Some(true));
        assert_eq!(initiated(record(443, 50_000, 0)), Some(false));
        assert_eq!(initiated(record(50_000, 8080, 0)), None);
        assert_eq!(initiated(Evidence::default()), None);
    }

    #[test]
    fn syn_without_ack_initiates_for_any_ports() {
        assert_eq!(initiated(record(443, 50_000, SYN)), Some(true));
        let (request, response) = (record(9_000, 9_001, SYN), record(9_001, 9_000, SYN | ACK));
        assert_eq!(first_initiated(request, response), Some(true));
        assert_eq!(first_initiated(response, request), Some(false));
    }

    #[test]
    fn one_packet_with_syn_and_ack_is_a_response_and_several_may_be_either() {
        let one = record(9_001, 9_000, SYN | ACK);
        let several = Evidence {
            several_packets: true,
            ..one
        };
        assert_eq!(initiated(one), Some(false));
        assert_eq!(initiated(several), None);
        assert_eq!(first_initiated(several, one), Some(true));
    }
}
