//! Decimal numbers as integers of a smaller unit.

use crate::columns::cast::float_to_int;

/// Parse a decimal number and multiply it by `scale`, a power of ten; round once, at the end.
pub fn decimal(text: &str, scale: i64) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let (whole, rest) = leading_digits(digits);
    let fraction = match rest {
        [] => rest,
        [b'.', fraction @ ..] => fraction,
        _ => return exponent(text, scale),
    };
    let length = digits.len() - rest.len();
    if !(1..=18).contains(&length) || !fraction.iter().all(u8::is_ascii_digit) {
        return exponent(text, scale);
    }
    let (mut part, mut unit, mut further) = (0, scale, fraction.iter());
    while unit > 1
        && let Some(digit) = further.next()
    {
        part = part * 10 + i64::from(digit - b'0');
        unit /= 10;
    }
    let up = further.next().is_some_and(|digit| *digit >= b'5');
    let value = whole
        .checked_mul(scale)?
        .checked_add(part * unit + i64::from(up))?;
    Some(if negative { -value } else { value })
}

/// Parse up to 18 leading digits; return the number and the rest.
#[inline]
pub fn leading_digits(text: &[u8]) -> (i64, &[u8]) {
    let mut number = 0;
    for (index, byte) in text.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 || index == 18 {
            return (number, &text[index..]);
        }
        number = number * 10 + i64::from(digit);
    }
    (number, &[])
}

fn exponent(text: &str, scale: i64) -> Option<i64> {
    if !text.contains(['e', 'E']) {
        return None;
    }
    float_to_int((text.parse::<f64>().ok()? * scale as f64).round())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_without_loss() {
        let s = 1_000_000;
        assert_eq!(decimal("1379288667.706265", s), Some(1_379_288_667_706_265));
        assert_eq!(decimal("1379288667", s), Some(1_379_288_667_000_000));
        assert_eq!(decimal("0.0012309551239013672", s), Some(1_231));
        assert_eq!(decimal("-1.5", s), Some(-1_500_000));
        assert_eq!(decimal("1.5e9", s), Some(1_500_000_000_000_000));
        assert_eq!(decimal("1588205199824", 1_000), Some(1_588_205_199_824_000));
        for text in [
            "",
            ".",
            "-",
            "1.2.3",
            "2011-08-15",
            "nan",
            "inf",
            "99999999999999999999",
            "9e99",
        ] {
            assert_eq!(decimal(text, s), None, "{text}");
        }
    }
}
