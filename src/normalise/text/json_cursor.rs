//! A position in a JSON text, and the plain values that stand there.

use crate::normalise::text::typed::Span;

/// Maximum depth of objects and arrays.
pub const MAX_DEPTH: usize = 16;

/// A position in the text of an object.
pub struct Cursor<'a> {
    /// The text, until the end of the object.
    pub text: &'a str,
    /// The position.
    pub position: usize,
}

impl<'a> Cursor<'a> {
    /// The text from here on.
    pub fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.position..]
    }

    /// The next byte.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    /// Skip a byte, if it is the next one.
    #[inline]
    pub fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.position += usize::from(is_next);
        is_next
    }

    /// Skip white space.
    #[inline]
    pub fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.position += 1;
        }
    }

    /// Read the items of an object or array until its closing byte.
    pub fn each(&mut self, close: u8, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.space();
        if self.take(close) {
            return Some(());
        }
        loop {
            self.space();
            item(self)?;
            self.space();
            if self.take(close) {
                return Some(());
            }
            if !self.take(b',') {
                return None;
            }
        }
    }

    /// The colon after a key.
    #[inline]
    pub fn colon(&mut self) -> Option<()> {
        self.space();
        let found = self.take(b':');
        self.space();
        found.then_some(())
    }

    /// Skip a value.
    pub fn skip(&mut self, depth: usize) -> Option<()> {
        let inner = depth + 1;
        match self.peek()? {
            b'{' | b'[' if depth == MAX_DEPTH => None,
            b'{' => {
                self.position += 1;
                self.each(b'}', |cursor| {
                    cursor.string()?;
                    cursor.colon()?;
                    cursor.skip(inner)
                })
            }
            b'[' => {
                self.position += 1;
                self.each(b']', |cursor| cursor.skip(inner))
            }
            _ => self.scalar().map(|_| ()),
        }
    }

    /// The value of a string, number or boolean; an empty one for null. `None` for anything else.
    pub fn scalar(&mut self) -> Option<Span> {
        let start = self.position;
        match self.peek()? {
            b'"' => return self.string(),
            b'n' => {
                self.word("null")?;
                return Some((0, 0));
            }
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            _ => self.number()?,
        }
        Some((start as u32, self.position as u32))
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let found = self.rest().starts_with(word.as_bytes());
        self.position += word.len();
        found.then_some(())
    }

    /// A string without escapes.
    #[inline]
    pub fn string(&mut self) -> Option<Span> {
        if !self.take(b'"') {
            return None;
        }
        let start = self.position;
        let rest = self.rest();
        let length = end_of_string(rest)?;
        self.position += length + 1;
        (rest[length] == b'"').then_some((start as u32, (start + length) as u32))
    }

    /// A number in the grammar of JSON.
    #[inline]
    fn number(&mut self) -> Option<()> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.position += 1;
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Some(())
    }

    /// Skip one digit or more.
    #[inline]
    fn digits(&mut self) -> Option<()> {
        let rest = self.rest();
        let other = rest.iter().position(|byte| !byte.is_ascii_digit());
        let count = other.unwrap_or(rest.len());
        self.position += count;
        (count > 0).then_some(())
    }
}

/// Position of the first quotation mark, backslash or control character.
#[inline]
fn end_of_string(text: &[u8]) -> Option<usize> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    // The lowest of the marked bytes is marked rightly; others may be marked by a borrow.
    let below = |word: u64, limit: u64| word.wrapping_sub(limit * EACH) & !word & HIGH;
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let (quote, backslash) = (word ^ (0x22 * EACH), word ^ (0x5c * EACH));
        let found = below(quote, 1) | below(backslash, 1) | below(word, 0x20);
        if found != 0 {
            return Some(8 * index + found.trailing_zeros() as usize / 8);
        }
    }
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    Some(8 * words.len() + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn strings_end_where_a_bytewise_search_says(
            text in proptest::collection::vec(0_u8..=255, 0..40),
        ) {
            let expected = text.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            proptest::prop_assert_eq!(end_of_string(&text), expected);
        }
    }
}
