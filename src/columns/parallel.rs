//! Parallel work on rows.

use rayon::prelude::*;

/// Rows of one parallel task.
pub const MORSEL: usize = 16_384;

/// Run `work` on row ranges in parallel; return the results in row order.
pub fn by_morsel<T: Send>(
    rows: usize,
    work: impl Fn(std::ops::Range<usize>) -> T + Sync,
) -> Vec<T> {
    by_part(rows, MORSEL, work)
}

/// As [`by_morsel`], for ranges of `size` rows.
pub fn by_part<T: Send>(
    rows: usize,
    size: usize,
    work: impl Fn(std::ops::Range<usize>) -> T + Sync,
) -> Vec<T> {
    (0..rows.div_ceil(size))
        .into_par_iter()
        .map(|part| work(part * size..rows.min((part + 1) * size)))
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
