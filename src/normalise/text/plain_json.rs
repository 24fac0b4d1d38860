//! Objects of plain values, the usual JSON of logs, read in one pass over their bytes.
//!
//! Records of a log have nearly the same keys in nearly the same order, so each key is first
//! compared with those that followed the key before it in earlier records. Whatever is not plain
//! (escapes, arrays, invalid text) is left to [`JsonRow`], which decides what is valid.

use std::collections::HashMap;

use crate::normalise::log::Cell;
use crate::normalise::text::json::JsonRow;

/// Expected keys that are compared before the key is looked up.
const AHEAD: usize = 3;

/// Maximum number of different keys of an object that are remembered.
const MAX_KEYS: usize = 256;

/// Maximum depth of objects.
const MAX_DEPTH: usize = 16;

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
struct Keys {
    /// Path of the object, with a dot after each key.
    prefix: String,
    /// Keys with their quotation marks.
    keys: Vec<(Vec<u8>, Use)>,
    indices: HashMap<Vec<u8>, usize>,
}

/// Reads the values of a [`JsonRow`] from objects of plain values.
pub struct PlainJson<'r> {
    row: &'r JsonRow,
    objects: Vec<Keys>,
}

impl<'r> PlainJson<'r> {
    /// A reader of the same values.
    pub fn new(row: &'r JsonRow) -> Self {
        Self {
            row,
            objects: vec![Keys::default()],
        }
    }

    /// Read the values of an object into `values`; return whether it is plain. If it is not, some
    /// values may be set.
    pub fn read<'a>(&mut self, text: &'a str, values: &mut [Cell<'a>]) -> bool {
        let mut cursor = Cursor { text, position: 0 };
        cursor.take(b'{')
            && self.object(&mut cursor, 0, values, 0).is_some()
            && cursor.position == text.len()
    }

    /// Read an object after its opening brace.
    fn object<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        object: usize,
        values: &mut [Cell<'a>],
        depth: usize,
    ) -> Option<()> {
        cursor.space();
        if cursor.take(b'}') {
            return Some(());
        }
        let mut expected = 0;
        loop {
            cursor.space();
            let purpose = self.key(cursor, object, &mut expected)?;
            cursor.space();
            if !cursor.take(b':') {
                return None;
            }
            cursor.space();
            match (purpose, cursor.peek()) {
                (Use::Enter(inner), Some(b'{')) if depth < MAX_DEPTH => {
                    cursor.position += 1;
                    self.object(cursor, inner, values, depth + 1)?;
                }
                (Use::Take(column), _) => values[column] = cursor.scalar()?,
                (Use::Skip | Use::Enter(_), _) => {
                    cursor.scalar()?;
                }
                (Use::Both, _) => return None,
            }
            cursor.space();
            if cursor.take(b'}') {
                return Some(());
            }
            if !cursor.take(b',') {
                return None;
            }
        }
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
        let Keys { keys, indices, .. } = &mut self.objects[object];
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
                self.objects.push(Keys {
                    prefix: format!("{name}."),
                    ..Keys::default()
                });
                Use::Enter(self.objects.len() - 1)
            }
        }
    }
}

/// A position in the text of an object.
struct Cursor<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.position..]
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    /// Skip a byte, if it is the next one.
    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.position += usize::from(is_next);
        is_next
    }

    #[inline]
    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.position += 1;
        }
    }

    /// The value of a string, number, boolean or null. `None` for anything else.
    fn scalar(&mut self) -> Option<Cell<'a>> {
        let text = match self.peek()? {
            b'"' => self.string()?,
            b'n' => {
                self.word("null")?;
                return Some(None);
            }
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            _ => self.number()?,
        };
        Some(Some(text.into()))
    }

    fn word(&mut self, word: &str) -> Option<&'a str> {
        let text = self.text.get(self.position..self.position + word.len())?;
        self.position += word.len();
        (text == word).then_some(text)
    }

    /// A string without escapes.
    #[inline]
    fn string(&mut self) -> Option<&'a str> {
        if !self.take(b'"') {
            return None;
        }
        let start = self.position;
        let rest = self.rest();
        let length = rest
            .iter()
            .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
        self.position += length + 1;
        (rest[length] == b'"').then(|| &self.text[start..start + length])
    }

    /// A number in the grammar of JSON.
    #[inline]
    fn number(&mut self) -> Option<&'a str> {
        let start = self.position;
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
        Some(&self.text[start..self.position])
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

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: [&str; 5] = ["ts", "id.orig_h", "flow.bytes", "flow", "note"];

    /// The values as `JsonRow` reads them, and as they are read here, if the object is plain.
    fn both(texts: &[&str]) -> Vec<(Option<Vec<Option<String>>>, bool)> {
        let row = JsonRow::new(&WANTED[..3], None);
        let mut plain = PlainJson::new(&row);
        let owned = |values: Vec<Cell<'_>>| {
            let texts = values
                .into_iter()
                .map(|cell| cell.map(|text| text.into_owned()));
            texts.collect::<Vec<_>>()
        };
        let read = |text: &&str| {
            let expected = row.read(text.as_bytes()).ok().map(owned);
            let mut values = vec![None; 3];
            let is_plain = plain.read(text, &mut values);
            if is_plain {
                assert_eq!(Some(owned(values)), expected, "{text}");
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
            r#"{"note":[]}"#,
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
