//! Objects of plain values, the usual JSON of logs, read in one pass over their bytes.
//!
//! Records of a log have nearly the same keys in nearly the same order, so each key is first
//! compared with those that followed the key before it in earlier records. Whatever is not plain
//! (escapes, wanted arrays, invalid text) is left to [`JsonRow`], which decides what is valid.

use std::collections::HashMap;
use std::ops::Range;

use crate::normalise::text::json::JsonRow;
use crate::normalise::text::json_cursor::{Cursor, MAX_DEPTH};
use crate::normalise::text::typed::Span;

/// Expected keys that are compared before the key is looked up.
const AHEAD: usize = 3;

/// Maximum number of different keys of an object that are remembered.
const MAX_KEYS: usize = 256;

/// What is done with the value of a key.
#[derive(Clone, Copy, Debug)]
enum Use {
    /// Not wanted.
    Skip,
    /// The value of a column.
    Take(usize),
    /// An object with wanted keys, at this index of the objects.
    Enter(usize),
    /// The value of a column, and an object with wanted keys.
    Both,
}

/// Keys of one object, in the order in which they first appeared.
#[derive(Debug, Default)]
struct Object {
    /// Path of the object, with a dot after each key.
    prefix: String,
    /// Keys with their quotation marks.
    keys: Vec<(Vec<u8>, Use)>,
    indices: HashMap<Vec<u8>, usize>,
}

/// Reads the values of a [`JsonRow`] from objects of plain values.
pub struct PlainJson<'r> {
    row: &'r JsonRow,
    objects: Vec<Object>,
}

impl<'r> PlainJson<'r> {
    /// A reader of the same values.
    pub fn new(row: &'r JsonRow) -> Self {
        Self {
            row,
            objects: vec![Object::default()],
        }
    }

    /// Find the values of the object in a range of a text; return whether it is plain.
    ///
    /// Missing values stay as they are. If the object is not plain, some may be set.
    pub fn read(&mut self, text: &str, object: Range<usize>, values: &mut [Span]) -> bool {
        let mut cursor = Cursor {
            text: &text[..object.end],
            position: object.start,
        };
        cursor.take(b'{')
            && self.object(&mut cursor, 0, values, 0).is_some()
            && cursor.position == object.end
    }

    /// Read an object after its opening brace.
    fn object(
        &mut self,
        cursor: &mut Cursor<'_>,
        object: usize,
        values: &mut [Span],
        depth: usize,
    ) -> Option<()> {
        let mut expected = 0;
        cursor.each(b'}', |cursor| {
            let purpose = self.key(cursor, object, &mut expected)?;
            cursor.colon()?;
            match (purpose, cursor.peek()) {
                (Use::Enter(inner), Some(b'{')) if depth < MAX_DEPTH => {
                    cursor.position += 1;
                    self.object(cursor, inner, values, depth + 1)
                }
                (Use::Take(column), _) => {
                    values[column] = cursor.scalar()?;
                    Some(())
                }
                (Use::Skip, _) => cursor.skip(depth),
                (Use::Enter(_), _) => cursor.scalar().map(|_| ()),
                (Use::Both, _) => None,
            }
        })
    }

    /// Read a key; `expected` is the index of the key that is likely the next one.
    fn key(&mut self, cursor: &mut Cursor<'_>, object: usize, expected: &mut usize) -> Option<Use> {
        let keys = &self.objects[object].keys;
        let rest = cursor.rest();
        let end = keys.len().min(*expected + AHEAD);
        for (index, (key, purpose)) in keys.iter().enumerate().take(end).skip(*expected) {
            if rest.starts_with(key) {
                cursor.position += key.len();
                *expected = index + 1;
                return Some(*purpose);
            }
        }
        let start = cursor.position;
        cursor.string()?;
        let key = &cursor.text.as_bytes()[start..cursor.position];
        if let Some(index) = self.objects[object].indices.get(key) {
            *expected = index + 1;
            return Some(self.objects[object].keys[*index].1);
        }
        let purpose = self.purpose(object, &cursor.text[start + 1..cursor.position - 1]);
        let Object { keys, indices, .. } = &mut self.objects[object];
        if keys.len() < MAX_KEYS {
            indices.insert(key.to_vec(), keys.len());
            keys.push((key.to_vec(), purpose));
            *expected = keys.len();
        }
        Some(purpose)
    }

    fn purpose(&mut self, object: usize, key: &str) -> Use {
        let name = format!("{}{key}", self.objects[object].prefix);
        match (self.row.position(&name), self.row.is_parent(&name)) {
            (Some(column), false) => Use::Take(column),
            (None, false) => Use::Skip,
            (Some(_), true) => Use::Both,
            (None, true) => {
                self.objects.push(Object {
                    prefix: format!("{name}."),
                    ..Object::default()
                });
                Use::Enter(self.objects.len() - 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    const WANTED: [&str; 3] = ["ts", "id.orig_h", "flow.bytes"];

    /// The values as `JsonRow` reads them, and as they are read here, if the object is plain.
    fn both(texts: &[&str]) -> Vec<(Option<Vec<String>>, bool)> {
        let row = JsonRow::new(&WANTED, None);
        let mut plain = PlainJson::new(&row);
        let read = |text: &&str| {
            let expected = row.read(text.as_bytes()).ok().map(|values| {
                let text = |cell: Option<Cow<'_, str>>| cell.map_or(String::new(), Cow::into_owned);
                values.into_iter().map(text).collect::<Vec<_>>()
            });
            // What surrounds the object does not count.
            let whole = format!("{{ {text} }}");
            let mut spans = vec![(0, 0); WANTED.len()];
            let is_plain = plain.read(&whole, 2..2 + text.len(), &mut spans);
            if is_plain {
                let found = spans
                    .iter()
                    .map(|(start, end)| &whole[*start as usize..*end as usize]);
                assert_eq!(Some(found.map(String::from).collect()), expected, "{text}");
            }
            (expected, is_plain)
        };
        texts.iter().map(read).collect()
    }

    #[test]
    fn plain_objects_are_read() {
        let texts = [
            r#"{"ts":1.5,"id.orig_h":"10.0.0.1","flow":{"bytes":7,"x":null}}"#,
            r#"{"ts":-0e+3,"flow":{"bytes":8}}"#,
            r#"{ "id" : { "orig_h" : "é" } , "ts" : null, "more": true }"#,
            r#"{"ts":1,"ts":2}"#,
            r#"{"note":[1,{"ts":9},[]],"more":{"a":[]},"ts":3}"#,
            "{}",
        ];
        assert!(
            both(&texts)
                .iter()
                .all(|(expected, is_plain)| expected.is_some() && *is_plain)
        );
    }

    #[test]
    fn others_are_left() {
        let texts = [
            r#"{"ts":[1]}"#,
            r#"{"ts":"a\n"}"#,
            r#"{"note":[1,]}"#,
            r#"{"note":["\n"]}"#,
            r#"{"ts":01}"#,
            r#"{"ts":1.}"#,
            r#"{"ts":+1}"#,
            r#"{"ts":nul}"#,
            r#"{"ts":1,}"#,
            r#"{"ts":1} x"#,
            r#"{"ts":1"#,
            r#"{"ts""#,
            r#"{"ts":{}}"#,
            "{\"ts\":\"a\tb\"}",
            "[]",
            "",
        ];
        assert!(both(&texts).iter().all(|(_, is_plain)| !is_plain));
    }

    proptest::proptest! {
        #[test]
        fn damaged_objects_are_read_as_by_the_other_reader(
            damage in proptest::collection::vec((0..200_usize, 0..9_usize), 0..4),
        ) {
            let first = r#"{"ts":1.5,"id.orig_h":"10.0.0.1","flow":{"bytes":7,"x":"y"},"n":null}"#;
            let bytes = [b'"', b'{', b'}', b',', b':', b'0', b' ', b'\\', b'e'];
            let mut text = first.as_bytes().to_vec();
            for (position, byte) in damage {
                let position = position % text.len();
                text[position] = bytes[byte];
            }
            let text = String::from_utf8(text).unwrap();
            both(&[first, &text, first]);
        }
    }
}
