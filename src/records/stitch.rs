//! Biflows from records of one direction each.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, TimestampMicrosecondArray, UInt32Array,
    new_null_array,
};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{filter, take};
use arrow::datatypes::DataType;

use crate::columns::batch::{NamedColumn, batch, named, position};
use crate::columns::cast::{checked_cast, int64, micros};
use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::flow::initiator::first_initiated;
use crate::records::{FiveTuple, Records};

/// Columns of the sender and of its peer; addresses come first.
const SIDES: [(&str, &str); 5] = [
    ("src_ip", "dst_ip"),
    ("src_port", "dst_port"),
    ("src_bytes", "dst_bytes"),
    ("src_packets", "dst_packets"),
    ("src_payload_bytes", "dst_payload_bytes"),
];

/// Merge unidirectional records that respond to each other within `window` microseconds.
///
/// A record is merged with the earliest record of the reversed tuple and the same exporter that
/// ended at most `window` before it started. Flags and ports decide which of the two initiated the
/// flow, or else the start times; the decision for one pair holds for all records of its tuple.
/// Bidirectional records, records without a start and denied flows stay unchanged.
pub fn stitch(flows: impl Iterator<Item = Result<FlowBatch>>, window: i64) -> Result<RecordBatch> {
    let records = Records::collect(flows)?;
    let pairs = pair(&records, window);
    build(&records, &pairs)
}

/// The role of every record.
struct Pairs {
    /// The response merged into the record.
    response: Vec<Option<u32>>,
    /// Whether the record is merged into another one.
    merged: Vec<bool>,
    /// Whether the record stays alone and its sender is the responder.
    reversed: Vec<bool>,
}

fn pair(records: &Records, window: i64) -> Pairs {
    let mut order: Vec<(i64, u32)> = (0..records.rows())
        .filter(|row| is_unidirectional(records, *row))
        .filter_map(|row| Some((records.span(row)?.0, row as u32)))
        .collect();
    order.sort_unstable();
    let mut waiting: HashMap<(FiveTuple, u32), VecDeque<u32>> = HashMap::new();
    let mut initiated: HashMap<(FiveTuple, u32), bool> = HashMap::new();
    let mut out = Pairs {
        response: vec![None; records.rows()],
        merged: vec![false; records.rows()],
        reversed: vec![false; records.rows()],
    };
    for (start, row) in &order {
        let Some(tuple) = records.tuple(*row as usize) else {
            continue;
        };
        let host = records.host[*row as usize];
        let first = waiting
            .get_mut(&(tuple.reversed(), host))
            .and_then(|queue| first_within(queue, records, *start, window));
        let Some(first) = first else {
            waiting.entry((tuple, host)).or_default().push_back(*row);
            continue;
        };
        let known = initiated.get(&(tuple.reversed(), host)).copied();
        let [earlier, later] = [first, *row].map(|row| records.evidence(row as usize));
        let by_first = known
            .or_else(|| first_initiated(earlier, later))
            .unwrap_or(true);
        initiated.insert((tuple.reversed(), host), by_first);
        initiated.insert((tuple, host), !by_first);
        let (request, response) = if by_first {
            (first, *row)
        } else {
            (*row, first)
        };
        out.response[request as usize] = Some(response);
        out.merged[response as usize] = true;
    }
    for (_, row) in order {
        let row = row as usize;
        let alone = out.response[row].is_none() && !out.merged[row];
        if let Some(tuple) = records.tuple(row).filter(|_| alone) {
            out.reversed[row] = initiated.get(&(tuple, records.host[row])) == Some(&false);
        }
    }
    out
}

/// Remove records from the queue up to the first one that ended late enough.
fn first_within(
    queue: &mut VecDeque<u32>,
    records: &Records,
    start: i64,
    window: i64,
) -> Option<u32> {
    while let Some(row) = queue.pop_front() {
        let (_, end) = records.span(row as usize)?;
        if end.saturating_add(window) >= start {
            return Some(row);
        }
    }
    None
}

/// Whether a record is of allowed flows, and its destination sent nothing.
fn is_unidirectional(records: &Records, row: usize) -> bool {
    let view = &records.view;
    [&view.bytes[1], &view.packets[1], &view.denied]
        .into_iter()
        .all(|counts| counts.count(row) == 0)
}

/// Make values movable: both columns of each side, of one type; times as timestamps.
fn with_both_sides(flows: &RecordBatch) -> Result<RecordBatch> {
    let schema = flows.schema_ref();
    let fields = schema.fields().iter().map(|field| field.as_ref().clone());
    let mut columns: Vec<NamedColumn> = fields
        .map(|field| field.with_nullable(true))
        .zip(flows.columns().iter().cloned())
        .collect();
    for (side, (own, peers)) in SIDES.into_iter().enumerate() {
        let found = [own, peers].map(|name| position(schema, name));
        let kinds: Vec<&DataType> = found
            .iter()
            .flatten()
            .map(|index| schema.field(*index).data_type())
            .collect();
        let Some(kind) = kinds.first() else {
            continue;
        };
        let is_text = side == 0;
        let movable = kinds.iter().all(|other| other == kind)
            && if is_text {
                kind.is_string()
            } else {
                kind.is_integer()
            };
        let kind = if movable {
            (*kind).clone()
        } else if is_text {
            DataType::Utf8
        } else {
            DataType::Int64
        };
        for (name, index) in [own, peers].into_iter().zip(found) {
            let Some(index) = index else {
                columns.push(named(name, new_null_array(&kind, flows.num_rows())));
                continue;
            };
            if !movable {
                let array = &columns[index].1;
                let array: ArrayRef = if is_text {
                    checked_cast(name, array, &kind)?
                } else {
                    Arc::new(int64(name, array)?)
                };
                replace(&mut columns[index], array);
            }
        }
    }
    if let Some(index) = position(schema, "flows")
        && !schema.field(index).data_type().is_integer()
    {
        let flows = int64("flows", &columns[index].1)?;
        replace(&mut columns[index], Arc::new(flows));
    }
    for name in ["start_time", "end_time"] {
        if let Some(index) = position(schema, name)
            && !matches!(schema.field(index).data_type(), DataType::Timestamp(..))
        {
            let times = micros(name, &columns[index].1)?.with_timezone("UTC");
            replace(&mut columns[index], Arc::new(times));
        }
    }
    batch(columns)
}

fn replace((field, column): &mut NamedColumn, array: ArrayRef) {
    *field = field.clone().with_data_type(array.data_type().clone());
    *column = array;
}

fn build(records: &Records, pairs: &Pairs) -> Result<RecordBatch> {
    let batch = &with_both_sides(&records.batch)?;
    let kept: BooleanArray = pairs.merged.iter().map(|merged| Some(!merged)).collect();
    let mut columns = batch
        .columns()
        .iter()
        .map(|column| filter(column, &kept))
        .collect::<Result<Vec<_>, _>>()?;
    let rows: Vec<usize> = (0..records.rows())
        .filter(|row| !pairs.merged[*row])
        .collect();
    let responses: UInt32Array = rows.iter().map(|row| pairs.response[*row]).collect();
    let is_biflow: BooleanArray = rows
        .iter()
        .map(|row| Some(pairs.response[*row].is_some()))
        .collect();
    let reversed: BooleanArray = rows.iter().map(|row| Some(pairs.reversed[*row])).collect();
    let schema = batch.schema();
    let index = |name: &str| position(&schema, name);
    for (own, peers) in SIDES {
        let (Some(own), Some(peers)) = (index(own), index(peers)) else {
            continue;
        };
        let is_counter = !matches!(schema.field(own).name().as_str(), "src_ip" | "src_port");
        if is_counter {
            let received = take(batch.column(own), &responses, None)?;
            columns[peers] = zip(&is_biflow, &received, &columns[peers])?;
        }
        let (first, second) = (Arc::clone(&columns[own]), Arc::clone(&columns[peers]));
        columns[own] = zip(&reversed, &second, &first)?;
        columns[peers] = zip(&reversed, &first, &second)?;
    }
    let spans = rows.iter().map(|row| {
        let own = records.span(*row);
        let other = pairs.response[*row].and_then(|row| records.span(row as usize));
        let start = own.map(|own| other.map_or(own.0, |other| own.0.min(other.0)));
        let end = other.and_then(|other| own.map(|own| own.1.max(other.1)));
        (start, end)
    });
    let (starts, ends): (Vec<_>, Vec<_>) = spans.unzip();
    let times = |values: Vec<Option<i64>>, like: &ArrayRef| {
        let times = TimestampMicrosecondArray::from(values).with_timezone("UTC");
        arrow::compute::cast(&times, like.data_type())
    };
    if let Some(index) = index("start_time") {
        columns[index] = zip(
            &is_biflow,
            &times(starts, &columns[index])?,
            &columns[index],
        )?;
    }
    if let Some(index) = index("end_time") {
        columns[index] = zip(&is_biflow, &times(ends, &columns[index])?, &columns[index])?;
    }
    if let Some(index) = index("flows") {
        let flows = |row: usize| records.view.flows.get(row);
        let of_both = |row: &usize| {
            let other = pairs.response[*row].and_then(|row| flows(row as usize));
            flows(*row).max(other)
        };
        let flows: ArrayRef = Arc::new(rows.iter().map(of_both).collect::<Int64Array>());
        columns[index] = arrow::compute::cast(&flows, columns[index].data_type())?;
    }
    Ok(RecordBatch::try_new(schema, columns)?)
}
