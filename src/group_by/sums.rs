//! What is summed for every group, a column for each measure.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::TimestampMicrosecondArray;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, Int64Array, PrimitiveArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::flow::batch::MeasureColumns;
use crate::flow::schema::{SUMS, timestamp};

/// A sum of which no value was seen yet; no sum of flows comes near it.
const NONE: i64 = i64::MIN;

// Columns: flows, those of `SUMS`, the first and the last time, the most bytes and packets of a
// record.
const FLOWS: usize = 0;
const FIRST: usize = FLOWS + 1 + SUMS.len();
const LAST: usize = FIRST + 1;
const MOST: usize = LAST + 1;
const COLUMNS: usize = MOST + 2;

/// Sums of groups. A sum is null while every value was null; a column that no flows had is empty.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    columns: [Vec<i64>; COLUMNS],
    groups: usize,
    /// Groups that columns have room for from the beginning.
    room: usize,
    overflow: bool,
}

/// Columns of flows, or of other sums, as what can be added to sums.
#[derive(Debug, Default)]
pub struct MeasureValues<'a> {
    columns: Vec<Column<'a>>,
    overflow: bool,
}

#[derive(Debug)]
struct Column<'a> {
    sum: usize,
    cells: Cells<'a>,
    /// Others, where the greater of both counts.
    or: Option<Cells<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Cells<'a> {
    values: &'a [i64],
    nulls: Option<&'a NullBuffer>,
}

impl<'a> MeasureValues<'a> {
    /// The measures of flows. A flow was last seen when it ended or began, whichever is later.
    pub fn of(measures: &'a MeasureColumns) -> Self {
        let MeasureColumns {
            flows,
            sums,
            first,
            last,
            most,
        } = measures;
        let mut out = Self::default();
        out.push(FLOWS, Some(Cells::of(flows)), None);
        for (i, sum) in sums.iter().enumerate() {
            out.push(FLOWS + 1 + i, sum.as_ref().map(Cells::of), None);
        }
        let [first, last] = [first, last].map(|times| times.as_ref().map(Cells::of));
        out.push(FIRST, first, None);
        match last {
            Some(_) => out.push(LAST, last, first),
            None => out.push(LAST, first, None),
        }
        for (i, most) in most.iter().enumerate() {
            out.push(MOST + i, most.as_ref().map(Cells::of), None);
        }
        out
    }

    fn push(&mut self, sum: usize, cells: Option<Cells<'a>>, or: Option<Cells<'a>>) {
        self.columns
            .extend(cells.map(|cells| Column { sum, cells, or }));
    }
}

impl<'a> Cells<'a> {
    fn of<T: ArrowPrimitiveType<Native = i64>>(array: &'a PrimitiveArray<T>) -> Self {
        Self {
            values: array.values(),
            nulls: array.nulls().filter(|nulls| nulls.null_count() > 0),
        }
    }

    /// The value of a row, or [`NONE`].
    #[inline]
    fn get(&self, row: usize) -> i64 {
        match self.nulls {
            Some(nulls) if nulls.is_null(row) => NONE,
            _ => self.values[row],
        }
    }

    /// A range of values, if none is null.
    fn full(&self, rows: &Range<usize>) -> Option<&'a [i64]> {
        self.nulls
            .is_none()
            .then(|| &self.values[rows.start..rows.end])
    }
}

impl Column<'_> {
    /// The value of a row, or [`NONE`].
    #[inline]
    fn get(&self, row: usize) -> i64 {
        let value = self.cells.get(row);
        self.or.map_or(value, |or| value.max(or.get(row)))
    }

    /// Adds up a range of rows, each for the group at its place; tells whether a sum overflows.
    fn add_up(&self, rows: Range<usize>, groups: &[u32], sums: &mut [i64]) -> bool {
        let groups = groups.iter().copied();
        let or = self.or.as_ref().map(|or| or.full(&rows));
        match (self.cells.full(&rows), or) {
            (Some(values), None) => add_up(self.sum, sums, groups.zip(values.iter().copied())),
            (Some(values), Some(Some(others))) => {
                let both = values.iter().zip(others);
                let values = both.map(|(value, other)| *value.max(other));
                add_up(self.sum, sums, groups.zip(values))
            }
            _ => add_up(self.sum, sums, groups.zip(rows.map(|row| self.get(row)))),
        }
    }
}

impl Sums {
    /// No groups yet, but room for a number of them.
    pub fn with_room(room: usize) -> Self {
        Self {
            room,
            ..Self::default()
        }
    }

    /// Makes groups up to a number.
    pub fn resize(&mut self, groups: usize) {
        self.groups = groups;
        for column in self.columns.iter_mut().filter(|column| !column.is_empty()) {
            column.reserve_exact(groups.saturating_sub(column.len()));
            column.resize(groups, NONE);
        }
    }

    /// All groups, to be added to others.
    pub fn values(&self) -> MeasureValues<'_> {
        let columns = self.columns.iter().enumerate();
        MeasureValues {
            columns: columns
                .filter(|(_, values)| !values.is_empty())
                .map(|(sum, values)| Column {
                    sum,
                    cells: Cells {
                        values,
                        nulls: None,
                    },
                    or: None,
                })
                .collect(),
            overflow: self.overflow,
        }
    }

    /// Adds a range of rows, each to the group at its place.
    pub fn add(&mut self, groups: &[u32], values: &MeasureValues, rows: Range<usize>) {
        self.overflow |= values.overflow;
        for column in &values.columns {
            let sums = &mut self.columns[column.sum];
            sums.resize(self.groups, NONE);
            let overflow = column.add_up(rows.clone(), groups, sums);
            self.overflow |= overflow;
        }
    }

    /// Appends rows as groups of their own, in the order of `chosen`.
    pub fn append(&mut self, values: &MeasureValues, chosen: &[u32]) {
        let before = self.groups;
        for column in &values.columns {
            let sums = &mut self.columns[column.sum];
            let values = chosen.iter().map(|row| column.get(*row as usize));
            sums.reserve_exact(self.room.saturating_sub(sums.len()));
            sums.resize(before, NONE);
            sums.extend(values);
        }
        self.overflow |= values.overflow;
        self.resize(before + chosen.len());
    }

    /// Groups in the order of `chosen`.
    #[must_use]
    pub fn select(&self, chosen: &[u32]) -> Self {
        let mut out = Self::default();
        out.append(&self.values(), chosen);
        out
    }

    /// Adds up groups: each of every part to the group that stands beside the part at its place.
    #[must_use]
    pub fn regroup(parts: &[(&Self, &[u32])], groups: usize) -> Self {
        let column = |i: usize| {
            let mut sums = Vec::new();
            let mut overflow = false;
            for (part, into) in parts.iter().filter(|(part, _)| !part.columns[i].is_empty()) {
                sums.resize(groups, NONE);
                let values = part.columns[i].iter().copied();
                overflow |= add_up(i, &mut sums, into.iter().copied().zip(values));
            }
            (sums, overflow)
        };
        let columns: Vec<_> = (0..COLUMNS).into_par_iter().map(column).collect();
        let mut out = Self {
            groups,
            overflow: parts.iter().any(|(part, _)| part.overflow),
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
        let sum = |i: usize| self.value(FLOWS + 1 + i, group);
        let both = |a: Option<i64>, b: Option<i64>| match (a, b) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
        match measure {
            Measure::Flows => self.value(FLOWS, group),
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
        // Columns that no flows had share one buffer.
        let absent = nullable(vec![NONE; self.groups]);
        let mut out = Vec::with_capacity(MOST);
        for (i, values) in self.columns.into_iter().enumerate().take(MOST) {
            let (values, nulls) = if values.is_empty() {
                absent.clone()
            } else {
                nullable(values)
            };
            let name = match i {
                FLOWS => flows_name,
                FIRST => "first_seen",
                LAST => "last_seen",
                _ => SUMS[i - FLOWS - 1],
            };
            let (kind, array): (_, ArrayRef) = if matches!(i, FIRST | LAST) {
                let times = TimestampMicrosecondArray::new(values, nulls).with_timezone("UTC");
                (timestamp(), Arc::new(times))
            } else {
                (DataType::Int64, Arc::new(Int64Array::new(values, nulls)))
            };
            out.push((Field::new(name, kind, true), array));
        }
        Ok(out)
    }
}

fn nullable(values: Vec<i64>) -> (ScalarBuffer<i64>, Option<NullBuffer>) {
    let nulls = values
        .contains(&NONE)
        .then(|| values.iter().map(|value| *value != NONE).collect());
    (values.into(), nulls)
}

/// Adds values to the sums of one of the columns, each at the place beside it; tells whether one
/// overflows.
#[inline]
fn add_up(column: usize, sums: &mut [i64], values: impl Iterator<Item = (u32, i64)>) -> bool {
    // One less than NONE is more than any time.
    let before = |time: i64| time.wrapping_sub(1);
    let mut overflow = false;
    match column {
        FIRST => values.for_each(|(place, value)| {
            let first = &mut sums[place as usize];
            *first = before(*first).min(before(value)).wrapping_add(1);
        }),
        LAST.. => values.for_each(|(place, value)| {
            let last = &mut sums[place as usize];
            *last = value.max(*last);
        }),
        _ => values.for_each(|(place, value)| {
            let sum = &mut sums[place as usize];
            if *sum == NONE {
                *sum = value;
            } else if value != NONE {
                let (total, too_much) = sum.overflowing_add(value);
                *sum = total;
                overflow |= too_much;
            }
        }),
    }
    overflow
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
