//! Scan for two bytes.

/// Bytes that are compared together.
const CHUNK: usize = 64;

const EACH: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = 0x7f * EACH;

/// Iterates over the positions of either of two bytes. For bytes as dense as delimiters, this is
/// faster than a search for each.
pub struct DelimiterScan<'a> {
    text: &'a [u8],
    wanted: [u64; 2],
    /// Start of the current chunk, and of the next one.
    start: usize,
    next: usize,
    /// A bit for each position of the current chunk that is yet to be returned.
    bits: u64,
}

impl<'a> DelimiterScan<'a> {
    /// Scan for two bytes.
    pub fn new(text: &'a [u8], one: u8, other: u8) -> Self {
        Self {
            text,
            wanted: [one, other].map(|byte| EACH * u64::from(byte)),
            start: 0,
            next: 0,
            bits: 0,
        }
    }

    fn matches(&self, chunk: &[u8; CHUNK]) -> u64 {
        let (words, _) = chunk.as_chunks::<8>();
        words.iter().rev().fold(0, |bits, word| {
            let word = u64::from_le_bytes(*word);
            let [one, other] = self.wanted.map(|byte| zeros(word ^ byte));
            bits << 8 | (one | other).wrapping_mul(0x0102_0408_1020_4080) >> 56
        })
    }
}

/// The lowest bit of each byte that is zero.
#[inline]
fn zeros(word: u64) -> u64 {
    !(((word & LOW) + LOW) | word) >> 7 & EACH
}

impl Iterator for DelimiterScan<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            let rest = self.text.get(self.next..).filter(|rest| !rest.is_empty())?;
            self.bits = if let Some(chunk) = rest.first_chunk() {
                self.matches(chunk)
            } else {
                let mut last = [0; CHUNK];
                last[..rest.len()].copy_from_slice(rest);
                self.matches(&last) & ((1 << rest.len()) - 1)
            };
            self.start = self.next;
            self.next += CHUNK;
        }
        let position = self.start + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn positions_equal_a_bytewise_search(
            text in proptest::collection::vec(0..4_u8, 0..300), one in 0..4_u8, other in 0..4_u8,
        ) {
            for shift in [0, 0x7e, 0xfc] {
                let text: Vec<u8> = text.iter().map(|byte| byte + shift).collect();
                let wanted = [one + shift, other + shift];
                let found: Vec<usize> = DelimiterScan::new(&text, wanted[0], wanted[1]).collect();
                let expected = (0..text.len()).filter(|i| wanted.contains(&text[*i]));
                proptest::prop_assert_eq!(found, expected.collect::<Vec<_>>());
            }
        }
    }
}
