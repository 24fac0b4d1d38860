//! A batch of flows, in the canonical schema or in that of the flow index.

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMicrosecondArray, UInt32Array,
};
use arrow::compute::take_record_batch;

use crate::columns::batch::find;
use crate::columns::cast::{first_negative, int64, micros};
use crate::columns::text::Text;
use crate::error::{Error, Result};
use crate::flow::schema::SUMS;
use crate::ip::Ip;
use crate::ip::column::Addresses;

/// The two schemas that every function accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Canonical,
    Index,
}

impl Layout {
    fn of(batch: &RecordBatch) -> Option<Self> {
        let has = |names: [&str; 3]| names.iter().all(|name| find(batch, name).is_some());
        if has(["src_ip", "dst_ip", "flows"]) {
            Some(Self::Canonical)
        } else if has(["source", "dest", "TotalAllowedFlows"]) {
            Some(Self::Index)
        } else {
            None
        }
    }
}

/// Names of columns in the canonical schema and in the flow index.
const NAMES: &[(&str, &str)] = &[
    ("src_ip", "source"),
    ("dst_ip", "dest"),
    ("service", "L7Protocol"),
    ("direction", "FlowDirection"),
    ("flows", "TotalAllowedFlows"),
    ("start_time", "first_seen"),
    ("end_time", "last_seen"),
];

/// A batch of flows. Rows are numbered from `first_row` in messages.
#[derive(Clone, Debug)]
pub struct FlowBatch {
    batch: RecordBatch,
    layout: Layout,
    first_row: usize,
    /// Whether addresses are numbers.
    is_projected: bool,
}

impl FlowBatch {
    /// Whether a batch has one of the two schemas.
    pub fn is_one(batch: &RecordBatch) -> bool {
        Layout::of(batch).is_some()
    }

    /// Wrap a batch in one of the two schemas.
    pub fn new(batch: RecordBatch, first_row: usize) -> Result<Self> {
        let Some(layout) = Layout::of(&batch) else {
            let names: Vec<_> = batch
                .schema_ref()
                .fields()
                .iter()
                .map(|f| f.name().as_str())
                .collect();
            return Err(Error::Schema(format!(
                "expected the columns of flows (src_ip, dst_ip, flows, …) or of a flow index (source, dest, TotalAllowedFlows, …), got {}",
                names.join(", ")
            )));
        };
        Ok(Self {
            batch,
            layout,
            first_row,
            is_projected: false,
        })
    }

    /// Wrap projected flows, as normalising makes them: addresses are numbers.
    pub fn projected(batch: RecordBatch, first_row: usize) -> Result<Self> {
        Ok(Self {
            is_projected: true,
            ..Self::new(batch, first_row)?
        })
    }

    /// The batch as given.
    pub fn record_batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// The name that a column, given by either of its names, has in this batch.
    fn name<'a>(&self, name: &'a str) -> &'a str {
        let pair = NAMES.iter().find(|(canonical, index)| {
            name.eq_ignore_ascii_case(canonical) || name.eq_ignore_ascii_case(index)
        });
        match (pair, self.layout) {
            (Some((canonical, _)), Layout::Canonical) => canonical,
            (Some((_, index)), Layout::Index) => index,
            (None, _) => name,
        }
    }

    /// A column by either of its names.
    pub fn column(&self, name: &str) -> Option<&ArrayRef> {
        find(&self.batch, self.name(name))
    }

    /// A column by either of its names; an error if it is absent.
    pub fn require(&self, name: &str) -> Result<&ArrayRef> {
        self.column(name)
            .ok_or_else(|| Error::Schema(format!("column {:?} is missing", self.name(name))))
    }

    /// Number of the first row in messages.
    pub fn first_row(&self) -> usize {
        self.first_row
    }

    /// A string column; null if it is absent.
    pub fn text(&self, name: &str) -> Result<Text> {
        match self.column(name) {
            Some(array) => Text::read(self.name(name), array),
            None => Ok(Text::Null(self.rows())),
        }
    }

    /// An address column; empty strings are null.
    pub fn addresses(&self, name: &str) -> Result<Addresses> {
        if self.is_projected {
            let numbers = self.require(name)?.as_primitive();
            return Ok(Addresses::of_numbers(numbers));
        }
        self.parse_addresses(name, Addresses::parse)
    }

    /// Rows of an address column that hold the address.
    pub fn rows_of(&self, name: &str, ip: Ip) -> Result<Vec<u32>> {
        self.parse_addresses(name, |text| Addresses::rows_of(text, ip))
    }

    fn parse_addresses<T>(
        &self,
        name: &str,
        read: impl Fn(&Text) -> Result<T, usize>,
    ) -> Result<T> {
        let text = Text::read(self.name(name), self.require(name)?)?;
        read(&text).map_err(|row| Error::Value {
            row: self.first_row + row,
            column: self.name(name).into(),
            value: text.get(row).unwrap_or_default().into(),
            reason: "is not an IP address",
        })
    }

    /// Take rows by index.
    pub fn take(&self, rows: &UInt32Array) -> Result<Self> {
        Ok(Self {
            batch: take_record_batch(&self.batch, rows)?,
            ..*self
        })
    }

    /// The start of every row, in microseconds.
    pub fn start_times(&self) -> Result<Option<TimestampMicrosecondArray>> {
        self.times("start_time")
    }

    fn times(&self, name: &str) -> Result<Option<TimestampMicrosecondArray>> {
        self.column(name)
            .map(|array| micros(self.name(name), array))
            .transpose()
    }

    /// A column of integers.
    pub fn integers(&self, name: &str) -> Result<Option<Int64Array>> {
        let read = |array: &ArrayRef| int64(self.name(name), array);
        let column = self.column(name).map(read).transpose();
        column.map_err(|error| error.at(|row| self.first_row + row))
    }

    /// A column of integers that are not negative.
    fn counts(&self, name: &str) -> Result<Option<Int64Array>> {
        let counts = self.integers(name)?;
        match counts.as_ref().and_then(first_negative) {
            None => Ok(counts),
            Some(row) => Err(Error::Value {
                row: self.first_row + row,
                column: self.name(name).into(),
                value: counts.map_or(0, |counts| counts.value(row)).to_string(),
                reason: "is negative; a count must be 0 or more",
            }),
        }
    }

    /// Read the columns that are aggregated.
    pub fn measures(&self) -> Result<MeasureColumns> {
        let name = self.name("flows");
        self.require(name)?;
        let flows = self
            .counts(name)?
            .unwrap_or_else(|| Int64Array::new_null(self.rows()));
        if let Some(row) = (flows.null_count() > 0)
            .then(|| (0..flows.len()).find(|&row| flows.is_null(row)))
            .flatten()
        {
            return Err(Error::Value {
                row: self.first_row + row,
                column: name.into(),
                value: "null".into(),
                reason: "is not a flow count",
            });
        }
        let mut sums = [const { None }; SUMS.len()];
        for (sum, name) in sums.iter_mut().zip(SUMS) {
            *sum = self.counts(name)?;
        }
        Ok(MeasureColumns {
            flows,
            sums,
            first: self.times("start_time")?,
            last: self.times("end_time")?,
            max: [None, None],
        })
    }
}

/// The columns of a batch that are aggregated.
#[derive(Clone, Debug)]
pub struct MeasureColumns {
    /// Allowed flows.
    pub flows: Int64Array,
    /// The columns of [`SUMS`], where present.
    pub sums: [Option<Int64Array>; SUMS.len()],
    /// Start times, of which the minimum is kept.
    pub first: Option<TimestampMicrosecondArray>,
    /// End times, of which the maximum is kept.
    pub last: Option<TimestampMicrosecondArray>,
    /// Bytes and packets of each record, of which the maximum is kept; absent unless requested.
    pub max: [Option<Int64Array>; 2],
}
