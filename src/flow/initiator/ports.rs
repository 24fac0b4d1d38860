//! The evidence of ports: a well-known port against an ephemeral one.

/// Source port of active FTP, whose server initiates the data connection.
const FTP_DATA: u16 = 20;

/// Whether the source initiated the flow: only the port of the other endpoint is well known.
pub fn initiated(src_port: Option<u16>, dst_port: Option<u16>) -> Option<bool> {
    let (source, dest) = (src_port?, dst_port?);
    match (serves(source, dest), serves(dest, source)) {
        (true, false) => Some(false),
        (false, true) => Some(true),
        _ => None,
    }
}

/// Whether a port is that of a service, seen from its peer's port. Privileged programs use ports
/// from 512 as clients (NFS, rsh), so these need a peer of the dynamic range.
fn serves(port: u16, peer: u16) -> bool {
    port != FTP_DATA
        && match port {
            1..=511 => peer >= 1024,
            512..=1023 => peer >= 32_768,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_well_known_port_is_that_of_the_responder() {
        for (source, dest, expected) in [
            (50_000, 443, Some(true)),
            (443, 50_000, Some(false)),
            (993, 50_000, Some(false)),
            (1_100, 80, Some(true)),
            (50_000, 8080, None),
            (53, 53, None),
            (0, 50_000, None),
            (20, 50_000, None),
            (800, 2049, None),
        ] {
            assert_eq!(
                initiated(Some(source), Some(dest)),
                expected,
                "{source} {dest}"
            );
        }
        assert_eq!(initiated(Some(443), None), None);
    }
}
