//! What is summed for every group, a column for each measure.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, TimestampMicrosecondArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::flows::MeasureColumns;
use crate::schema::{SUMS, timestamp};

/// A sum of which no value was seen yet; no sum of flows comes near it.
const NONE: i64 = i64::MIN;
const FIRST: usize = SUMS.len();
const LAST: usize = FIRST + 1;
const COLUMNS: usize = LAST + 1;

/// Sums of groups. A sum is null while every value was null; a column that no flows had is empty.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    flows: Vec<i64>,
    /// Those of [`SUMS`], then the first and the last time.
    columns: [Vec<i64>; COLUMNS],
    overflow: bool,
}

impl Sums {
    /// Makes room for groups up to a number.
    pub fn resize(&mut self, groups: usize) {
        self.flows.resize(groups, 0);
        for column in self.columns.iter_mut().filter(|column| !column.is_empty()) {
            column.resize(groups, NONE);
        }
    }

    /// Adds rows, each to the group beside it.
    pub fn add_rows(&mut self, pairs: &[(u32, u32)], rows: &MeasureColumns) {
        let mut overflow = false;
        for (group, row) in pairs {
            let sum = &mut self.flows[*group as usize];
            overflow |= add(sum, rows.flows.value(*row as usize));
        }
        let groups = self.flows.len();
        for (column, values) in self.columns.iter_mut().zip(&rows.sums) {
            if let Some(values) = values {
                each(column, groups, pairs, values, |sum, value| {
                    if *sum == NONE {
                        *sum = value;
                    } else {
                        overflow |= add(sum, value);
                    }
                });
            }
        }
        self.overflow |= overflow;
        if let Some(times) = &rows.first {
            each(
                &mut self.columns[FIRST],
                groups,
                pairs,
                times,
                |first, time| {
                    *first = if *first == NONE {
                        time
                    } else {
                        time.min(*first)
                    };
                },
            );
        }
        for times in [&rows.first, &rows.last].into_iter().flatten() {
            each(
                &mut self.columns[LAST],
                groups,
                pairs,
                times,
                |last, time| {
                    *last = time.max(*last);
                },
            );
        }
    }

    /// Adds a group of other sums to one of these.
    pub fn add_group(&mut self, group: usize, other: &Self, from: usize) {
        self.overflow |= other.overflow | add(&mut self.flows[group], other.flows[from]);
        for (i, values) in other.columns.iter().enumerate() {
            let Some(&value) = values.get(from).filter(|value| **value != NONE) else {
                continue;
            };
            let column = &mut self.columns[i];
            column.resize(self.flows.len(), NONE);
            let sum = &mut column[group];
            match i {
                _ if *sum == NONE => *sum = value,
                FIRST => *sum = value.min(*sum),
                LAST => *sum = value.max(*sum),
                _ => self.overflow |= add(sum, value),
            }
        }
    }

    /// The groups of several parts one after the other.
    pub fn concat(parts: Vec<Self>) -> Self {
        let groups = parts.iter().map(|part| part.flows.len()).sum();
        let mut all = Self {
            overflow: parts.iter().any(|part| part.overflow),
            ..Self::default()
        };
        all.flows.reserve(groups);
        for part in parts {
            let before = all.flows.len();
            all.flows.extend_from_slice(&part.flows);
            for (column, values) in all.columns.iter_mut().zip(part.columns) {
                if !values.is_empty() {
                    column.reserve(groups - column.len());
                    column.resize(before, NONE);
                    column.extend_from_slice(&values);
                }
            }
            for column in all.columns.iter_mut().filter(|column| !column.is_empty()) {
                column.resize(all.flows.len(), NONE);
            }
        }
        all
    }

    /// The groups in the order of `places`.
    #[must_use]
    pub fn gather<T: Sync>(&self, order: &[T], place: impl Fn(&T) -> usize + Sync) -> Self {
        let column = |values: &Vec<i64>| -> Vec<i64> {
            if values.is_empty() {
                return Vec::new();
            }
            order.par_iter().map(|entry| values[place(entry)]).collect()
        };
        Self {
            flows: column(&self.flows),
            columns: std::array::from_fn(|i| column(&self.columns[i])),
            overflow: self.overflow,
        }
    }

    /// A measure of a group; `bytes` and `packets` are those of both ways.
    pub fn get(&self, group: usize, measure: Measure) -> Option<i64> {
        let sum = |i: usize| {
            self.columns[i]
                .get(group)
                .copied()
                .filter(|sum| *sum != NONE)
        };
        let both = |a: Option<i64>, b: Option<i64>| match (a, b) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
        match measure {
            Measure::Flows => Some(self.flows[group]),
            Measure::Sum(i) => sum(i),
            Measure::Bytes => both(sum(1), sum(2)),
            Measure::Packets => both(sum(3), sum(4)),
        }
    }

    /// The measures as columns, the first under the given name.
    pub fn into_columns(self, flows_name: &str) -> Result<Vec<(Field, ArrayRef)>> {
        if self.overflow {
            return Err(Error::Overflow("flows, bytes or packets of a group"));
        }
        let groups = self.flows.len();
        let flows: ArrayRef = Arc::new(Int64Array::from(self.flows));
        let mut out = vec![(Field::new(flows_name, DataType::Int64, true), flows)];
        for (i, values) in self.columns.into_iter().enumerate() {
            let (values, nulls) = nullable(values, groups);
            out.push(match i {
                FIRST | LAST => {
                    let name = if i == FIRST {
                        "first_seen"
                    } else {
                        "last_seen"
                    };
                    let times = TimestampMicrosecondArray::new(values, nulls).with_timezone("UTC");
                    (
                        Field::new(name, timestamp(), true),
                        Arc::new(times) as ArrayRef,
                    )
                }
                _ => (
                    Field::new(SUMS[i], DataType::Int64, true),
                    Arc::new(Int64Array::new(values, nulls)),
                ),
            });
        }
        Ok(out)
    }
}

fn nullable(mut values: Vec<i64>, groups: usize) -> (ScalarBuffer<i64>, Option<NullBuffer>) {
    values.resize(groups, NONE);
    let nulls = values
        .contains(&NONE)
        .then(|| values.iter().map(|value| *value != NONE).collect());
    (values.into(), nulls)
}

fn add(sum: &mut i64, value: i64) -> bool {
    let (total, overflow) = sum.overflowing_add(value);
    *sum = total;
    overflow
}

fn each<T: arrow::datatypes::ArrowPrimitiveType<Native = i64>>(
    column: &mut Vec<i64>,
    groups: usize,
    pairs: &[(u32, u32)],
    values: &arrow::array::PrimitiveArray<T>,
    mut combine: impl FnMut(&mut i64, i64),
) {
    column.resize(groups, NONE);
    let nulls = values.nulls().filter(|nulls| nulls.null_count() > 0);
    for (group, row) in pairs {
        let row = *row as usize;
        if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
            combine(&mut column[*group as usize], values.value(row));
        }
    }
}

/// What groups can be ranked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Allowed flows.
    Flows,
    /// One of [`SUMS`].
    Sum(usize),
    /// Bytes of both ways.
    Bytes,
    /// Packets of both ways.
    Packets,
}

impl Measure {
    /// Reads the name of a measure.
    pub fn parse(name: &str) -> Result<Self> {
        let sum = || SUMS.iter().position(|sum| *sum == name).map(Self::Sum);
        match name {
            "flows" | "TotalAllowedFlows" => Ok(Self::Flows),
            "bytes" => Ok(Self::Bytes),
            "packets" => Ok(Self::Packets),
            _ => sum().ok_or_else(|| {
                Error::Argument(format!(
                    "by={name:?} is not a measure; choose one of flows, bytes, packets, {}",
                    SUMS.join(", ")
                ))
            }),
        }
    }
}
