//! Protocols of flows given in the canonical schema, by the rule of logs.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::take;
use arrow::datatypes::{DataType, Int32Type};

use crate::columns::cast::checked_cast;
use crate::columns::parallel::by_morsel;
use crate::columns::text::Text;
use crate::error::Result;
use crate::flow::protocols::keyword;

/// A column of protocols as IANA keywords in lower case; `None` if it already is, or holds neither
/// strings nor numbers.
pub fn as_keywords(name: &str, array: &ArrayRef) -> Result<Option<ArrayRef>> {
    if array.data_type().is_numeric() {
        let texts = checked_cast(name, array, &DataType::Utf8)?;
        let texts = texts.as_string::<i32>().iter();
        // NaN is a missing value.
        let texts: StringArray = texts
            .map(|text| text.filter(|text| *text != "NaN"))
            .collect();
        let texts: ArrayRef = Arc::new(texts);
        return Ok(Some(as_keywords(name, &texts)?.unwrap_or(texts)));
    }
    let Ok(texts) = Text::read(name, array) else {
        return Ok(None);
    };
    if are_keywords(&texts) {
        return Ok(None);
    }
    // Only the distinct values are parsed.
    let distinct = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let coded = checked_cast(name, array, &distinct)?;
    let coded = coded.as_dictionary::<Int32Type>();
    let values = coded.values().as_string::<i32>();
    let keywords: StringArray = values.iter().map(|text| settled(text?)).collect();
    let keywords = take(&keywords, coded.keys(), None)?;
    checked_cast(name, &keywords, array.data_type()).map(Some)
}

fn are_keywords(texts: &Text) -> bool {
    match texts {
        Text::Utf8(array) => all(array.len(), |row| {
            array.is_null(row) || is_settled(array.value(row))
        }),
        Text::Large(array) => all(array.len(), |row| {
            array.is_null(row) || is_settled(array.value(row))
        }),
        Text::View(array) => all(array.len(), |row| {
            array.is_null(row) || is_settled(array.value(row))
        }),
        Text::Dictionary(_, values) => are_keywords(values),
        Text::Null(_) => true,
    }
}

fn all(rows: usize, is_true: impl Fn(usize) -> bool + Sync) -> bool {
    let parts = by_morsel(rows, |mut rows| rows.all(&is_true));
    parts.into_iter().all(|part| part)
}

fn is_settled(text: &str) -> bool {
    let is_name =
        |text: &[u8]| text[0].is_ascii_lowercase() && text.iter().copied().all(is_in_keyword);
    matches!(text, "tcp" | "udp" | "icmp")
        || (!text.is_empty() && is_name(text.as_bytes()))
        || settled(text).is_some_and(|keyword| keyword == text)
}

const fn is_in_keyword(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

/// The keyword of a protocol; `None` if it is missing.
fn settled(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim_ascii();
    (!text.is_empty()).then(|| keyword(Cow::Borrowed(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::protocols::KEYWORDS;

    #[test]
    fn every_keyword_is_settled() {
        for (number, keyword) in KEYWORDS {
            assert!(is_settled(keyword), "{keyword}");
            assert_eq!(settled(&number.to_string()).as_deref(), Some(*keyword));
        }
        for text in ["253", "unknown_transport", "a"] {
            assert!(is_settled(text), "{text}");
        }
        for text in ["", " ", "TCP", "tCP", " tcp", "6", "6.0", "T", "tcp\t"] {
            assert!(!is_settled(text), "{text}");
        }
    }
}
