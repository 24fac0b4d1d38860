//! Records that are strings in arrays of JSON objects, such as `"1594238636,10.1.0.4,…"`.

use std::borrow::Cow;

use crate::error::Result;
use crate::normalise::outcome::Normalised;
use crate::normalise::spec::Spec;
use crate::normalise::text::json::JsonRow;
use crate::normalise::text::json_objects;
use crate::normalise::text::rows::Rows;

/// Maximum number of characters of a bad value in messages.
const MAX_SHOWN: usize = 80;

/// Layout of the strings.
#[derive(Clone, Debug)]
pub struct Tuples {
    /// Path of the array, such as `properties.flows[].flowTuples[]`.
    pub path: String,
    /// Delimiter of the values.
    pub delimiter: char,
    /// Names of the values.
    pub names: Vec<String>,
    /// Minimum number of values.
    pub min_values: usize,
}

/// Normalise whole objects; `first_line` is the line of the first one.
pub fn read(
    text: &[u8],
    layout: &Tuples,
    spec: &Spec,
    wanted: &[&str],
    first_line: u64,
) -> Result<Normalised> {
    let positions: Vec<Option<usize>> = wanted
        .iter()
        .map(|name| layout.names.iter().position(|known| known == name))
        .collect();
    let outer: Vec<&str> = wanted
        .iter()
        .zip(&positions)
        .filter(|(_, position)| position.is_none())
        .map(|(name, _)| *name)
        .collect();
    let row = JsonRow::new(&outer, Some(&layout.path));
    let mut rows = Rows::new(wanted);
    for (line, object) in json_objects::numbered(text, first_line) {
        let done = object.and_then(|object| {
            row.strings(object, |values, item| {
                let tuple = match item {
                    Ok(tuple) => tuple,
                    Err(other) => {
                        let shown = other.chars().take(MAX_SHOWN).collect();
                        rows.reject(line, Some(shown), "is not a flow tuple".into());
                        return;
                    }
                };
                let count = tuple.split(layout.delimiter).count();
                let (min, max) = (layout.min_values, layout.names.len());
                if !(min..=max).contains(&count) {
                    let reason = format!("has {count} values, not {min} to {max}");
                    let shown = tuple.chars().take(MAX_SHOWN).collect();
                    rows.reject(line, Some(shown), reason);
                    return;
                }
                let parts: Vec<Cow<'_, str>> = split(tuple, layout.delimiter);
                let mut values = values.iter();
                let cells = positions.iter().map(|position| match position {
                    Some(position) => parts.get(*position).cloned(),
                    None => values.next().cloned().flatten(),
                });
                rows.add(line, cells);
            })
        });
        if let Err(reason) = done {
            rows.reject(line, None, reason);
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
