//! Records that are texts in arrays of JSON objects, such as `"1594238636,10.1.0.4,…"`.

use std::borrow::Cow;

use crate::error::Result;
use crate::normalise::outcome::Normalised;
use crate::normalise::spec::Spec;
use crate::normalise::text::json::JsonRow;
use crate::normalise::text::json_objects;
use crate::normalise::text::rows::Rows;

/// Where the texts stand, and what is in them.
#[derive(Clone, Debug)]
pub struct Tuples {
    /// Path of the array, such as `properties.flows[].flowTuples[]`.
    pub path: String,
    /// What stands between the values.
    pub delimiter: char,
    /// Names of the values.
    pub names: Vec<String>,
    /// How many of them there are at least.
    pub least: usize,
}

/// Normalises whole objects, the first of which is in the given line.
pub fn read(
    text: &[u8],
    layout: &Tuples,
    spec: &Spec,
    wanted: &[&str],
    first_line: u64,
) -> Result<Normalised> {
    let places: Vec<Option<usize>> = wanted
        .iter()
        .map(|name| layout.names.iter().position(|known| known == name))
        .collect();
    let around: Vec<&str> = wanted
        .iter()
        .zip(&places)
        .filter(|(_, place)| place.is_none())
        .map(|(name, _)| *name)
        .collect();
    let row = JsonRow::new(&around, Some(&layout.path));
    let mut rows = Rows::new(wanted);
    for (line, object) in json_objects::numbered(text, first_line) {
        let done = object.and_then(|object| {
            row.texts(object, |values, tuple| {
                let count = tuple.split(layout.delimiter).count();
                if count < layout.least || count > layout.names.len() {
                    let (least, most) = (layout.least, layout.names.len());
                    let reason = format!("has {count} values, not {least} to {most}");
                    let shown = tuple.chars().take(80).collect();
                    rows.refuse(line, Some(shown), reason);
                    return;
                }
                let parts: Vec<Cow<'_, str>> = split(tuple, layout.delimiter);
                let mut values = values.iter();
                let cells = places.iter().map(|place| match place {
                    Some(place) => parts.get(*place).cloned(),
                    None => values.next().cloned().flatten(),
                });
                rows.add(line, cells);
            })
        });
        if let Err(reason) = done {
            rows.refuse(line, None, reason);
        }
    }
    rows.normalise(spec)
}

fn split(text: Cow<'_, str>, delimiter: char) -> Vec<Cow<'_, str>> {
    match text {
        Cow::Borrowed(text) => text.split(delimiter).map(Cow::Borrowed).collect(),
        Cow::Owned(text) => text
            .split(delimiter)
            .map(|part| Cow::Owned(part.to_owned()))
            .collect(),
    }
}
