//! Flows by time bin and series.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field};

use crate::columns::batch::batch;
use crate::columns::nulls::get;
use crate::direction::rules::DirectionRules;
use crate::error::{Error, Result};
use crate::flow::batch::FlowBatch;
use crate::flow::schema::timestamp;
use crate::group_by::groups::{Groups, Piece};
use crate::group_by::key::GroupKey;
use crate::group_by::key_columns::{Code, KeyColumn, decode_int, encode_int};
use crate::group_by::order::{FIELDS, Rank};

/// Default maximum number of bins.
pub const DEFAULT_BINS: usize = 120;

const MS: i64 = 1_000;
const SECOND: i64 = 1_000 * MS;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Widths of a bin in microseconds. Each divides the next, so that bins can be merged later.
const WIDTHS: [i64; 17] = [
    MS,
    10 * MS,
    100 * MS,
    SECOND,
    5 * SECOND,
    15 * SECOND,
    MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    HOUR,
    3 * HOUR,
    12 * HOUR,
    DAY,
    7 * DAY,
    28 * DAY,
    364 * DAY,
    3_640 * DAY,
];

/// A time bin and a series.
type BinKey = (Code, Code);

impl Rank for BinKey {
    fn fields(&self) -> [u64; FIELDS] {
        let (bin, series) = *self;
        let field = |code: Code| {
            (
                u64::from(code.get().is_none()),
                code.get().unwrap_or_default(),
            )
        };
        let ((no_bin, bin), (no_series, series)) = (field(bin), field(series));
        [no_bin, bin, no_series, series, 0]
    }
}

impl GroupKey for BinKey {
    fn partition_rank(&self) -> u64 {
        self.0.get().unwrap_or(u64::MAX)
    }
}

/// Count flows by the bin of their start time and by the column `by`.
///
/// The width of a bin is the smallest of a fixed list with which at most `bins` bins span the
/// first to the last start time. Rows without a start time have a null bin.
pub fn timeline(
    flows: impl Iterator<Item = Result<FlowBatch>>,
    by: &str,
    bins: usize,
    rules: &DirectionRules,
) -> Result<RecordBatch> {
    if bins == 0 {
        return Err(Error::Argument("bins must be 1 or more, got 0".into()));
    }
    let mut series = KeyColumn::new(by);
    let mut groups = Groups::<BinKey>::default();
    let mut range: Option<(i64, i64)> = None;
    let mut width = WIDTHS[0];
    for batch in flows {
        let batch = batch?;
        let starts = batch.start_times()?;
        if let Some((first, last)) = starts.as_ref().and_then(span) {
            let (low, high) = range.unwrap_or((first, last));
            let total = (low.min(first), high.max(last));
            range = Some(total);
            let needed = min_width(total, bins);
            if needed > width {
                width = needed;
                groups = groups.rekey(|(bin, series)| {
                    (
                        bin.map(|start| encode_int(floor(decode_int(start), width))),
                        series,
                    )
                });
            }
        }
        let codes = series.encode(&batch, rules)?;
        groups.add_rows(
            batch.rows(),
            |row| {
                let start = starts.as_ref().and_then(|starts| get(starts, row));
                let bin = start.map(|start| encode_int(floor(start, width)));
                (bin.into(), codes[row])
            },
            &batch.measures()?,
        );
    }
    let series = series.finish();
    let Piece { keys, sums } = groups.into_sorted(|(bin, code)| (bin, series.rank(code)));
    let times = |shift: i64| {
        let start = |(bin, _): &BinKey| {
            let start = bin.get().map(decode_int);
            start.map(|start| start.saturating_add(shift))
        };
        let times: TimestampMicrosecondArray = keys.iter().map(start).collect();
        Arc::new(times.with_timezone("UTC")) as ArrayRef
    };
    let (_, names) = series.column(keys.len(), |row| keys[row].1)?;
    let names = arrow::compute::cast(&names, &DataType::Utf8)?;
    let mut out = vec![
        (Field::new("bin_start", timestamp(), true), times(0)),
        (Field::new("bin_end", timestamp(), true), times(width)),
        (Field::new("series", DataType::Utf8, true), names),
    ];
    out.extend(sums.into_columns("flows")?);
    batch(out)
}

fn floor(time: i64, width: i64) -> i64 {
    time.saturating_sub(time.rem_euclid(width))
}

fn span(times: &TimestampMicrosecondArray) -> Option<(i64, i64)> {
    Some((arrow::compute::min(times)?, arrow::compute::max(times)?))
}

fn min_width((first, last): (i64, i64), bins: usize) -> i64 {
    let count =
        |width: i64| i128::from(last.div_euclid(width)) - i128::from(first.div_euclid(width)) + 1;
    let fits = |width: &&i64| count(**width) <= bins as i128;
    let mut widest = WIDTHS[WIDTHS.len() - 1];
    WIDTHS.iter().find(fits).copied().unwrap_or_else(|| {
        // Times across the 64-bit range: multiply by ten until they fit or the range is covered.
        while count(widest) > bins as i128 && widest < i64::MAX / 10 {
            widest *= 10;
        }
        widest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_divides_the_next() {
        assert!(WIDTHS.windows(2).all(|pair| pair[1] % pair[0] == 0));
    }

    #[test]
    fn the_smallest_width_that_fits_is_used() {
        assert_eq!(min_width((0, DAY - 1), DEFAULT_BINS), 15 * MINUTE);
        assert_eq!(min_width((0, 0), 1), MS);
        assert_eq!(min_width((-1, 0), 2), MS);
        assert!(min_width((-1, 0), 1) > MS);
        assert!(min_width((i64::MIN, i64::MAX), 1) > 3_640 * DAY);
    }
}
