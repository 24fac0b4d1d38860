//! IPv4 addresses in dotted form, a whole address at once.
//!
//! The dots tell how the bytes are to be shuffled so that each octet has its hundreds, tens and
//! ones in three bytes of its own.

use std::arch::x86_64::{
    __m128i, _mm_cmpeq_epi8, _mm_cmpgt_epi32, _mm_cvtsi128_si32, _mm_madd_epi16, _mm_maddubs_epi16,
    _mm_movemask_epi8, _mm_or_si128, _mm_packus_epi16, _mm_packus_epi32, _mm_set_epi32,
    _mm_set_epi64x, _mm_set1_epi8, _mm_set1_epi16, _mm_set1_epi32, _mm_shuffle_epi8, _mm_sub_epi8,
    _mm_subs_epu8, _mm_test_all_zeros,
};

/// How an address is read whose octets have known numbers of digits.
#[derive(Clone, Copy)]
struct Pattern {
    /// For each byte the one that it is taken from; the highest bit makes it zero.
    shuffle: [u64; 2],
    /// The least that each octet may be, so that none begins with a zero but zero itself.
    least: [i32; 4],
}

/// Marks places of dots that no address has.
const NONE: u8 = u8::MAX;

/// By the numbers of digits, one to three, as digits of base three; the last octet's is lowest.
static PATTERNS: [Pattern; 81] = {
    let mut patterns = [Pattern {
        shuffle: [0; 2],
        least: [0; 4],
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
            patterns[number].least[octet] = [0, 10, 100][lengths[octet]];
            start += digits + 1;
            octet += 1;
        }
        patterns[number].shuffle = shuffle;
        number += 1;
    }
    patterns
};

/// By the places of the dots but the first byte: a third of the number of the pattern.
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

/// Parses the dotted form.
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
    // One less than the digits after the last dot.
    let digits_after = (text.len() as u32 + dots.leading_zeros()).wrapping_sub(33);
    if of_dots == NONE || digits_after > 2 {
        return None;
    }
    let Pattern { shuffle, least } = PATTERNS[usize::from(of_dots) * 3 + digits_after as usize];
    let shuffle = _mm_set_epi64x(shuffle[1] as i64, shuffle[0] as i64);
    let least = _mm_set_epi32(least[3], least[2], least[1], least[0]);
    let digits = _mm_shuffle_epi8(_mm_sub_epi8(bytes, _mm_set1_epi8(b'0' as i8)), shuffle);
    let octets = _mm_madd_epi16(
        _mm_maddubs_epi16(digits, _mm_set1_epi32(0x0001_0a64)),
        _mm_set1_epi16(1),
    );
    let no_digit = _mm_subs_epu8(digits, _mm_set1_epi8(9));
    let too_much = _mm_cmpgt_epi32(octets, _mm_set1_epi32(255));
    let too_little = _mm_cmpgt_epi32(least, octets);
    let bad = _mm_or_si128(no_digit, _mm_or_si128(too_much, too_little));
    if _mm_test_all_zeros(bad, bad) == 0 {
        return None;
    }
    let words = _mm_packus_epi32(octets, octets);
    Some((_mm_cvtsi128_si32(_mm_packus_epi16(words, words)) as u32).swap_bytes())
}

/// The bytes of a text that is as long as an address can be, and zeros.
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
