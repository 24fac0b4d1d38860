//! Columns of delimited values in the types of their fields.
//!
//! A column becomes numbers if all of its values in a part of the text are plain ones, which are
//! nearly all; otherwise it stays strings, and the values are looked at one by one.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, DictionaryArray, DurationMicrosecondArray, Int32Array,
    Int64Array, NullBufferBuilder, PrimitiveArray, RecordBatch, RecordBatchOptions, StringArray,
    StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    DurationMicrosecondType, Field, Int64Type, Schema, TimestampMicrosecondType,
};

use crate::columns::interner::few_of;
use crate::columns::text::short_at;
use crate::error::Result;
use crate::normalise::decimals::{decimal, leading_digits};
use crate::normalise::spec::{Number, Spec};
use crate::normalise::values::YEARS;

/// Start and end of a value in the text.
pub type Span = (u32, u32);

/// Maximum number of different strings of a column that is encoded by a dictionary.
const MAX_DISTINCT: usize = 64;

/// Maximum digits of an integer that needs no check for overflow.
const MAX_DIGITS: usize = 18;

/// The values of columns, given by their positions in a text.
pub fn batch(
    text: &str,
    columns: &[Vec<Span>],
    names: &[&str],
    spec: &Spec,
) -> Result<RecordBatch> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (name, spans) in names.iter().zip(columns) {
        let column = Column { text, spans, spec };
        let number = spec.number(name).and_then(|number| column.numbers(number));
        let array = number.unwrap_or_else(|| column.strings());
        fields.push(Field::new(*name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let rows = columns.first().map_or(0, Vec::len);
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let schema = Arc::new(Schema::new(fields));
    Ok(RecordBatch::try_new_with_options(schema, arrays, &options)?)
}

struct Column<'a> {
    text: &'a str,
    spans: &'a [Span],
    spec: &'a Spec,
}

impl<'a> Column<'a> {
    fn value(&self, (start, end): Span) -> &'a str {
        &self.text[start as usize..end as usize]
    }

    fn is_null(&self, value: &str) -> bool {
        value.is_empty() || self.spec.nulls.iter().any(|null| null == value)
    }

    /// The column as numbers, if all values are plain ones or missing.
    fn numbers(&self, number: Number) -> Option<ArrayRef> {
        Some(match number {
            Number::Integer => {
                let integers: Int64Array = self.parsed::<Int64Type>(integer)?;
                Arc::new(integers)
            }
            Number::Time(unit) => {
                let time =
                    |text: &str| decimal(text, unit.micros()).filter(|time| YEARS.contains(time));
                let times: TimestampMicrosecondArray =
                    self.parsed::<TimestampMicrosecondType>(time)?;
                Arc::new(times.with_timezone("UTC"))
            }
            Number::Duration(unit) => {
                let length = |text: &str| decimal(text, unit.micros());
                let lengths: DurationMicrosecondArray =
                    self.parsed::<DurationMicrosecondType>(length)?;
                Arc::new(lengths)
            }
        })
    }

    fn parsed<T: ArrowPrimitiveType<Native = i64>>(
        &self,
        parse: impl Fn(&str) -> Option<i64>,
    ) -> Option<PrimitiveArray<T>> {
        let mut values = Vec::with_capacity(self.spans.len());
        let mut nulls = NullBufferBuilder::new(self.spans.len());
        for span in self.spans {
            let text = self.value(*span);
            if let Some(value) = parse(text) {
                values.push(value);
                nulls.append_non_null();
            } else if self.is_null(text) {
                values.push(0);
                nulls.append_null();
            } else {
                return None;
            }
        }
        Some(PrimitiveArray::new(values.into(), nulls.finish()))
    }

    /// The column as strings, encoded by a dictionary if it repeats few.
    fn strings(&self) -> ArrayRef {
        let bytes = self.text.as_bytes();
        let few = few_of(self.spans.len(), MAX_DISTINCT, |row| {
            let (start, end) = self.spans[row];
            let length = (end - start) as usize;
            let word = (length <= size_of::<u64>())
                .then(|| short_at(bytes, start as usize, length))
                .flatten();
            Some((self.value(self.spans[row]), word))
        });
        let dictionary = few.and_then(|few| {
            let keys: Int32Array = (0..few.rows())
                .map(|row| few.index(row).map(|index| index as i32))
                .collect();
            let values: StringArray = few.texts.iter().map(|text| Some(*text)).collect();
            DictionaryArray::try_new(keys, Arc::new(values)).ok()
        });
        if let Some(dictionary) = dictionary {
            return Arc::new(dictionary);
        }
        let size = self.spans.iter().map(|(start, end)| (end - start) as usize);
        let mut strings = StringBuilder::with_capacity(self.spans.len(), size.sum());
        for span in self.spans {
            strings.append_value(self.value(*span));
        }
        Arc::new(strings.finish())
    }
}

/// An integer of digits in its usual notation, so that its text can be written again.
#[inline]
fn integer(text: &str) -> Option<i64> {
    match (leading_digits(text.as_bytes()), text.as_bytes()) {
        (_, [] | [b'0', _, ..]) => None,
        ((number, []), digits) if digits.len() <= MAX_DIGITS => Some(number),
        _ => None,
    }
}
