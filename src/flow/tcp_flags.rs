//! TCP flags as a byte and as letters.

/// Letters of the flags, the highest bit first.
const LETTERS: &[u8; 8] = b"CEUAPRSF";

/// The flag SYN.
pub const SYN: u8 = 2;

/// The flag ACK.
pub const ACK: u8 = 16;

/// Parse letters, with dots for flags that are not set, or a number of the given radix.
pub fn parse(text: &str, radix: u32) -> Option<u8> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u8::from_str_radix(digits, 16).ok();
    }
    if let Ok(number) = u8::from_str_radix(text, radix) {
        return Some(number);
    }
    text.bytes().try_fold(0, |flags, letter| {
        if letter == b'.' {
            return Some(flags);
        }
        let index = LETTERS.iter().position(|known| *known == letter)?;
        Some(flags | 0x80 >> index)
    })
}

/// The letters of flags.
pub fn letters(flags: u8) -> String {
    LETTERS
        .iter()
        .enumerate()
        .filter(|(index, _)| flags & (0x80 >> index) != 0)
        .map(|(_, letter)| char::from(*letter))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_numbers_are_equivalent() {
        for (text, radix, expected) in [
            ("......S.", 10, "S"),
            ("CE.AP.SF", 10, "CEAPSF"),
            ("19", 10, "ASF"),
            ("1b", 16, "APSF"),
            ("0x02", 10, "S"),
            ("SA", 10, "AS"),
            ("0", 10, ""),
        ] {
            assert_eq!(letters(parse(text, radix).unwrap()), expected, "{text}");
        }
        for text in ["S_RA", "256", "syn", "0x100"] {
            assert_eq!(parse(text, 10), None, "{text}");
        }
        for flags in 0..=u8::MAX {
            assert_eq!(parse(&letters(flags), 10), Some(flags));
        }
    }
}
