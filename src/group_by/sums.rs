//! Measures of groups, one column each.

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

/// Null; no sum of flows comes near this value.
const NONE: i64 = i64::MIN;

const OVERFLOW: Error = Error::Overflow("flows, bytes or packets of a group");

// Columns: flows, those of `SUMS`, first and last time, maximum bytes and packets of a record.
const FLOWS: usize = 0;
const FIRST: usize = FLOWS + 1 + SUMS.len();
const LAST: usize = FIRST + 1;
const MAX: usize = LAST + 1;
const COLUMNS: usize = MAX + 2;

/// Measures of groups. A sum of nulls is null; a column that no flows have is empty.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    columns: [Vec<i64>; COLUMNS],
    groups: usize,
    /// Initial capacity of columns.
    capacity: usize,
    overflow: bool,
}

/// Columns of flows, or of other sums, to be added to sums.
#[derive(Debug, Default)]
pub struct MeasureValues<'a> {
    columns: Vec<Column<'a>>,
    overflow: bool,
}

#[derive(Debug)]
struct Column<'a> {
    sum: usize,
    cells: Cells<'a>,
    /// Second cells; the larger value of both counts.
    or: Option<Cells<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Cells<'a> {
    values: &'a [i64],
    nulls: Option<&'a NullBuffer>,
}

impl<'a> MeasureValues<'a> {
    /// The measures of flows. A flow was last seen at its end or start, whichever is later.
    pub fn of(measures: &'a MeasureColumns) -> Self {
        let MeasureColumns {
            flows,
            sums,
            first,
            last,
            max,
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
        for (i, max) in max.iter().enumerate() {
            out.push(MAX + i, max.as_ref().map(Cells::of), None);
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

    /// A range of values; `None` if there may be nulls.
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

    /// Add a range of rows to the sums of their groups; return whether a sum overflows.
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
    /// Reserve memory for a number of groups.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            capacity,
            ..Self::default()
        }
    }

    /// Extend to a number of groups.
    pub fn resize(&mut self, groups: usize) {
        self.groups = groups;
        for column in self.columns.iter_mut().filter(|column| !column.is_empty()) {
            column.reserve_exact(groups.saturating_sub(column.len()));
            column.resize(groups, NONE);
        }
    }

    /// The sums as values to be added to others.
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

    /// Add a range of rows to their groups.
    pub fn add(&mut self, groups: &[u32], values: &MeasureValues, rows: Range<usize>) {
        self.overflow |= values.overflow;
        for column in &values.columns {
            let sums = &mut self.columns[column.sum];
            sums.resize(self.groups, NONE);
            let overflow = column.add_up(rows.clone(), groups, sums);
            self.overflow |= overflow;
        }
    }

    /// Append the chosen rows as groups of their own.
    pub fn append(&mut self, values: &MeasureValues, chosen: &[u32]) {
        let before = self.groups;
        for column in &values.columns {
            let sums = &mut self.columns[column.sum];
            let values = chosen.iter().map(|row| column.get(*row as usize));
            sums.reserve_exact(self.capacity.saturating_sub(sums.len()));
            sums.resize(before, NONE);
            sums.extend(values);
        }
        self.overflow |= values.overflow;
        self.resize(before + chosen.len());
    }

    /// The chosen groups in that order.
    #[must_use]
    pub fn select(&self, chosen: &[u32]) -> Self {
        let mut out = Self::default();
        out.append(&self.values(), chosen);
        out
    }

    /// Add up the groups of all parts; each part comes with the new group of each of its groups.
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

    /// A measure of a group; `bytes` and `packets` are those of both directions.
    pub fn get(&self, group: usize, measure: Measure) -> Result<Option<i64>> {
        let sum = |i: usize| self.value(FLOWS + 1 + i, group);
        let both = |a: Option<i64>, b: Option<i64>| match (a, b) {
            (Some(a), Some(b)) => a.checked_add(b).map(Some).ok_or(OVERFLOW),
            (a, b) => Ok(a.or(b)),
        };
        match measure {
            Measure::Flows => Ok(self.flows(group)),
            Measure::Sum(i) => Ok(sum(i)),
            Measure::Bytes => both(sum(1), sum(2)),
            Measure::Packets => both(sum(3), sum(4)),
        }
    }

    /// Flows of a group.
    pub fn flows(&self, group: usize) -> Option<i64> {
        self.value(FLOWS, group)
    }

    /// An error if a sum of any group exceeds 64 bits.
    pub fn check(&self) -> Result<()> {
        if self.overflow { Err(OVERFLOW) } else { Ok(()) }
    }

    /// Maximum bytes and packets of a record of a group.
    pub fn max(&self, group: usize) -> [Option<i64>; 2] {
        [MAX, MAX + 1].map(|column| self.value(column, group))
    }

    fn value(&self, column: usize, group: usize) -> Option<i64> {
        let value = self.columns[column].get(group).copied();
        value.filter(|value| *value != NONE)
    }

    /// The measures as columns; `flows_name` is the name of the first.
    pub fn into_columns(self, flows_name: &str) -> Result<Vec<(Field, ArrayRef)>> {
        self.check()?;
        // Absent columns share one buffer.
        let absent = nullable(vec![NONE; self.groups]);
        let mut out = Vec::with_capacity(MAX);
        for (i, values) in self.columns.into_iter().enumerate().take(MAX) {
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

/// Add values to the sums of a column, each with its slot; return whether a sum overflows.
#[inline]
fn add_up(column: usize, sums: &mut [i64], values: impl Iterator<Item = (u32, i64)>) -> bool {
    // One less than NONE is more than any time.
    let before = |time: i64| time.wrapping_sub(1);
    let mut overflow = false;
    match column {
        FIRST => values.for_each(|(slot, value)| {
            let first = &mut sums[slot as usize];
            *first = before(*first).min(before(value)).wrapping_add(1);
        }),
        LAST.. => values.for_each(|(slot, value)| {
            let last = &mut sums[slot as usize];
            *last = value.max(*last);
        }),
        _ => values.for_each(|(slot, value)| {
            let sum = &mut sums[slot as usize];
            if *sum == NONE {
                *sum = value;
            } else if value != NONE {
                let (total, overflows) = sum.overflowing_add(value);
                *sum = total;
                overflow |= overflows;
            }
        }),
    }
    overflow
}

/// A measure to rank groups by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Allowed flows.
    Flows,
    /// One of [`SUMS`].
    Sum(usize),
    /// Bytes in both directions.
    Bytes,
    /// Packets in both directions.
    Packets,
}

impl Measure {
    /// Parse the name of a measure.
    pub fn parse(name: &str) -> Result<Self> {
        let sum = || SUMS.iter().position(|sum| *sum == name).map(Self::Sum);
        match name {
            "flows" | "TotalAllowedFlows" => Ok(Self::Flows),
            "bytes" => Ok(Self::Bytes),
            "packets" => Ok(Self::Packets),
            _ => sum().ok_or_else(|| {
                Error::Argument(format!(
                    "by must be one of flows, bytes, packets, {}, got {name:?}",
                    SUMS.join(", ")
                ))
            }),
        }
    }
}
