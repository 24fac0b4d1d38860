//! Two-way flows from records of one direction each.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, TimestampMicrosecondArray, UInt32Array,
};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{filter, take};

use crate::columns::batch::position;
use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::flow::initiator::began_first;
use crate::records::{FiveTuple, Records};

/// Columns of the sender, and of its peer.
const SIDES: [(&str, &str); 5] = [
    ("src_ip", "dst_ip"),
    ("src_port", "dst_port"),
    ("src_bytes", "dst_bytes"),
    ("src_packets", "dst_packets"),
    ("src_payload_bytes", "dst_payload_bytes"),
];

/// Joins records that answer each other within `window` microseconds.
///
/// A record joins the earliest one of the reversed tuple, seen by the same machine, that ended at
/// most `window` before it started. Who began it is told by flags and ports, or else by the times;
/// what is known of one pair counts for all records of its tuple. Records that have both ways
/// already, no start or a refused flow stay as they are.
pub fn stitch(flows: impl Iterator<Item = Result<FlowBatch>>, window: i64) -> Result<RecordBatch> {
    let records = Records::collect(flows)?;
    let joined = pair(&records, window)?;
    build(&records, &joined)
}

/// What becomes of every record.
struct Joined {
    /// The record that answers it.
    answer: Vec<Option<u32>>,
    /// Whether it is an answer itself, and so part of another flow.
    taken: Vec<bool>,
    /// Whether it was sent by the end that did not begin the flow, and stays alone.
    turned: Vec<bool>,
}

fn pair(records: &Records, window: i64) -> Result<Joined> {
    let one_way = one_way(records)?;
    let mut order: Vec<(i64, u32)> = (0..records.rows())
        .filter(|row| one_way[*row])
        .filter_map(|row| Some((records.span(row)?.0, row as u32)))
        .collect();
    order.sort_unstable();
    let mut waiting: HashMap<(FiveTuple, u32), VecDeque<u32>> = HashMap::new();
    let mut beginners: HashMap<(FiveTuple, u32), bool> = HashMap::new();
    let mut out = Joined {
        answer: vec![None; records.rows()],
        taken: vec![false; records.rows()],
        turned: vec![false; records.rows()],
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
        let known = beginners.get(&(tuple.reversed(), host)).copied();
        let [earlier, later] = [first, *row].map(|row| records.evidence(row as usize));
        let first_began = known
            .or_else(|| began_first(earlier, later))
            .unwrap_or(true);
        beginners.insert((tuple.reversed(), host), first_began);
        beginners.insert((tuple, host), !first_began);
        let (begins, answers) = if first_began {
            (first, *row)
        } else {
            (*row, first)
        };
        out.answer[begins as usize] = Some(answers);
        out.taken[answers as usize] = true;
    }
    for (_, row) in order {
        let row = row as usize;
        let alone = out.answer[row].is_none() && !out.taken[row];
        if let Some(tuple) = records.tuple(row).filter(|_| alone) {
            out.turned[row] = beginners.get(&(tuple, records.host[row])) == Some(&false);
        }
    }
    Ok(out)
}

/// The first waiting record that ended late enough; those before it will find no answer.
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

/// Records of allowed flows without anything sent back.
fn one_way(records: &Records) -> Result<Vec<bool>> {
    let mut one_way = vec![true; records.rows()];
    for name in ["dst_bytes", "dst_packets", "denied_flows"] {
        if let Some(counts) = records.counts(name)? {
            for (row, one_way) in one_way.iter_mut().enumerate() {
                *one_way &= counts.is_null(row) || counts.value(row) == 0;
            }
        }
    }
    Ok(one_way)
}

fn build(records: &Records, joined: &Joined) -> Result<RecordBatch> {
    let batch = &records.batch;
    let kept: BooleanArray = joined.taken.iter().map(|taken| Some(!taken)).collect();
    let mut columns = batch
        .columns()
        .iter()
        .map(|column| filter(column, &kept))
        .collect::<Result<Vec<_>, _>>()?;
    let rows: Vec<usize> = (0..records.rows())
        .filter(|row| !joined.taken[*row])
        .collect();
    let answers: UInt32Array = rows.iter().map(|row| joined.answer[*row]).collect();
    let answered: BooleanArray = rows
        .iter()
        .map(|row| Some(joined.answer[*row].is_some()))
        .collect();
    let turned: BooleanArray = rows.iter().map(|row| Some(joined.turned[*row])).collect();
    let schema = batch.schema();
    let place = |name: &str| position(&schema, name);
    for (own, peers) in SIDES {
        let (Some(own), Some(peers)) = (place(own), place(peers)) else {
            continue;
        };
        let numbers = !matches!(schema.field(own).name().as_str(), "src_ip" | "src_port");
        if numbers {
            let sent_back = take(batch.column(own), &answers, None)?;
            columns[peers] = zip(&answered, &sent_back, &columns[peers])?;
        }
        let (first, second) = (Arc::clone(&columns[own]), Arc::clone(&columns[peers]));
        columns[own] = zip(&turned, &second, &first)?;
        columns[peers] = zip(&turned, &first, &second)?;
    }
    let spans = rows.iter().map(|row| {
        let own = records.span(*row);
        let answer = joined.answer[*row].and_then(|answer| records.span(answer as usize));
        let start = own.map(|s| answer.map_or(s.0, |a| s.0.min(a.0)));
        let end = answer.and_then(|a| own.map(|s| s.1.max(a.1)));
        (start, end)
    });
    let (starts, ends): (Vec<_>, Vec<_>) = spans.unzip();
    let times = |values: Vec<Option<i64>>, like: &ArrayRef| {
        let times = TimestampMicrosecondArray::from(values).with_timezone("UTC");
        arrow::compute::cast(&times, like.data_type())
    };
    if let Some(place) = place("start_time") {
        columns[place] = zip(&answered, &times(starts, &columns[place])?, &columns[place])?;
    }
    if let Some(place) = place("end_time") {
        columns[place] = zip(&answered, &times(ends, &columns[place])?, &columns[place])?;
    }
    if let (Some(place), Some(flows)) = (place("flows"), records.counts("flows")?) {
        let most = |row: &usize| {
            let own = flows.is_valid(*row).then(|| flows.value(*row));
            let other = joined.answer[*row].map(|row| flows.value(row as usize));
            own.max(other)
        };
        let most: ArrayRef = Arc::new(rows.iter().map(most).collect::<Int64Array>());
        columns[place] = arrow::compute::cast(&most, columns[place].data_type())?;
    }
    Ok(RecordBatch::try_new(schema, columns)?)
}
