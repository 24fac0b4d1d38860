//! IP addresses as 128-bit integers, IPv4 mapped into IPv6.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use crate::prefixes::parse_network;

/// An IPv4 or IPv6 address, ordered numerically with IPv4 at `::ffff:0:0/96`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Ip(pub u128);

const V4_MAPPED: u128 = 0xffff_0000_0000;

impl Ip {
    /// Parses canonical and common non-canonical spellings: surrounding blanks,
    /// brackets around IPv6, IPv4 mapped into IPv6 in any form.
    /// An IPv6 scope (`fe80::1%eth0`) is local to a machine and is dropped.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(v4) = parse_v4(text.as_bytes()) {
            return Some(Self::from_v4(v4));
        }
        if let Some(v6) = parse_v6(text.as_bytes()) {
            return Some(Self(v6));
        }
        let text = text.trim();
        let text = text
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']'))
            .unwrap_or(text);
        let text = match text.split_once('%') {
            Some((address, scope)) if !scope.is_empty() && address.contains(':') => address,
            _ => text,
        };
        text.parse::<IpAddr>().ok().map(Self::from)
    }

    /// The IPv4 address with this value in host order.
    pub const fn from_v4(value: u32) -> Self {
        Self(V4_MAPPED | value as u128)
    }

    /// The IPv4 value in host order, if this is an IPv4 address.
    pub const fn v4(self) -> Option<u32> {
        if self.0 >> 32 == V4_MAPPED >> 32 {
            Some(self.0 as u32)
        } else {
            None
        }
    }

    /// The address as the standard library writes it.
    pub fn to_std(self) -> IpAddr {
        match self.v4() {
            Some(v4) => IpAddr::V4(Ipv4Addr::from(v4)),
            None => IpAddr::V6(Ipv6Addr::from(self.0)),
        }
    }

    /// Category of the address.
    pub fn kind(self) -> IpKind {
        IpKind::of(self)
    }
}

impl From<IpAddr> for Ip {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::from_v4(v4.into()),
            IpAddr::V6(v6) => Self(v6.into()),
        }
    }
}

impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_std().fmt(f)
    }
}

/// Parses the dotted form: two octets from the left and two from the right, a word for each pair,
/// without branches that depend on where the dots stand.
#[inline]
pub fn parse_v4(text: &[u8]) -> Option<u32> {
    let (left, right) = outer_bytes(text)?;
    let (a, d) = (Digits::before_dot(left), Digits::before_dot(right));
    let b = Digits::before_dot(left >> ((a.bits + 8) & 63));
    let c = Digits::before_dot(right >> ((d.bits + 8) & 63));
    let whole = a.bits + b.bits + c.bits + d.bits + 24 == 8 * text.len() as u32;
    let octets = [a.rightwards(), b.rightwards(), c.leftwards(), d.leftwards()];
    let [a, b, c, d] = octets;
    (whole && (a | b | c | d) <= 255).then_some(a << 24 | b << 16 | c << 8 | d)
}

/// The first eight bytes with the first one lowest, and the last eight with the last one lowest.
#[inline]
pub fn outer_bytes(text: &[u8]) -> Option<(u64, u64)> {
    match text.len() {
        8..=15 => Some((
            u64::from_le_bytes(*text.first_chunk()?),
            u64::from_be_bytes(*text.last_chunk()?),
        )),
        7 => {
            let first = u64::from(u32::from_le_bytes(*text.first_chunk()?));
            let last = u64::from(u32::from_le_bytes(*text.last_chunk()?));
            let word = first | last << 24;
            Some((word, word.swap_bytes() >> 8))
        }
        _ => None,
    }
}

/// Parses groups of hexadecimal digits; other forms are left to the standard library.
fn parse_v6(text: &[u8]) -> Option<u128> {
    // Groups before and after the double colon, and how many stand before it.
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

/// Values of hexadecimal digits, 255 for what is none.
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

/// What stands before a dot, a digit in each byte.
#[derive(Clone, Copy)]
struct Digits {
    bits: u32,
    digits: u64,
}

impl Digits {
    /// Reads from the lowest byte upwards.
    #[inline]
    fn before_dot(word: u64) -> Self {
        const EACH: u64 = 0x0101_0101_0101_0101;
        let unlike_dot = word ^ (EACH * u64::from(b'.'));
        let dots = unlike_dot.wrapping_sub(EACH) & !unlike_dot & (EACH << 7);
        let bits = dots.trailing_zeros() & 0x38;
        let digits = (word ^ (EACH * u64::from(b'0'))) & ((1 << bits) - 1);
        Self { bits, digits }
    }

    /// The octet whose first digit is lowest, or more than 255.
    #[inline]
    fn rightwards(self) -> u32 {
        let Self { bits, digits } = self;
        let leading_zero = bits > 8 && digits.trailing_zeros() >= 8;
        let digits_of_three = (digits << (24_u32.wrapping_sub(bits) & 31)) as u32;
        let [hundreds, tens, ones, _] = digits_of_three.to_le_bytes().map(u32::from);
        (hundreds * 100 + tens * 10 + ones) | self.bad() | u32::from(leading_zero) << 8
    }

    /// The octet whose last digit is lowest, or more than 255.
    #[inline]
    fn leftwards(self) -> u32 {
        let Self { bits, digits } = self;
        let leading_zero = bits > 8 && digits >> ((bits - 8) & 63) == 0;
        let [ones, tens, hundreds, _] = (digits as u32).to_le_bytes().map(u32::from);
        (hundreds * 100 + tens * 10 + ones) | self.bad() | u32::from(leading_zero) << 8
    }

    /// 256 where these are not one to three digits.
    #[inline]
    fn bad(self) -> u32 {
        let no_digit = ((self.digits + 0x0076_7676) | self.digits) & 0x0080_8080;
        u32::from(self.bits.wrapping_sub(8) > 16 || no_digit != 0) << 8
    }
}

/// What an address is for, after the IANA special-purpose address registries.
///
/// The names and their order of precedence are msticpy's; `Shared` is added for
/// carrier-grade NAT (RFC 6598), which is neither private nor public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IpKind {
    /// Globally reachable unicast.
    Public,
    /// Not globally reachable: private use, documentation, benchmarking, reserved IPv4.
    Private,
    /// Carrier-grade NAT, 100.64.0.0/10.
    Shared,
    /// The machine itself.
    Loopback,
    /// One link only.
    LinkLocal,
    /// A group of receivers.
    Multicast,
    /// No address yet.
    Unspecified,
    /// IPv6 that no registry has given out.
    Reserved,
}

/// First match wins, so narrower networks stand before wider ones.
const SPECIAL: &[(&str, IpKind)] = &[
    ("224.0.0.0/4", IpKind::Multicast),
    ("ff00::/8", IpKind::Multicast),
    ("127.0.0.0/8", IpKind::Loopback),
    ("::1/128", IpKind::Loopback),
    ("169.254.0.0/16", IpKind::LinkLocal),
    ("fe80::/10", IpKind::LinkLocal),
    ("0.0.0.0/32", IpKind::Unspecified),
    ("::/128", IpKind::Unspecified),
    ("100.64.0.0/10", IpKind::Shared),
    ("0.0.0.0/8", IpKind::Private),
    ("10.0.0.0/8", IpKind::Private),
    ("172.16.0.0/12", IpKind::Private),
    ("192.168.0.0/16", IpKind::Private),
    ("192.0.0.9/32", IpKind::Public),
    ("192.0.0.10/32", IpKind::Public),
    ("192.0.0.0/24", IpKind::Private),
    ("192.0.2.0/24", IpKind::Private),
    ("198.18.0.0/15", IpKind::Private),
    ("198.51.100.0/24", IpKind::Private),
    ("203.0.113.0/24", IpKind::Private),
    ("240.0.0.0/4", IpKind::Private),
    ("0.0.0.0/0", IpKind::Public),
    ("64:ff9b:1::/48", IpKind::Private),
    ("64:ff9b::/96", IpKind::Public),
    ("100::/64", IpKind::Private),
    ("fc00::/7", IpKind::Private),
    ("fec0::/10", IpKind::Private),
    ("2001:1::1/128", IpKind::Public),
    ("2001:1::2/128", IpKind::Public),
    ("2001:1::3/128", IpKind::Public),
    ("2001:3::/32", IpKind::Public),
    ("2001:4:112::/48", IpKind::Public),
    ("2001:20::/28", IpKind::Public),
    ("2001:30::/28", IpKind::Public),
    ("2001::/23", IpKind::Private),
    ("2001:db8::/32", IpKind::Private),
    ("2002::/16", IpKind::Private),
    ("3fff::/20", IpKind::Private),
    ("2000::/3", IpKind::Public),
];

impl IpKind {
    fn of(ip: Ip) -> Self {
        /// Where each stretch of addresses of one kind begins.
        static STRETCHES: LazyLock<Vec<(Ip, IpKind)>> = LazyLock::new(|| {
            let networks: Vec<(Ip, Ip, IpKind)> = SPECIAL
                .iter()
                .filter_map(|(network, kind)| {
                    parse_network(network).map(|(first, last)| (first, last, *kind))
                })
                .collect();
            let mut starts: Vec<Ip> = networks
                .iter()
                .flat_map(|(first, last, _)| [Some(*first), last.0.checked_add(1).map(Ip)])
                .flatten()
                .chain([Ip(0)])
                .collect();
            starts.sort_unstable();
            starts.dedup();
            let kind_of = |ip: Ip| {
                let known = networks
                    .iter()
                    .find(|(first, last, _)| (*first..=*last).contains(&ip));
                known.map_or(IpKind::Reserved, |(_, _, kind)| *kind)
            };
            starts.into_iter().map(|ip| (ip, kind_of(ip))).collect()
        });
        let after = STRETCHES.partition_point(|(first, _)| *first <= ip);
        STRETCHES[after - 1].1
    }

    /// Name of the category.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "Public",
            Self::Private => "Private",
            Self::Shared => "Shared",
            Self::Loopback => "Loopback",
            Self::LinkLocal => "Link Local",
            Self::Multicast => "Multicast",
            Self::Unspecified => "Unspecified",
            Self::Reserved => "Reserved",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_one_address() {
        let ten = Ip::parse("10.0.0.1").unwrap();
        for text in [
            "::ffff:10.0.0.1",
            "::FFFF:a00:1",
            " 10.0.0.1 ",
            "[::ffff:10.0.0.1]",
        ] {
            assert_eq!(Ip::parse(text), Some(ten), "{text}");
        }
        assert_eq!(ten.to_string(), "10.0.0.1");
        assert_eq!(
            Ip::parse("FE80:0:0::1%eth0").unwrap().to_string(),
            "fe80::1"
        );
    }

    #[test]
    fn text_that_is_no_address_is_refused() {
        for text in [
            "",
            "-",
            "10.0.0",
            "10.0.0.256",
            "10.0.0.01",
            "1.2.3.4.5",
            "10..0.1",
            "10.0.0.1/8",
            "::1%",
            "10.0.0.1%eth0",
            ":::",
            "[10.0.0.1",
            "a.b.c.d",
            "1234.1.1.1",
        ] {
            assert_eq!(Ip::parse(text), None, "{text}");
        }
    }

    #[test]
    fn categories_follow_the_registries() {
        for (text, name) in [
            ("8.8.8.8", "Public"),
            ("10.255.255.255", "Private"),
            ("100.64.0.1", "Shared"),
            ("100.128.0.1", "Public"),
            ("127.0.0.2", "Loopback"),
            ("169.254.1.1", "Link Local"),
            ("172.32.0.1", "Public"),
            ("192.0.0.8", "Private"),
            ("192.0.0.9", "Public"),
            ("224.0.0.251", "Multicast"),
            ("255.255.255.255", "Private"),
            ("0.0.0.0", "Unspecified"),
            ("::", "Unspecified"),
            ("::1", "Loopback"),
            ("::ffff:192.168.0.1", "Private"),
            ("2606:4700::1111", "Public"),
            ("2001:db8::1", "Private"),
            ("fd00::1", "Private"),
            ("fe80::1", "Link Local"),
            ("ff02::fb", "Multicast"),
            ("4000::1", "Reserved"),
        ] {
            assert_eq!(Ip::parse(text).unwrap().kind().name(), name, "{text}");
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

        #[test]
        fn every_ipv6_address_reads_back(value: u128, mask in 0_u8..=255) {
            // Groups of zeros in every place.
            let cleared = (0..8).filter(|group| mask >> group & 1 == 0);
            let value = cleared.fold(value, |value, group| value & !(0xffff << (16 * group)));
            let text = Ipv6Addr::from(value).to_string();
            proptest::prop_assert_eq!(Ip::parse(&text), Some(Ip(value)));
        }

        #[test]
        fn text_of_an_address_reads_back(value: u128, v4: u32) {
            for ip in [Ip(value), Ip::from_v4(v4)] {
                proptest::prop_assert_eq!(Ip::parse(&ip.to_string()), Some(ip));
            }
        }

        #[test]
        fn parsing_agrees_with_the_standard_library(
            text in "[0-9.:a-f]{0,20}|([0-9]{1,4}[.]){3}[0-9]{0,3}|([0-9./:]{1,3}[.]?){2,5}",
        ) {
            proptest::prop_assert_eq!(Ip::parse(&text), text.parse::<IpAddr>().ok().map(Ip::from));
        }

        #[test]
        fn a_damaged_address_is_parsed_as_the_standard_library_does(v4: u32, at: usize, byte: u8) {
            let mut text = std::net::Ipv4Addr::from(v4).to_string().into_bytes();
            let at = at % text.len();
            text[at] = byte;
            let expected = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
            proptest::prop_assert_eq!(parse_v4(&text), expected.map(std::net::Ipv4Addr::into));
        }
    }
}
