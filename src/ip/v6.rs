//! IPv6 parser.

use crate::ip::parse_v4;

/// Parse an IPv4 address mapped into IPv6 in its usual notation: `::ffff:192.0.2.1`.
#[inline]
pub fn parse_mapped(text: &[u8]) -> Option<u32> {
    const PREFIX: &[u8] = b"::ffff:";
    let (prefix, v4) = text.split_at_checked(PREFIX.len())?;
    prefix
        .eq_ignore_ascii_case(PREFIX)
        .then(|| parse_v4(v4))
        .flatten()
}

/// Parse groups of hexadecimal digits; other notations are left to the standard library.
pub fn parse_v6(text: &[u8]) -> Option<u128> {
    // Value and number of groups; how many of them precede the double colon.
    let (mut value, mut groups, mut before) = (0_u128, 0, None);
    let (mut group, mut digits) = (0_u16, 0);
    let mut rest = text.iter().copied().peekable();
    if text.starts_with(b"::") {
        before = Some(0);
        rest.nth(1);
    }
    let mut open = before.is_none();
    while let Some(byte) = rest.next() {
        if byte != b':' {
            let digit = HEX[usize::from(byte)];
            digits += 1;
            if digit > 15 || digits > 4 {
                return None;
            }
            group = group << 4 | u16::from(digit);
            open = true;
            continue;
        }
        if digits == 0 {
            return None;
        }
        (value, groups) = (value << 16 | u128::from(group), groups + 1);
        (group, digits) = (0, 0);
        if rest.next_if_eq(&b':').is_some() {
            if before.replace(groups).is_some() {
                return None;
            }
            open = false;
        }
    }
    if digits > 0 {
        (value, groups) = (value << 16 | u128::from(group), groups + 1);
    } else if open {
        return None;
    }
    match before {
        None => (groups == 8).then_some(value),
        Some(before) if groups < 8 => {
            let after = 16 * (groups - before);
            let tail = value & ((1 << after) - 1);
            let head = (value ^ tail).checked_shl(16 * (8 - groups)).unwrap_or(0);
            Some(head | tail)
        }
        Some(_) => None,
    }
}

/// Values of hexadecimal digits; 255 for other bytes.
static HEX: [u8; 256] = {
    let mut digits = [u8::MAX; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digits[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits
};

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    #[test]
    fn mapped_addresses_are_those_of_the_standard_library() {
        for text in [
            "::ffff:192.0.2.1",
            "::FFFF:255.255.255.255",
            "::ffff:192.0.2",
            "::ffff:192.0.2.1 ",
            "::ffff:c000:201",
            "::fffe:192.0.2.1",
            "::ffff:",
        ] {
            let expected = text.contains('.').then(|| text.parse::<Ipv6Addr>().ok());
            let expected = expected.flatten().and_then(|ip| ip.to_ipv4_mapped());
            assert_eq!(
                parse_mapped(text.as_bytes()),
                expected.map(u32::from),
                "{text}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn groups_of_digits_are_parsed_as_the_standard_library_does(
            text in "([0-9a-fA-F]{0,5}:{1,2}){0,9}[0-9a-f]{0,4}|[0-9a-f:]{0,12}",
        ) {
            let expected = text.parse::<Ipv6Addr>().ok().map(u128::from);
            proptest::prop_assert_eq!(parse_v6(text.as_bytes()), expected);
        }
    }
}
