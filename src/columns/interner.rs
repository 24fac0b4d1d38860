//! Distinct strings as integer ids.

use std::ops::Range;

use arrow::array::{Array, GenericStringArray, OffsetSizeTrait};
use hashbrown::HashMap;
use rayon::prelude::*;

use crate::columns::nulls::{NullsLast, get};
use crate::columns::parallel::{MORSEL, by_morsel};
use crate::columns::text::{Text, short, short_at};
use crate::columns::write::StringPool;

/// Index of a row without a string.
const NULL: u32 = u32::MAX;

/// Strings with ids in order of first appearance.
#[derive(Debug, Default)]
pub struct Interner {
    ids: HashMap<String, u32>,
}

/// The ids of a column's strings, by row.
#[derive(Debug)]
pub struct Interned {
    ids: Vec<u32>,
}

impl Interned {
    /// The id of a row's string.
    pub fn id(&self, row: usize) -> NullsLast<u32> {
        Some(self.ids[row]).filter(|id| *id != NULL).into()
    }
}

impl Interner {
    /// Number of distinct strings.
    pub fn count(&self) -> usize {
        self.ids.len()
    }

    /// Assign ids to the strings of a column.
    pub fn encode(&mut self, text: &Text) -> Interned {
        if let Text::Dictionary(keys, values) = text {
            let known: Vec<u32> = (0..values.len())
                .map(|i| values.get(i).map_or(NULL, |value| self.id(value)))
                .collect();
            let ids = keys
                .iter()
                .map(|key| key.map_or(NULL, |key| known[key as usize]));
            return Interned { ids: ids.collect() };
        }
        let morsels = by_morsel(text.len(), |rows| match text {
            Text::Utf8(array) => Local::of(rows, short_texts(array)),
            Text::Large(array) => Local::of(rows, short_texts(array)),
            _ => Local::of(rows, |row| {
                let text = text.get(row)?;
                Some((text, short(text.as_bytes())))
            }),
        });
        let mut ids = vec![NULL; text.len()];
        let known: Vec<Vec<u32>> = morsels
            .iter()
            .map(|(_, texts)| texts.iter().map(|text| self.id(text)).collect())
            .collect();
        ids.par_chunks_mut(MORSEL)
            .zip(morsels.into_par_iter().zip(known))
            .for_each(|(ids, ((local, _), known))| {
                for (id, local) in ids.iter_mut().zip(local) {
                    *id = known.get(local as usize).copied().unwrap_or(NULL);
                }
            });
        Interned { ids }
    }

    /// The id of a string.
    pub fn id(&mut self, text: &str) -> u32 {
        let next = self.ids.len() as u32;
        *self.ids.entry_ref(text).or_insert(next)
    }

    /// The strings in order, and the rank of each id.
    pub fn into_sorted(self) -> Sorted {
        let mut values: Vec<(String, u32)> = self.ids.into_iter().collect();
        values.par_sort_unstable();
        let mut ranks = vec![0; values.len()];
        for (rank, (_, id)) in values.iter().enumerate() {
            ranks[*id as usize] = rank as u32;
        }
        Sorted {
            values: values.into_iter().map(|(value, _)| value).collect(),
            ranks,
        }
    }
}

/// The strings of a column that repeats few.
#[derive(Debug)]
pub struct FewTexts<'a> {
    /// The distinct strings.
    pub texts: Vec<&'a str>,
    ids: Vec<u32>,
}

impl FewTexts<'_> {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.ids.len()
    }

    /// The index of a row's string.
    #[inline]
    pub fn index(&self, row: usize) -> Option<usize> {
        Some(self.ids[row])
            .filter(|id| *id != NULL)
            .map(|id| id as usize)
    }
}

/// The distinct strings of a column; `None` if it has more than `limit`.
pub fn few_texts(text: &Text, limit: usize) -> Option<FewTexts<'_>> {
    let rows = 0..text.len();
    let found = match text {
        Text::Dictionary(keys, values) if values.len() <= limit => {
            let texts = (0..values.len()).map(|i| values.get(i).unwrap_or_default());
            let id = |row: usize| {
                let key = get(keys, row).filter(|key| values.get(*key as usize).is_some());
                key.map_or(NULL, |key| key as u32)
            };
            Some((rows.map(id).collect(), texts.collect()))
        }
        Text::Null(_) => Some((vec![NULL; text.len()], Vec::new())),
        Text::Utf8(array) => Local::of_few(rows, limit, short_texts(array)),
        Text::Large(array) => Local::of_few(rows, limit, short_texts(array)),
        _ => Local::of_few(rows, limit, |row| {
            let text = text.get(row)?;
            Some((text, short(text.as_bytes())))
        }),
    };
    found.map(|(ids, texts)| FewTexts { texts, ids })
}

/// The distinct strings of rows, each given with its bytes as a word if it is short; `None` if
/// there are more than `limit`.
pub fn few_of<'a>(
    rows: usize,
    limit: usize,
    text: impl Fn(usize) -> Option<(&'a str, Option<u64>)>,
) -> Option<FewTexts<'a>> {
    let (ids, texts) = Local::of_few(0..rows, limit, text)?;
    Some(FewTexts { texts, ids })
}

/// The strings of an array, each with its bytes as a word if it is short.
fn short_texts<'a, O: OffsetSizeTrait>(
    array: &'a GenericStringArray<O>,
) -> impl Fn(usize) -> Option<(&'a str, Option<u64>)> {
    let (all, offsets) = (array.value_data(), array.value_offsets());
    move |row| {
        let text = array.is_valid(row).then(|| array.value(row))?;
        Some((text, short_at(all, offsets[row].as_usize(), text.len())))
    }
}

/// Strings of one morsel. Most columns repeat a few short ones, which a small cache finds without
/// hashing.
struct Local<'a> {
    texts: Vec<&'a str>,
    ids: HashMap<&'a str, u32>,
    cache: [Option<(u64, usize, u32)>; CACHE],
}

const CACHE: usize = 64;

impl Default for Local<'_> {
    fn default() -> Self {
        Self {
            texts: Vec::new(),
            ids: HashMap::new(),
            cache: [None; CACHE],
        }
    }
}

impl<'a> Local<'a> {
    /// As [`Self::of`]; `None` if there are more than `limit` strings.
    fn of_few(
        rows: Range<usize>,
        limit: usize,
        text: impl Fn(usize) -> Option<(&'a str, Option<u64>)>,
    ) -> Option<(Vec<u32>, Vec<&'a str>)> {
        let (mut local, mut ids) = (Self::default(), Vec::with_capacity(rows.len()));
        for row in rows {
            ids.push(text(row).map_or(NULL, |(text, word)| local.id(text, word)));
            if local.texts.len() > limit {
                return None;
            }
        }
        Some((ids, local.texts))
    }

    /// The ids of rows, and the strings by id. A short string is given with its bytes as a word.
    fn of(
        rows: Range<usize>,
        text: impl Fn(usize) -> Option<(&'a str, Option<u64>)>,
    ) -> (Vec<u32>, Vec<&'a str>) {
        let mut local = Self::default();
        let id = |row| text(row).map_or(NULL, |(text, word)| local.id(text, word));
        (rows.map(id).collect(), local.texts)
    }

    #[inline]
    fn id(&mut self, text: &'a str, word: Option<u64>) -> u32 {
        let Some(word) = word else {
            return self.intern(text);
        };
        let slot = (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize;
        match self.cache[slot] {
            Some((known, length, id)) if known == word && length == text.len() => id,
            _ => {
                let id = self.intern(text);
                self.cache[slot] = Some((word, text.len(), id));
                id
            }
        }
    }

    fn intern(&mut self, text: &'a str) -> u32 {
        let next = self.texts.len() as u32;
        let id = *self.ids.entry(text).or_insert(next);
        if id == next {
            self.texts.push(text);
        }
        id
    }
}

/// The strings of an [`Interner`] in order.
#[derive(Debug)]
pub struct Sorted {
    /// The strings.
    pub values: Vec<String>,
    ranks: Vec<u32>,
}

impl Sorted {
    /// The rank of an id.
    pub fn rank(&self, id: NullsLast<u32>) -> NullsLast<u32> {
        id.map(|id| self.ranks[id as usize])
    }

    /// The strings as a pool to write columns from.
    pub fn pool(&self) -> StringPool<'_> {
        StringPool::new(self.values.iter().map(String::as_str))
    }

    /// The string of a rank.
    pub fn value(&self, rank: NullsLast<u32>) -> Option<&str> {
        rank.get().map(|rank| self.values[rank as usize].as_str())
    }
}
