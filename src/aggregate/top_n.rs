//! The top groups by a measure.

use arrow::array::RecordBatch;

use crate::columns::batch::batch;
use crate::direction::rules::DirectionRules;
use crate::error::{Error, Result};
use crate::flow::batch::FlowBatch;
use crate::group_by::groups::{Groups, Piece};
use crate::group_by::key::GroupKey;
use crate::group_by::key_columns::{Code, KeyColumn};
use crate::group_by::sums::Measure;

/// Maximum number of key columns.
pub const MAX_KEYS: usize = 4;

/// The key of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Codes<const N: usize>([Code; N]);

impl<const N: usize> Default for Codes<N> {
    fn default() -> Self {
        Self([Code::default(); N])
    }
}

impl<const N: usize> GroupKey for Codes<N> {
    /// Any rank will do: only the top groups are sorted.
    fn partition_rank(&self) -> u64 {
        let mix = |mixed: u64, code: &Code| {
            let code = code.get().map_or(0, |code| code.wrapping_add(1));
            (mixed ^ code).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        };
        self.0.iter().fold(0, mix)
    }
}

/// Return the top `n` groups of `key` by the measure `by`; ties by key, nulls last.
pub fn top_n(
    flows: impl Iterator<Item = Result<FlowBatch>>,
    key: &[String],
    by: &str,
    n: usize,
    rules: &DirectionRules,
) -> Result<RecordBatch> {
    match key.len() {
        1 => ranked::<1>(flows, key, by, n, rules),
        2 => ranked::<2>(flows, key, by, n, rules),
        3 => ranked::<3>(flows, key, by, n, rules),
        MAX_KEYS => ranked::<MAX_KEYS>(flows, key, by, n, rules),
        count => Err(Error::Argument(format!(
            "key must have 1 to {MAX_KEYS} columns, got {count}"
        ))),
    }
}

fn ranked<const N: usize>(
    flows: impl Iterator<Item = Result<FlowBatch>>,
    key: &[String],
    by: &str,
    n: usize,
    rules: &DirectionRules,
) -> Result<RecordBatch> {
    let by = Measure::parse(by)?;
    if let Some(name) = key.iter().find(|name| Measure::parse(name).is_ok()) {
        return Err(Error::Argument(format!(
            "key must not be a measure, got {name:?}; give a column such as source or dest"
        )));
    }
    let mut columns: Vec<KeyColumn> = key.iter().map(|name| KeyColumn::new(name)).collect();
    let mut groups = Groups::<Codes<N>>::default();
    for batch in flows {
        let batch = batch?;
        let codes = columns
            .iter_mut()
            .map(|column| column.encode(&batch, rules))
            .collect::<Result<Vec<_>>>()?;
        groups.add_rows(
            batch.rows(),
            |row| Codes(std::array::from_fn(|i| codes[i][row])),
            &batch.measures()?,
        );
    }
    let decoders: Vec<_> = columns.into_iter().map(KeyColumn::finish).collect();
    let rank =
        |Codes(key): Codes<N>| -> [Code; N] { std::array::from_fn(|i| decoders[i].rank(key[i])) };
    let Piece { keys, sums } = groups.into_top(n, by, rank)?;
    let mut out = decoders
        .iter()
        .enumerate()
        .map(|(i, decoder)| decoder.column(keys.len(), |row| keys[row][i]))
        .collect::<Result<Vec<_>>>()?;
    out.extend(sums.into_columns("flows")?);
    batch(out)
}
