//! One flow in the compact form that detectors read.

use crate::group_by::address_codes::ADDRESS_BITS;

/// Start of a record without a start time.
pub const NO_START: i64 = i64::MIN;

const PORT_BITS: u32 = 17;

const PROTOCOL_BITS: u32 = 23;

const NO_PORT: u128 = 1 << 16;

const NO_PROTOCOL: u128 = (1 << PROTOCOL_BITS) - 1;

/// Initiator, responder, the responder's port and the protocol; ordered in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Key(u64, u64);

impl Key {
    /// Build a key from address codes or ranks, and the id of the protocol.
    #[inline]
    pub fn new(source: u64, dest: u64, port: Option<u16>, protocol: Option<u32>) -> Self {
        let port = port.map_or(NO_PORT, u128::from);
        let protocol = protocol.map_or(NO_PROTOCOL, u128::from).min(NO_PROTOCOL);
        let ends = u128::from(source) << ADDRESS_BITS | u128::from(dest);
        let all = (ends << PORT_BITS | port) << PROTOCOL_BITS | protocol;
        Self((all >> 64) as u64, all as u64)
    }

    #[inline]
    fn bits(self, from: u32, count: u32) -> u64 {
        let all = u128::from(self.0) << 64 | u128::from(self.1);
        (all >> from) as u64 & ((1 << count) - 1)
    }

    /// The initiator.
    #[inline]
    pub fn source(self) -> u64 {
        self.bits(ADDRESS_BITS + PORT_BITS + PROTOCOL_BITS, ADDRESS_BITS)
    }

    /// The responder.
    #[inline]
    pub fn dest(self) -> u64 {
        self.bits(PORT_BITS + PROTOCOL_BITS, ADDRESS_BITS)
    }

    /// The responder's port.
    #[inline]
    pub fn port(self) -> Option<u16> {
        u16::try_from(self.bits(PROTOCOL_BITS, PORT_BITS)).ok()
    }

    /// The protocol.
    #[inline]
    pub fn protocol(self) -> Option<u32> {
        let id = self.bits(0, PROTOCOL_BITS);
        (u128::from(id) != NO_PROTOCOL).then_some(id as u32)
    }
}

/// Whether the responder accepted a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Outcome {
    /// The log does not say.
    #[default]
    Unknown,
    /// The responder sent something other than a refusal.
    Answered,
    /// Nothing came back, or a refusal, or the flow was denied.
    Failed,
}

/// One record of a log. Order and equality are total, so that sorted records do not depend on the
/// order in which they were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Record {
    /// Endpoints, port and protocol.
    pub key: Key,
    /// Start in microseconds since 1970 UTC, or [`NO_START`].
    pub start: i64,
    /// Bytes that the initiator sent.
    pub sent: u64,
    /// Bytes that the responder sent.
    pub received: u64,
    /// Duration in milliseconds.
    pub millis: u32,
    /// Allowed and denied flows.
    pub flows: u32,
    /// The initiator's port; 0 if unknown.
    pub src_port: u16,
    /// Layer-7 protocols, as bits of [`crate::detect::service`].
    pub services: u16,
    /// Whether the responder accepted.
    pub outcome: Outcome,
    /// Bits of [`RESPONSE`] and its like.
    pub flags: u8,
    /// Logged direction; [`crate::direction::rules::Direction`] as a number, or 5.
    pub direction: u8,
}

/// A unidirectional record of the responder, whose endpoints are exchanged.
pub const RESPONSE: u8 = 1;

/// The bytes of both endpoints are known.
pub const HAS_BYTES: u8 = 2;

/// The end is known.
pub const HAS_END: u8 = 4;

/// The endpoints are exchanged, because the log's source only receives.
pub const EXCHANGED: u8 = 8;

/// A unidirectional record.
pub const ONE_WAY: u8 = 16;

impl Record {
    /// Whether a flag is set.
    #[inline]
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// End in microseconds.
    #[inline]
    pub fn end(&self) -> i64 {
        self.start.saturating_add(i64::from(self.millis) * 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_its_parts() {
        let address = (1 << ADDRESS_BITS) - 1;
        for (port, protocol) in [(Some(0), Some(0)), (None, None), (Some(u16::MAX), Some(7))] {
            let key = Key::new(address, 5, port, protocol);
            assert_eq!((key.source(), key.dest()), (address, 5));
            assert_eq!((key.port(), key.protocol()), (port, protocol));
        }
        assert!(Key::new(1, 2, None, None) < Key::new(2, 0, Some(0), Some(0)));
        assert_eq!(size_of::<Record>(), 56);
    }
}
