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
const MOST: usize = LAST + 1;
const COLUMNS: usize = MOST + 2;

/// Sums of groups. A sum is null while every value was null; a column that no flows had is empty.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    flows: Vec<i64>,
    /// Those of [`SUMS`], then the first and the last time, then the most bytes and packets of a
    /// record.
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
        for (column, values) in self.columns[MOST..].iter_mut().zip(&rows.most) {
            if let Some(values) = values {
                each(column, groups, pairs, values, |most, value| {
                    *most = value.max(*most);
                });
            }
        }
    }

    /// Adds a group of other sums to one of these.
    pub fn add_group(&mut self, group: usize, other: &Self, from: usize) {
        self.overflow |= other.overflow | add(&mut self.flows[group], other.flows[from]);
        for (i, values) in other.columns.iter().enumerate() {
            let Some(&value) = values.get(from) else {
                continue;
            };
            let column = &mut self.columns[i];
            column.resize(self.flows.len(), NONE);
            self.overflow |= combine(i, &mut column[group], value);
        }
    }

    /// Groups chosen from several parts, in the order of `chosen`.
    #[must_use]
    pub fn gather<T>(
        parts: &[Self],
        chosen: &[T],
        part_and_group: impl Fn(&T) -> (usize, usize),
    ) -> Self {
        let column = |i: usize| -> Vec<i64> {
            if parts.iter().all(|part| part.columns[i].is_empty()) {
                return Vec::new();
            }
            let sum = |entry| {
                let (part, group) = part_and_group(entry);
                parts[part].columns[i].get(group).copied().unwrap_or(NONE)
            };
            chosen.iter().map(sum).collect()
        };
        let flows = |entry| {
            let (part, group) = part_and_group(entry);
            parts[part].flows[group]
        };
        Self {
            flows: chosen.iter().map(flows).collect(),
            columns: std::array::from_fn(column),
            overflow: parts.iter().any(|part| part.overflow),
        }
    }

    /// Adds up groups: each of every part to the group that stands beside the part at its place.
    #[must_use]
    pub fn regroup(parts: &[(&Self, &[u32])], groups: usize) -> Self {
        let mut flows = vec![0; groups];
        let mut overflow = parts.iter().any(|(part, _)| part.overflow);
        for (part, into) in parts {
            for (value, group) in part.flows.iter().zip(*into) {
                overflow |= add(&mut flows[*group as usize], *value);
            }
        }
        let column = |i: usize| {
            let mut sums = Vec::new();
            let mut overflow = false;
            for (part, into) in parts.iter().filter(|(part, _)| !part.columns[i].is_empty()) {
                sums.resize(groups, NONE);
                for (value, group) in part.columns[i].iter().zip(*into) {
                    overflow |= combine(i, &mut sums[*group as usize], *value);
                }
            }
            (sums, overflow)
        };
        let columns: Vec<_> = (0..COLUMNS).into_par_iter().map(column).collect();
        let mut out = Self {
            flows,
            overflow,
            ..Self::default()
        };
        for (to, (sums, overflow)) in out.columns.iter_mut().zip(columns) {
            *to = sums;
            out.overflow |= overflow;
        }
        out
    }

    /// A measure of a group; `bytes` and `packets` are those of both ways.
    pub fn get(&self, group: usize, measure: Measure) -> Option<i64> {
        let sum = |i: usize| self.value(i, group);
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

    /// The most bytes and the most packets of a record of a group.
    pub fn most(&self, group: usize) -> [Option<i64>; 2] {
        [MOST, MOST + 1].map(|column| self.value(column, group))
    }

    fn value(&self, column: usize, group: usize) -> Option<i64> {
        let value = self.columns[column].get(group).copied();
        value.filter(|value| *value != NONE)
    }

    /// The measures as columns, the first under the given name.
    pub fn into_columns(self, flows_name: &str) -> Result<Vec<(Field, ArrayRef)>> {
        if self.overflow {
            return Err(Error::Overflow("flows, bytes or packets of a group"));
        }
        let groups = self.flows.len();
        let flows: ArrayRef = Arc::new(Int64Array::from(self.flows));
        let mut out = vec![(Field::new(flows_name, DataType::Int64, true), flows)];
        for (i, values) in self.columns.into_iter().enumerate().take(MOST) {
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

/// Adds a value to a sum of one of the columns; tells whether it overflows.
fn combine(column: usize, sum: &mut i64, value: i64) -> bool {
    match column {
        _ if value == NONE => {}
        _ if *sum == NONE => *sum = value,
        FIRST => *sum = value.min(*sum),
        LAST.. => *sum = value.max(*sum),
        _ => return add(sum, value),
    }
    false
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
