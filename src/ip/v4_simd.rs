//! IPv4 parser with SSE 4.1: one pass over a whole address.
//!
//! The positions of the dots select a shuffle that moves the hundreds, tens and ones of each octet
//! into bytes of their own.

use std::arch::x86_64::{
    __m128i, _mm_cmpeq_epi8, _mm_cmpgt_epi32, _mm_cvtsi128_si32, _mm_madd_epi16, _mm_maddubs_epi16,
    _mm_movemask_epi8, _mm_or_si128, _mm_packus_epi16, _mm_packus_epi32, _mm_set_epi32,
    _mm_set_epi64x, _mm_set1_epi8, _mm_set1_epi16, _mm_set1_epi32, _mm_shuffle_epi8, _mm_sub_epi8,
    _mm_subs_epu8, _mm_test_all_zeros,
};

/// Shuffle and limits for one combination of octet lengths.
#[derive(Clone, Copy)]
struct Pattern {
    /// Source index of each byte; the highest bit makes it zero.
    shuffle: [u64; 2],
    /// Minimum of each octet, which rejects leading zeros.
    min: [i32; 4],
}

/// Marks invalid positions of dots.
const NONE: u8 = u8::MAX;

/// Patterns by octet lengths, each minus one, as digits of base three; the last octet is lowest.
static PATTERNS: [Pattern; 81] = {
    let mut patterns = [Pattern {
        shuffle: [0; 2],
        min: [0; 4],
    }; 81];
    let mut number = 0;
    while number < patterns.len() {
        let lengths = [number / 27, number / 9 % 3, number / 3 % 3, number % 3];
        let (mut octet, mut start) = (0, 0);
        let mut shuffle = [0x8080_8080_8080_8080_u64; 2];
        while octet < 4 {
            let digits = lengths[octet] + 1;
            let mut digit = 0;
            while digit < digits {
                let to = 4 * octet + 3 - digits + digit;
                let shift = 8 * (to % 8);
                shuffle[to / 8] &= !(0xff << shift);
                shuffle[to / 8] |= ((start + digit) as u64) << shift;
                digit += 1;
            }
            patterns[number].min[octet] = [0, 10, 100][lengths[octet]];
            start += digits + 1;
            octet += 1;
        }
        patterns[number].shuffle = shuffle;
        number += 1;
    }
    patterns
};

/// Pattern number divided by three, by the positions of the dots after the first byte.
static OF_DOTS: [u8; 1 << 11] = {
    let mut of_dots = [NONE; 1 << 11];
    let mut number = 0;
    while number < 27 {
        let [a, b, c] = [number / 9 + 1, number / 3 % 3 + 1, number % 3 + 1];
        let dots = 1 << a | 1 << (a + 1 + b) | 1 << (a + b + c + 2);
        of_dots[dots >> 1] = number as u8;
        number += 1;
    }
    of_dots
};

/// Parse dotted notation.
#[inline]
#[expect(unsafe_code, reason = "a function for some processors only is called")]
pub fn parse_v4(text: &[u8]) -> Option<u32> {
    // SAFETY: this module is compiled only for processors that have SSE 4.1.
    unsafe { parse(text) }
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn parse(text: &[u8]) -> Option<u32> {
    let bytes = load(text)?;
    let dots = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'.' as i8))) as u32;
    if dots & !(0x7ff << 1) != 0 {
        return None;
    }
    let of_dots = OF_DOTS[(dots >> 1) as usize];
    // Number of digits after the last dot, minus one.
    let digits_after = (text.len() as u32 + dots.leading_zeros()).wrapping_sub(33);
    if of_dots == NONE || digits_after > 2 {
        return None;
    }
    let Pattern { shuffle, min } = PATTERNS[usize::from(of_dots) * 3 + digits_after as usize];
    let shuffle = _mm_set_epi64x(shuffle[1] as i64, shuffle[0] as i64);
    let min = _mm_set_epi32(min[3], min[2], min[1], min[0]);
    let digits = _mm_shuffle_epi8(_mm_sub_epi8(bytes, _mm_set1_epi8(b'0' as i8)), shuffle);
    let octets = _mm_madd_epi16(
        _mm_maddubs_epi16(digits, _mm_set1_epi32(0x0001_0a64)),
        _mm_set1_epi16(1),
    );
    let not_digit = _mm_subs_epu8(digits, _mm_set1_epi8(9));
    let too_large = _mm_cmpgt_epi32(octets, _mm_set1_epi32(255));
    let too_small = _mm_cmpgt_epi32(min, octets);
    let bad = _mm_or_si128(not_digit, _mm_or_si128(too_large, too_small));
    if _mm_test_all_zeros(bad, bad) == 0 {
        return None;
    }
    let words = _mm_packus_epi32(octets, octets);
    Some((_mm_cvtsi128_si32(_mm_packus_epi16(words, words)) as u32).swap_bytes())
}

/// The bytes of a string of 7 to 15 bytes, padded with zeros.
#[inline]
#[target_feature(enable = "sse4.1")]
fn load(text: &[u8]) -> Option<__m128i> {
    let (low, high) = match text.len() {
        8..=15 => {
            let low = u64::from_le_bytes(*text.first_chunk()?);
            let last = u64::from_le_bytes(*text.last_chunk()?);
            (low, (last >> 8) >> (8 * (15 - text.len())))
        }
        7 => {
            let first = u64::from(u32::from_le_bytes(*text.first_chunk()?));
            let last = u64::from(u32::from_le_bytes(*text.last_chunk()?));
            (first | last << 24, 0)
        }
        _ => return None,
    };
    Some(_mm_set_epi64x(high as i64, low as i64))
}
