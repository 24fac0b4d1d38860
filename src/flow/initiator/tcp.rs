//! The evidence of TCP flags, and of Zeek's history of a connection.

use crate::flow::tcp_flags::{ACK, SYN};

/// What a log shows of the start of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// The first endpoint opened it.
    BySource,
    /// The second endpoint opened it.
    ByDest,
    /// The sensor did not see the start, or not enough of it, and assigned the endpoints itself.
    Assigned,
    /// The sensor did not see the start.
    Unseen,
}

/// The opening by Zeek's history; letters of the responder are in lower case.
///
/// `S` is SYN, `H` SYN with ACK; `^` states that Zeek exchanged the endpoints.
pub fn by_history(history: &str) -> Opening {
    let has = |letters: &[u8]| history.bytes().any(|letter| letters.contains(&letter));
    if has(b"Sh") {
        Opening::BySource
    } else if has(b"sH") {
        Opening::ByDest
    } else if has(b"^") {
        Opening::Assigned
    } else {
        Opening::Unseen
    }
}

/// The opening by the flags that each endpoint sent; those of one packet of the source are not
/// combined from several.
pub fn by_flags(source: u8, dest: u8, is_one_packet: bool) -> Opening {
    let opens = |flags: u8| flags & (SYN | ACK) == SYN;
    let answers = is_one_packet && source & (SYN | ACK) == SYN | ACK && dest & SYN == 0;
    if opens(source) {
        Opening::BySource
    } else if opens(dest) || answers {
        Opening::ByDest
    } else if (source | dest) & SYN != 0 {
        Opening::Assigned
    } else {
        Opening::Unseen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_in_the_history_decides() {
        for (history, expected) in [
            ("ShADadFf", Opening::BySource),
            ("^hadf", Opening::BySource),
            ("Hs", Opening::ByDest),
            ("HR", Opening::ByDest),
            ("C^had", Opening::BySource),
            ("^dDaA", Opening::Assigned),
            ("DdA", Opening::Unseen),
            ("", Opening::Unseen),
        ] {
            assert_eq!(by_history(history), expected, "{history}");
        }
    }

    #[test]
    fn the_sender_of_syn_without_ack_opened_the_connection() {
        const PSH: u8 = 8;
        for (source, dest, expected) in [
            (SYN, 0, Opening::BySource),
            (SYN | ACK, SYN | ACK, Opening::Assigned),
            (SYN | ACK, SYN, Opening::ByDest),
            (ACK, SYN, Opening::ByDest),
            (ACK | PSH, ACK, Opening::Unseen),
        ] {
            assert_eq!(by_flags(source, dest, false), expected, "{source} {dest}");
        }
    }

    #[test]
    fn one_packet_with_syn_and_ack_answers() {
        const RST: u8 = 4;
        assert_eq!(by_flags(SYN | ACK, 0, true), Opening::ByDest);
        assert_eq!(by_flags(SYN | ACK, RST, true), Opening::ByDest);
        assert_eq!(by_flags(SYN | ACK, 0, false), Opening::Assigned);
        assert_eq!(by_flags(SYN | ACK, SYN | ACK, true), Opening::Assigned);
    }
}
