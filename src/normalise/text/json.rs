//! Selected values of a JSON object.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Reads the values of selected names from objects. The name `a.b` is the key `a.b`, or the key
/// `b` of the object at key `a`; `a[]` is every item of the array at key `a`.
pub struct JsonRow {
    positions: HashMap<String, usize>,
    parents: HashSet<String>,
    /// The array of strings that has the records, if an object has several.
    array: Option<String>,
}

type JsonValues<'a> = Vec<Option<Cow<'a, str>>>;
/// A string of the array, or the JSON text that stands where one was expected.
type Item<'a> = Result<Cow<'a, str>, &'a str>;
type EachItem<'f, 'a> = dyn FnMut(&JsonValues<'a>, Item<'a>) + 'f;

impl JsonRow {
    /// Select names and, optionally, an array of strings.
    pub fn new(wanted: &[&str], array: Option<&str>) -> Self {
        let paths = wanted.iter().copied().chain(array);
        let parents = paths.flat_map(|name| {
            name.match_indices('.')
                .map(|(dot, _)| name[..dot].to_owned())
        });
        Self {
            positions: wanted
                .iter()
                .enumerate()
                .map(|(i, name)| ((*name).to_owned(), i))
                .collect(),
            parents: parents.collect(),
            array: array.map(str::to_owned),
        }
    }

    /// Index of the value of a name, if it is selected.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// Whether a name may be that of an object with selected values.
    pub(super) fn is_parent(&self, name: &str) -> bool {
        self.parents.contains(name)
    }

    /// The selected values of an object: strings decoded, other values as they are written.
    pub fn read<'a>(&self, text: &'a [u8]) -> Result<JsonValues<'a>, String> {
        let mut values = vec![None; self.positions.len()];
        self.walk(text, "", &mut values, &mut |_, _| {})
            .map_err(|error| {
                format!(
                    "is not a complete JSON object (character {})",
                    error.column()
                )
            })?;
        Ok(values)
    }

    /// Call `each` with every item of the array and the selected values of its outer objects.
    pub fn strings<'a>(
        &self,
        text: &'a [u8],
        mut each: impl FnMut(&JsonValues<'a>, Item<'a>),
    ) -> Result<(), String> {
        let mut values = vec![None; self.positions.len()];
        self.walk(text, "", &mut values, &mut each)
            .map_err(|error| format!("is not a complete JSON object ({error})"))
    }

    fn walk<'a>(
        &self,
        text: &'a [u8],
        prefix: &str,
        values: &mut JsonValues<'a>,
        each: &mut EachItem<'_, 'a>,
    ) -> serde_json::Result<()> {
        let mut json = serde_json::Deserializer::from_slice(text);
        let mut arrays = Vec::new();
        let object = Object {
            row: self,
            prefix,
            values: &mut *values,
            arrays: &mut arrays,
        };
        object.deserialize(&mut json)?;
        json.end()?;
        for (name, raw) in arrays {
            if !raw.get().starts_with('[') {
                each(values, Err(raw.get()));
                continue;
            }
            let is_last = self.array.as_ref() == Some(&name);
            for item in serde_json::from_str::<Vec<&'a RawValue>>(raw.get())? {
                let text = item.get();
                if is_last {
                    let string = serde_json::from_str::<JsonString<'a>>(text);
                    each(
                        values,
                        string.map(|JsonString(text)| text).map_err(|_| text),
                    );
                } else if text.starts_with('{') {
                    self.walk(text.as_bytes(), &name, &mut values.clone(), each)?;
                } else {
                    each(values, Err(text));
                }
            }
        }
        Ok(())
    }
}

struct Object<'r, 'v, 'a> {
    row: &'r JsonRow,
    prefix: &'r str,
    values: &'v mut JsonValues<'a>,
    arrays: &'v mut Vec<(String, &'a RawValue)>,
}

impl<'a> DeserializeSeed<'a> for Object<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Object<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<JsonKey<'a>>()? {
            let name = if self.prefix.is_empty() {
                key.0
            } else {
                format!("{}.{}", self.prefix, key.0).into()
            };
            let position = self.row.positions.get(name.as_ref());
            let items = self.row.array.is_some().then(|| format!("{name}[]"));
            let items = items.filter(|items| {
                self.row.parents.contains(items) || self.row.array.as_ref() == Some(items)
            });
            let is_parent = || self.row.parents.contains(name.as_ref());
            if position.is_none() && items.is_none() && !is_parent() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let raw: &'a RawValue = map.next_value()?;
            if let Some(position) = position {
                self.values[*position] = value(raw);
            }
            if let Some(items) = items {
                self.arrays.push((items, raw));
            } else if raw.get().starts_with('{') && is_parent() {
                let mut json = serde_json::Deserializer::from_str(raw.get());
                let object = Object {
                    row: self.row,
                    prefix: &name,
                    values: &mut *self.values,
                    arrays: &mut *self.arrays,
                };
                object
                    .deserialize(&mut json)
                    .map_err(serde::de::Error::custom)?;
            }
        }
        Ok(())
    }
}

/// A string, borrowed from the text if it has no escapes.
struct JsonString<'a>(Cow<'a, str>);

impl<'a> serde::Deserialize<'a> for JsonString<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'a> Visitor<'a> for Text {
            type Value = JsonString<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'a str) -> Result<JsonString<'a>, E> {
                Ok(JsonString(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<JsonString<'a>, E> {
                Ok(JsonString(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A key; one that is not valid Unicode is that of no column.
struct JsonKey<'a>(Cow<'a, str>);

impl<'a> serde::Deserialize<'a> for JsonKey<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'a> Visitor<'a> for Bytes {
            type Value = JsonKey<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_bytes<E>(self, key: &'a [u8]) -> Result<JsonKey<'a>, E> {
                Ok(JsonKey(String::from_utf8_lossy(key)))
            }

            fn visit_bytes<E>(self, key: &[u8]) -> Result<JsonKey<'a>, E> {
                Ok(JsonKey(String::from_utf8_lossy(key).into_owned().into()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

fn value(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get() {
        "null" => None,
        text if text.starts_with('"') => match serde_json::from_str::<JsonString<'_>>(text) {
            Ok(JsonString(text)) => Some(text),
            Err(_) => Some(Cow::Borrowed(text)),
        },
        text => Some(Cow::Borrowed(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wanted: &[&str], text: &str) -> Result<Vec<String>, String> {
        let row = JsonRow::new(wanted, None);
        let values = row.read(text.as_bytes())?;
        let shown = |value: Option<Cow<'_, str>>| value.map_or("null".into(), Cow::into_owned);
        Ok(values.into_iter().map(shown).collect())
    }

    #[test]
    fn dotted_names_are_keys_or_paths() {
        let wanted = ["id.orig_h", "ts"];
        let flat = r#"{"ts":1.25,"id.orig_h":"10.0.0.1","x":[{"ts":9}]}"#;
        let nested = r#"{"id":{"orig_h":"10.0.0.1","ts":9},"ts":1.25}"#;
        for text in [flat, nested] {
            assert_eq!(read(&wanted, text).unwrap(), ["10.0.0.1", "1.25"]);
        }
    }

    #[test]
    fn numbers_keep_their_notation_and_strings_are_decoded() {
        let text = r#"{"a":"t\u0061b\t","b":null,"c":1588205199.82437,"d":["1.2.3.4"]}"#;
        let values = read(&["a", "b", "c", "d", "e"], text).unwrap();
        let expected = [
            "tab\t",
            "null",
            "1588205199.82437",
            r#"["1.2.3.4"]"#,
            "null",
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn strings_of_nested_arrays_have_the_values_of_outer_objects() {
        let text =
            r#"{"p":{"flows":[{"t":["a","b"],"rule":"r1"},{"t":["c"]},7,{"t":3}]},"mac":"m"}"#;
        let row = JsonRow::new(&["mac", "p.flows[].rule"], Some("p.flows[].t[]"));
        let mut found = Vec::new();
        row.strings(text.as_bytes(), |values, text| {
            let shown = |index: usize| values[index].as_deref().unwrap_or("-").to_owned();
            let text = text.unwrap_or_else(|other| format!("not {other}").into());
            found.push(format!("{} {} {text}", shown(0), shown(1)));
        })
        .unwrap();
        assert_eq!(
            found,
            ["m r1 a", "m r1 b", "m - c", "m - not 7", "m - not 3"]
        );
        assert!(
            row.strings(br#"{"p":{"flows":[{"t":["a"#, |_, _| {})
                .is_err()
        );
    }

    #[test]
    fn wanted_objects_are_walked_and_odd_keys_are_ignored() {
        let text = r#"{"p":{"a":"x"},"\ud800":1,"\u0000":2}"#;
        assert_eq!(read(&["p", "p.a"], text).unwrap(), [r#"{"a":"x"}"#, "x"]);
    }

    #[test]
    fn incomplete_objects_are_rejected() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        for text in [
            "{\"a\":1",
            "{\"a\":1} x",
            "[1]",
            "1",
            "{a:1}",
            deep.as_str(),
        ] {
            assert!(
                read(&["a"], text).is_err(),
                "{}",
                &text[..text.len().min(20)]
            );
        }
    }
}
