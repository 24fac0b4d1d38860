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

    /// Call `each` with every string of the array and the selected values of its outer objects.
    pub fn strings<'a>(
        &self,
        text: &'a [u8],
        mut each: impl FnMut(&JsonValues<'a>, Cow<'a, str>),
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
        each: &mut dyn FnMut(&JsonValues<'a>, Cow<'a, str>),
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
            if self.array.as_ref() == Some(&name) {
                for JsonKey(text) in serde_json::from_str::<Vec<JsonKey<'a>>>(raw.get())? {
                    each(values, text);
                }
                continue;
            }
            for item in serde_json::from_str::<Vec<&'a RawValue>>(raw.get())? {
                if item.get().starts_with('{') {
                    self.walk(item.get().as_bytes(), &name, &mut values.clone(), each)?;
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
            if let Some(&position) = self.row.positions.get(name.as_ref()) {
                self.values[position] = value(map.next_value()?);
                continue;
            }
            let items = self.row.array.is_some().then(|| format!("{name}[]"));
            let items = items.filter(|items| {
                self.row.parents.contains(items) || self.row.array.as_ref() == Some(items)
            });
            if let Some(items) = items {
                let raw: &'a RawValue = map.next_value()?;
                if raw.get().starts_with('[') {
                    self.arrays.push((items, raw));
                }
            } else if self.row.parents.contains(name.as_ref()) {
                let raw: &'a RawValue = map.next_value()?;
                if raw.get().starts_with('{') {
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
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// A key or string, borrowed from the text if it has no escapes.
struct JsonKey<'a>(Cow<'a, str>);

impl<'a> serde::Deserialize<'a> for JsonKey<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'a> Visitor<'a> for Text {
            type Value = JsonKey<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'a str) -> Result<JsonKey<'a>, E> {
                Ok(JsonKey(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<JsonKey<'a>, E> {
                Ok(JsonKey(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

fn value(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get() {
        "null" => None,
        text if text.starts_with('"') => match serde_json::from_str::<JsonKey<'_>>(text) {
            Ok(JsonKey(text)) => Some(text),
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
            found.push(format!("{} {} {text}", shown(0), shown(1)));
        })
        .unwrap();
        assert_eq!(found, ["m r1 a", "m r1 b", "m - c"]);
        assert!(
            row.strings(br#"{"p":{"flows":[{"t":["a"#, |_, _| {})
                .is_err()
        );
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
