//! Parallel work on rows.

use rayon::prelude::*;

/// Rows of one parallel task.
pub const MORSEL: usize = 16_384;

/// Run `work` on row ranges in parallel; return the results in row order.
pub fn by_morsel<T: Send>(
    rows: usize,
    work: impl Fn(std::ops::Range<usize>) -> T + Sync,
) -> Vec<T> {
    (0..rows.div_ceil(MORSEL))
        .into_par_iter()
        .map(|morsel| work(morsel * MORSEL..rows.min((morsel + 1) * MORSEL)))
        .collect()
}

/// Compute `value` for every row in parallel.
pub fn by_row<T: Send>(rows: usize, value: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    (0..rows)
        .into_par_iter()
        .with_min_len(MORSEL)
        .map(value)
        .collect()
}
