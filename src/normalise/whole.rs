//! Canonical columns made as a whole: numbers and times taken as they are, and strings of which a
//! column repeats few.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, Int32Array, Int64Array, UInt16Array};
use arrow::array::{StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Int32Type;

use crate::columns::column::Column;
use crate::columns::interner::{FewTexts, few_texts};
use crate::columns::write::StringPool;
use crate::direction::rules::Direction;
use crate::error::Result;
use crate::flow::protocols;
use crate::normalise::spec::{Field, Kind};
use crate::normalise::values::{Cells, LogColumn, YEARS};

impl Cells<'_> {
    /// Whether a row has the same string as another column of a table.
    pub(super) fn is_same(&self, other: &Cells<'_>, row: usize) -> bool {
        match (&self.values, &other.values) {
            (LogColumn::Column(Column::Text(own)), LogColumn::Column(Column::Text(other))) => {
                own.get(row) == other.get(row)
            }
            _ => false,
        }
    }

    /// The strings of a column of a table, if it repeats few.
    pub(super) fn few_texts(&self) -> Option<FewTexts<'_>> {
        const ROWS_PER_TEXT: usize = 8;
        match &self.values {
            LogColumn::Column(Column::Text(text)) => {
                few_texts(text, (text.len() / ROWS_PER_TEXT).max(1))
            }
            _ => None,
        }
    }
}

/// The canonical column of a field; `None` if its values have to be looked at row by row.
pub fn column(field: &Field, cells: &[Cells<'_>], as_dictionary: bool) -> Option<Result<ArrayRef>> {
    let has_conditions = [&field.when, &field.when_any, &field.unless]
        .iter()
        .any(|conditions| !conditions.is_empty());
    let made = match (field.kind, cells) {
        (Kind::Time(_), [one]) => Arc::new(times(one)?) as ArrayRef,
        (Kind::Count | Kind::Total, _) if !has_conditions => Arc::new(counts(field, cells)?),
        (Kind::Port, [one]) => Arc::new(ports(one)?),
        (Kind::Text | Kind::Direction | Kind::Protocol, [one]) => {
            return texts(field, one, as_dictionary);
        }
        _ => return None,
    };
    Some(Ok(made))
}

fn times(cells: &Cells<'_>) -> Option<TimestampMicrosecondArray> {
    let LogColumn::Column(Column::Time(times)) = &cells.values else {
        return None;
    };
    let span = (*YEARS.end(), *YEARS.start());
    let widened = |(first, last): (i64, i64), time: &i64| (first.min(*time), last.max(*time));
    let (first, last) = times.values().iter().fold(span, widened);
    let within = YEARS.contains(&first) && YEARS.contains(&last);
    within.then(|| times.clone().with_timezone("UTC"))
}

/// Integers that are not negative and mean no missing value.
fn integers<'a>(cells: &'a Cells<'_>) -> Option<&'a Int64Array> {
    let LogColumn::Column(Column::Int(integers)) = &cells.values else {
        return None;
    };
    let signs = integers.values().iter().fold(0, |all, value| all | value);
    (signs >= 0 && !cells.nulls.contains(&"0")).then_some(integers)
}

fn counts(field: &Field, cells: &[Cells<'_>]) -> Option<Int64Array> {
    let [first, others @ ..] = cells else {
        return None;
    };
    let mut sum = integers(first)?.clone();
    let needed = field.target == "flows" && !field.has_alternative;
    let is_whole = |counts: &Int64Array| counts.null_count() == 0;
    if (needed || !others.is_empty()) && !is_whole(&sum) {
        return None;
    }
    for other in others {
        let other = integers(other).filter(|counts| is_whole(counts))?;
        let pairs = sum.values().iter().zip(other.values());
        let values: Vec<i64> = pairs.map(|(one, other)| one.wrapping_add(*other)).collect();
        // The sum of two such integers that exceeds 64 bits is negative.
        if values.iter().fold(0, |all, value| all | value) < 0 {
            return None;
        }
        sum = values.into();
    }
    Some(sum)
}

fn ports(cells: &Cells<'_>) -> Option<UInt16Array> {
    let integers = integers(cells)?;
    let bits = integers.values().iter().fold(0, |all, value| all | value);
    u16::try_from(bits).ok()?;
    let ports = integers.values().iter().map(|port| *port as u16);
    Some(UInt16Array::new(
        ports.collect::<Vec<_>>().into(),
        integers.nulls().cloned(),
    ))
}

fn texts(field: &Field, cells: &Cells<'_>, as_dictionary: bool) -> Option<Result<ArrayRef>> {
    let few = cells.few_texts()?;
    let mut values = Vec::with_capacity(few.texts.len());
    for text in &few.texts {
        let text = cells.meaning(Cow::Borrowed(text));
        values.push(match field.kind {
            Kind::Direction => {
                let text = text.and_then(|text| mapped(text, &field.values));
                let direction = text.map(|text| Direction::parse(&text));
                // A bad value belongs to a row.
                let word = direction.map(|direction| direction.map(Direction::word));
                match word {
                    Some(None) => return None,
                    Some(Some(word)) => Some(Cow::Borrowed(word)),
                    None => None,
                }
            }
            Kind::Protocol => text.map(protocols::keyword),
            _ => text.and_then(|text| mapped(text, &field.values)),
        });
    }
    Some(written(&few, &values, as_dictionary))
}

/// Write a column of repeated strings, given by index.
fn written(
    few: &FewTexts<'_>,
    values: &[Option<Cow<'_, str>>],
    as_dictionary: bool,
) -> Result<ArrayRef> {
    let rows = few.rows();
    let index = |row| few.index(row).filter(|index| values[*index].is_some());
    let texts = values
        .iter()
        .map(|text| text.as_deref().unwrap_or_default());
    if !as_dictionary {
        return Ok(Arc::new(StringPool::new(texts).column(rows, index)?));
    }
    let keys: Int32Array = (0..rows)
        .map(|row| index(row).map(|index| index as i32))
        .collect();
    let texts: StringArray = texts.map(Some).collect();
    let dictionary = DictionaryArray::<Int32Type>::try_new(keys, Arc::new(texts))?;
    Ok(Arc::new(dictionary))
}

/// The value that a string maps to, or itself; an empty string is a missing value.
pub(super) fn mapped<'a>(
    text: Cow<'a, str>,
    values: &'a [(String, String)],
) -> Option<Cow<'a, str>> {
    let known = values
        .iter()
        .find(|(from, _)| from.eq_ignore_ascii_case(&text));
    known
        .map_or(Some(text), |(_, to)| Some(to.as_str().into()))
        .filter(|text| !text.is_empty())
}
