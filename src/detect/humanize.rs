//! Numbers in sentences.

/// A count with separators of thousands.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes in decimal units.
pub fn bytes(count: u64) -> String {
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let count = count as f64;
    match units.iter().find(|(size, _)| count >= *size) {
        Some((size, unit)) => format!("{} {unit}", short(count / size)),
        None => format!("{count} bytes"),
    }
}

/// A time span in its natural unit.
pub fn span(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{} s", short(s)),
        s if s < 7_200.0 => format!("{} min", short(s / 60.0)),
        s if s < 172_800.0 => format!("{} h", short(s / 3_600.0)),
        s => format!("{} d", short(s / 86_400.0)),
    }
}

fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    if value >= 100.0 {
        return format!("{value:.0}");
    }
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A count and its noun.
pub fn plural(count: u64, noun: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{} {noun}{end}", thousands(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(12), "12");
        assert_eq!(bytes(43_800_000), "43.8 MB");
        assert_eq!(bytes(12), "12 bytes");
        assert_eq!(span(301.2), "5 min");
        assert_eq!(span(20.04), "20 s");
        assert_eq!(span(48_977.0), "13.6 h");
        assert_eq!(plural(1, "port"), "1 port");
    }
}
