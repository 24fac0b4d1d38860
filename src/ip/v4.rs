//! IPv4 parser for any processor.

/// Parse dotted notation: two octets from the left and two from the right, one word per pair,
/// without branches on the positions of the dots.
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
fn outer_bytes(text: &[u8]) -> Option<(u64, u64)> {
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

/// The digits before a dot, one in each byte.
#[derive(Clone, Copy)]
struct Digits {
    bits: u32,
    digits: u64,
}

impl Digits {
    /// Read from the lowest byte upwards.
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

    /// 256 unless these are one to three digits.
    #[inline]
    fn bad(self) -> u32 {
        let no_digit = ((self.digits + 0x0076_7676) | self.digits) & 0x0080_8080;
        u32::from(self.bits.wrapping_sub(8) > 16 || no_digit != 0) << 8
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::ip;

    fn expected(text: &[u8]) -> Option<u32> {
        let text = std::str::from_utf8(text).ok()?;
        text.parse().ok().map(Ipv4Addr::into)
    }

    proptest::proptest! {
        #[test]
        fn addresses_are_parsed_as_the_standard_library_does(
            text in "[0-9.]{0,17}|([0-9]{1,4}[.]){3}[0-9]{0,3}|([0-9./:]{1,3}[.]?){2,5}",
        ) {
            let text = text.as_bytes();
            proptest::prop_assert_eq!(parse_v4(text), expected(text));
            proptest::prop_assert_eq!(ip::parse_v4(text), expected(text));
        }

        #[test]
        fn a_damaged_address_is_parsed_as_the_standard_library_does(v4: u32, at: usize, byte: u8) {
            let mut text = Ipv4Addr::from(v4).to_string().into_bytes();
            let at = at % text.len();
            text[at] = byte;
            proptest::prop_assert_eq!(parse_v4(&text), expected(&text));
            proptest::prop_assert_eq!(ip::parse_v4(&text), expected(&text));
        }
    }
}
