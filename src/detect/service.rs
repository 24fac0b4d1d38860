//! Layer-7 protocols as bits.

/// TLS.
pub const TLS: u16 = 1;
/// SSH.
pub const SSH: u16 = 2;
/// DNS.
pub const DNS: u16 = 4;
/// RDP.
pub const RDP: u16 = 8;
/// SMB.
pub const SMB: u16 = 16;
/// HTTP.
pub const HTTP: u16 = 32;
/// FTP.
pub const FTP: u16 = 64;
/// Mail: SMTP, IMAP, POP3.
pub const MAIL: u16 = 128;
/// Any other protocol.
pub const OTHER: u16 = 256;

/// Names of the bits in their order.
pub const NAMES: [&str; 9] = [
    "TLS", "SSH", "DNS", "RDP", "SMB", "HTTP", "FTP", "mail", "other",
];

/// The bits of a service name; Zeek joins several by commas.
pub fn bits(name: &str) -> u16 {
    name.split(',').map(bit).fold(0, |all, bit| all | bit)
}

fn bit(name: &str) -> u16 {
    let known: [(&[&str], u16); 8] = [
        (&["ssl", "tls"], TLS),
        (&["ssh"], SSH),
        (&["dns"], DNS),
        (&["rdp"], RDP),
        (&["smb", "smb2"], SMB),
        (&["http", "http2"], HTTP),
        (&["ftp"], FTP),
        (&["smtp", "imap", "pop3"], MAIL),
    ];
    let name = name.trim();
    let is_name = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    match known.iter().find(|(names, _)| is_name(names)) {
        Some((_, bit)) => *bit,
        None if name.is_empty() => 0,
        None => OTHER,
    }
}

/// The first name of a set of bits.
pub fn name(bits: u16) -> &'static str {
    NAMES[(bits.trailing_zeros() as usize).min(NAMES.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_bits() {
        for (text, expected) in [
            ("ssl", TLS),
            ("TLS", TLS),
            ("smtp,ssl", MAIL | TLS),
            ("gssapi,smb", OTHER | SMB),
            ("", 0),
            ("quic", OTHER),
        ] {
            assert_eq!(bits(text), expected, "{text}");
        }
        assert_eq!(name(SSH | OTHER), "SSH");
    }
}
