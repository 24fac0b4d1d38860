//! What is summed for every group.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field};

use crate::error::{Error, Result};
use crate::flows::MeasureColumns;
use crate::schema::{SUMS, timestamp};

const OVERFLOW: u8 = 1 << 7;

/// Sums of a group. A sum is null while every value was null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measures {
    /// Allowed flows.
    pub flows: i64,
    sums: [i64; SUMS.len()],
    first: i64,
    last: i64,
    present: u8,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            flows: 0,
            sums: [0; SUMS.len()],
            first: i64::MAX,
            last: i64::MIN,
            present: 0,
        }
    }
}

impl Measures {
    /// Adds one row.
    pub fn add_row(&mut self, columns: &MeasureColumns, row: usize) {
        self.flows = add(self.flows, columns.flows.value(row), &mut self.present);
        for (i, column) in columns.sums.iter().enumerate() {
            if let Some(column) = column.as_ref().filter(|column| column.is_valid(row)) {
                self.sums[i] = add(self.sums[i], column.value(row), &mut self.present);
                self.present |= 1 << i;
            }
        }
        let time = |column: &Option<TimestampMicrosecondArray>| {
            column
                .as_ref()
                .and_then(|c| c.is_valid(row).then(|| c.value(row)))
        };
        let (start, end) = (time(&columns.first), time(&columns.last));
        for time in [start, end].into_iter().flatten() {
            self.last = self.last.max(time);
        }
        if let Some(start) = start {
            self.first = self.first.min(start);
        }
    }

    /// Adds another group.
    pub fn add(&mut self, other: &Self) {
        self.present |= other.present;
        self.flows = add(self.flows, other.flows, &mut self.present);
        for (sum, value) in self.sums.iter_mut().zip(other.sums) {
            *sum = add(*sum, value, &mut self.present);
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }

    /// A measure by its name, for ranking; `bytes` and `packets` are those of both ways.
    pub fn get(&self, measure: Measure) -> Option<i64> {
        let sum = |i: usize| (self.present & 1 << i != 0).then_some(self.sums[i]);
        let both = |a: Option<i64>, b: Option<i64>| match (a, b) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
        match measure {
            Measure::Flows => Some(self.flows),
            Measure::Sum(i) => sum(i),
            Measure::Bytes => both(sum(1), sum(2)),
            Measure::Packets => both(sum(3), sum(4)),
        }
    }
}

fn add(sum: i64, value: i64, present: &mut u8) -> i64 {
    let (sum, overflow) = sum.overflowing_add(value);
    if overflow {
        *present |= OVERFLOW;
    }
    sum
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

/// The measures of all groups as columns, the first under the given name.
pub fn columns<'a>(
    flows_name: &str,
    groups: impl ExactSizeIterator<Item = &'a Measures> + Clone,
) -> Result<Vec<(Field, ArrayRef)>> {
    if groups.clone().any(|m| m.present & OVERFLOW != 0) {
        return Err(Error::Overflow("flows, bytes or packets of a group"));
    }
    let int = |name: &str, values: Int64Array| {
        let field = Field::new(name, DataType::Int64, true);
        (field, Arc::new(values) as ArrayRef)
    };
    let mut out = vec![int(
        flows_name,
        groups.clone().map(|m| Some(m.flows)).collect(),
    )];
    for (i, name) in SUMS.iter().enumerate() {
        out.push(int(
            name,
            groups.clone().map(|m| m.get(Measure::Sum(i))).collect(),
        ));
    }
    let firsts: TimestampMicrosecondArray = groups
        .clone()
        .map(|m| (m.first != i64::MAX).then_some(m.first))
        .collect();
    let lasts: TimestampMicrosecondArray = groups
        .map(|m| (m.last != i64::MIN).then_some(m.last))
        .collect();
    for (name, times) in [("first_seen", firsts), ("last_seen", lasts)] {
        let times: ArrayRef = Arc::new(times.with_timezone("UTC"));
        out.push((Field::new(name, timestamp(), true), times));
    }
    Ok(out)
}
