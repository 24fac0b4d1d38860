//! Work on rows in parallel.

use rayon::prelude::*;

/// Rows that one parallel task works on.
pub const MORSEL: usize = 16_384;

/// Runs `work` over row ranges in parallel and returns the results in row order.
pub fn by_morsel<T: Send>(
    rows: usize,
    work: impl Fn(std::ops::Range<usize>) -> T + Sync,
) -> Vec<T> {
    (0..rows.div_ceil(MORSEL))
        .into_par_iter()
        .map(|morsel| work(morsel * MORSEL..rows.min((morsel + 1) * MORSEL)))
        .collect()
}

/// Answers `of` for every row, in parallel.
pub fn by_row<T: Send>(rows: usize, of: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    (0..rows)
        .into_par_iter()
        .with_min_len(MORSEL)
        .map(of)
        .collect()
}
