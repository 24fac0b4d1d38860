//! The evidence of ICMP and `ICMPv6` types: requests and their replies.

/// Reply and request of IPv4: echo, router discovery, timestamp, information, address mask,
/// extended echo.
const V4: [(u8, u8); 6] = [(0, 8), (9, 10), (14, 13), (16, 15), (18, 17), (43, 42)];

/// Reply and request of IPv6: echo, router discovery, neighbour discovery, node information, home
/// agent, mobile prefix, extended echo.
const V6: [(u8, u8); 7] = [
    (129, 128),
    (134, 133),
    (136, 135),
    (140, 139),
    (145, 144),
    (147, 146),
    (161, 160),
];

fn pairs(is_v4: bool) -> &'static [(u8, u8)] {
    if is_v4 { &V4 } else { &V6 }
}

/// Whether the sender of a message of this type initiated the exchange; `None` for messages that
/// are neither request nor reply, such as errors.
pub fn by_type(is_v4: bool, kind: u8) -> Option<bool> {
    let mut pairs = pairs(is_v4).iter();
    let (_, request) = pairs.find(|(reply, request)| kind == *reply || kind == *request)?;
    Some(kind == *request)
}

/// As [`by_type`], by the name of the type in the IANA registry, with or without spaces.
pub fn by_name(name: &str) -> Option<bool> {
    const EXCHANGES: [&str; 10] = [
        "echo",
        "extendedecho",
        "router",
        "neighbor",
        "timestamp",
        "information",
        "addressmask",
        "icmpnodeinformation",
        "homeagentaddressdiscovery",
        "mobileprefix",
    ];
    const REPLIES: [&str; 3] = ["reply", "response", "advertisement"];
    const REQUESTS: [&str; 4] = ["request", "query", "solicitation", "selection"];
    let letters = name.chars().filter(char::is_ascii_alphabetic);
    let name: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    let name = name.replace("neighbour", "neighbor");
    let name = name.strip_suffix("message").unwrap_or(&name);
    let exchange = |ends: &[&str]| {
        let exchange = ends.iter().find_map(|end| name.strip_suffix(end));
        exchange.is_some_and(|exchange| EXCHANGES.contains(&exchange))
    };
    if exchange(&REPLIES) {
        Some(false)
    } else {
        (exchange(&REQUESTS) || matches!(name, "echo" | "timestamp")).then_some(true)
    }
}

/// Whether the source initiated, given the types of both endpoints' messages, which Zeek logs as
/// ports.
#[inline]
pub fn by_types(is_v4: bool, [source, dest]: [u16; 2]) -> Option<bool> {
    const MAX: u16 = 161;
    if source > MAX || dest > MAX || source == dest {
        return None;
    }
    let types = (source as u8, dest as u8);
    let mut pairs = pairs(is_v4).iter();
    let (_, request) = pairs
        .find(|(reply, request)| types == (*reply, *request) || types == (*request, *reply))?;
    Some(types.0 == *request)
}

/// Whether a protocol is ICMP of either version.
pub fn is_icmp(protocol: &str) -> bool {
    matches!(protocol, "icmp" | "ipv6-icmp" | "icmp6" | "icmpv6")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_sent_by_the_responder() {
        assert_eq!(by_types(true, [0, 8]), Some(false));
        assert_eq!(by_types(true, [8, 0]), Some(true));
        assert_eq!(by_types(false, [129, 128]), Some(false));
        assert_eq!(by_types(true, [3, 1]), None);
        assert_eq!(by_types(false, [0, 8]), None);
        assert_eq!(by_types(true, [256, 8]), None);
        assert_eq!(by_type(true, 14), Some(false));
        assert_eq!(by_type(true, 3), None);
    }

    #[test]
    fn types_have_names() {
        for (name, expected) in [
            ("Echo Reply", Some(false)),
            ("echo-reply", Some(false)),
            ("EchoReply", Some(false)),
            ("Echo", Some(true)),
            ("Echo Request", Some(true)),
            ("Router Advertisement", Some(false)),
            ("Router Selection", Some(true)),
            ("Neighbour Solicitation", Some(true)),
            ("Timestamp", Some(true)),
            ("Home Agent Address Discovery Reply Message", Some(false)),
            ("ICMP Node Information Query", Some(true)),
            ("Destination Unreachable", None),
            ("Domain Name Reply", None),
            ("Multicast Listener Query", None),
            ("", None),
        ] {
            assert_eq!(by_name(name), expected, "{name}");
        }
    }
}
