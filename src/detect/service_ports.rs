//! Ports of layer-7 protocols, and records whose protocol is away from its own.

use crate::detect::record::Record;
use crate::detect::service::{DNS, FTP, HTTP, MAIL, RDP, SMB, SSH, TLS};

/// Protocols that keep to their ports, with these.
const OWN_PORTS: &[(u16, &[u16])] = &[
    (SSH, &[22, 830, 2022, 2222, 22_222]),
    (DNS, &[53, 137, 853, 5353, 5355]),
    (RDP, &[3389]),
    (SMB, &[139, 445]),
    (FTP, &[21, 990, 2121]),
    (MAIL, &[25, 110, 143, 465, 587, 993, 995, 2525]),
];

/// Ports that belong to protocols, with all that may be spoken there.
const OWNED: &[(u16, u16)] = &[
    (21, FTP | TLS),
    (22, SSH),
    (23, 0),
    (25, MAIL | TLS),
    (53, DNS),
    (80, HTTP),
    (110, MAIL | TLS),
    (123, 0),
    (139, SMB),
    (143, MAIL | TLS),
    (443, TLS | HTTP),
    (445, SMB),
    (587, MAIL | TLS),
    (3389, RDP | TLS),
];

/// Protocols whose name is known for certain.
const KNOWN: u16 = TLS | SSH | DNS | RDP | SMB | HTTP | FTP | MAIL;

/// Whether a port belongs to protocols.
pub fn is_owned(port: u16) -> bool {
    OWNED.iter().any(|(owned, _)| *owned == port)
}

/// The protocols of a port that do not belong there, as bits.
pub fn misplaced(port: u16, services: u16) -> u16 {
    let own = OWN_PORTS
        .iter()
        .filter(|(service, ports)| services & service != 0 && !ports.contains(&port));
    let away = own.fold(0, |bits, (service, _)| bits | service);
    let owner = OWNED.iter().find(|(owned, _)| *owned == port);
    let foreign = owner.map_or(0, |(_, allowed)| services & KNOWN & !allowed);
    away | foreign
}

/// The number of the owned port on which a record has a protocol of another one, as a bit.
pub fn mismatch(record: &Record) -> u32 {
    let port = record
        .key
        .port()
        .filter(|port| misplaced(*port, record.services) != 0);
    let index = port.and_then(|port| OWNED.iter().position(|(owned, _)| *owned == port));
    index.map_or(0, |index| 1 << index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::service::OTHER;

    #[test]
    fn protocols_belong_to_ports() {
        for (port, services, expected) in [
            (443, TLS, 0),
            (8443, TLS, 0),
            (80, TLS, TLS),
            (53, HTTP, HTTP),
            (443, SSH, SSH),
            (2222, SSH, 0),
            (5000, DNS, DNS),
            (3389, RDP | TLS, 0),
            (25, MAIL | TLS, 0),
            (80, OTHER, 0),
            (53, OTHER, 0),
        ] {
            assert_eq!(misplaced(port, services), expected, "{port} {services}");
        }
    }
}
