//! The flow summary: the flow index by destination and source AS.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray, RecordBatch, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

use crate::aggregate::index::{Index, IndexKey};
use crate::columns::batch::batch;
use crate::columns::interner::{Interner, Sorted};
use crate::enrich::database::Database;
use crate::enrich::record::unnamed;
use crate::error::{Error, Result};
use crate::group_by::groups::Piece;
use crate::group_by::sums::Sums;

/// Sets of pairs of a group and a value.
const SETS: usize = 1 << 6;

/// Group the entries of an index by destination and source AS label.
///
/// Lists hold distinct values in order without nulls. Groups are in descending order of flows.
pub fn summarise(index: &Index, asn: &Database) -> Result<RecordBatch> {
    let pieces = &index.pieces;
    let dests = encoded(pieces, IndexKey::dest);
    let sources = encoded(pieces, IndexKey::source);
    let labels = Labels::new(index, asn, [&dests, &sources])?;
    let labelled: Vec<Encoded<(u32, u32)>> = (dests.into_par_iter().zip(sources))
        .map(|(dests, sources)| {
            let (dest, source) = (labels.of(&dests.values), labels.of(&sources.values));
            let pairs = dests.indices.iter().zip(&sources.indices);
            Encoded::new(pairs.map(|(d, s)| (dest[*d as usize], source[*s as usize])))
        })
        .collect();
    let groups = Groups::new(&labelled, pieces);

    let text = |name: &str, label: fn(&(u32, u32)) -> u32| {
        let values = groups
            .labels
            .iter()
            .map(|pair| labels.texts.value(Some(label(pair)).into()));
        (
            Field::new(name, DataType::Utf8, true),
            Arc::new(values.collect::<StringArray>()) as ArrayRef,
        )
    };
    let mut out = vec![
        text("DestASN", |pair| pair.0),
        text("SourceASN", |pair| pair.1),
    ];
    let mut sums = groups.sums.into_columns("TotalAllowedFlows")?;
    let others = sums.split_off(1);
    out.extend(sums);
    let count = groups.labels.len();
    let service = |key: IndexKey| key.service().get().map(u64::from);
    out.push(lists(
        "L7Protocols",
        distinct(pieces, &groups.of_entries, count, service),
        |values| {
            let services = index.services.pool();
            services.column(values.len(), |i| Some(values[i] as usize))
        },
    )?);
    let addresses = index.ranks.texts()?;
    for (name, end) in [
        ("source_ips", IndexKey::source as fn(IndexKey) -> u64),
        ("dest_ips", IndexKey::dest),
    ] {
        let address = |rank| index.ranks.address(rank).get();
        let present = |key| Some(end(key)).filter(|rank| address(*rank).is_some());
        out.push(lists(
            name,
            distinct(pieces, &groups.of_entries, count, present),
            |values| addresses.column(values.len(), |i| values[i]),
        )?);
    }
    out.extend(others);
    batch(out)
}

/// Values of entries, dictionary-encoded.
struct Encoded<T> {
    indices: Vec<u32>,
    values: Vec<T>,
}

impl<T: Copy + Eq + std::hash::Hash> Encoded<T> {
    fn new(values: impl Iterator<Item = T>) -> Self {
        let mut known = HashMap::new();
        let mut out = Self {
            indices: Vec::with_capacity(values.size_hint().0),
            values: Vec::new(),
        };
        let mut last: Option<(T, u32)> = None;
        for value in values {
            let index = match last {
                Some((same, index)) if same == value => index,
                _ => *known.entry(value).or_insert_with(|| {
                    out.values.push(value);
                    out.values.len() as u32 - 1
                }),
            };
            last = Some((value, index));
            out.indices.push(index);
        }
        out
    }
}

fn encoded(pieces: &[Piece<IndexKey>], end: fn(IndexKey) -> u64) -> Vec<Encoded<u64>> {
    let number = |piece: &Piece<IndexKey>| Encoded::new(piece.keys.iter().map(|key| end(*key)));
    pieces.par_iter().map(number).collect()
}

/// All addresses by rank, with the ranks of their labels.
struct Labels {
    ranks: Vec<u64>,
    of_rank: Vec<u32>,
    texts: Sorted,
}

impl Labels {
    fn new(index: &Index, asn: &Database, endpoints: [&[Encoded<u64>]; 2]) -> Result<Self> {
        let mut ranks: Vec<u64> = endpoints
            .into_iter()
            .flatten()
            .flat_map(|encoded| &encoded.values)
            .copied()
            .collect();
        ranks.par_sort_unstable();
        ranks.dedup();
        let ips: Vec<_> = ranks
            .par_iter()
            .filter_map(|rank| index.ranks.address(*rank).get())
            .collect();
        let mut texts = Interner::default();
        let mut of_rank = asn.resolve(&ips)?.labels(&mut texts);
        // The rank of the null address is the last one.
        of_rank.resize(ranks.len(), texts.id(unnamed(None)));
        let texts = texts.into_sorted();
        for label in &mut of_rank {
            *label = texts.rank(Some(*label).into()).get().unwrap_or_default();
        }
        Ok(Self {
            ranks,
            of_rank,
            texts,
        })
    }

    fn of(&self, ranks: &[u64]) -> Vec<u32> {
        let label = |rank: &u64| self.of_rank[self.ranks.binary_search(rank).unwrap_or_default()];
        ranks.iter().map(label).collect()
    }
}

/// The groups of the summary in order.
struct Groups {
    labels: Vec<(u32, u32)>,
    sums: Sums,
    /// Group of each entry, by piece.
    of_entries: Vec<Vec<u32>>,
}

impl Groups {
    fn new(labelled: &[Encoded<(u32, u32)>], pieces: &[Piece<IndexKey>]) -> Self {
        let mut labels: Vec<(u32, u32)> = labelled
            .iter()
            .flat_map(|encoded| &encoded.values)
            .copied()
            .collect();
        labels.sort_unstable();
        labels.dedup();
        let mut of_entries: Vec<Vec<u32>> = labelled
            .par_iter()
            .map(|encoded| {
                let group = |pair| labels.binary_search(pair).unwrap_or_default() as u32;
                let groups: Vec<u32> = encoded.values.iter().map(group).collect();
                let indices = encoded.indices.iter();
                indices.map(|index| groups[*index as usize]).collect()
            })
            .collect();
        let parts: Vec<(&Sums, &[u32])> = pieces
            .iter()
            .zip(&of_entries)
            .map(|(piece, groups)| (&piece.sums, groups.as_slice()))
            .collect();
        let sums = Sums::regroup(&parts, labels.len());
        let mut order: Vec<u32> = (0..labels.len() as u32).collect();
        order.sort_by_key(|group| std::cmp::Reverse(sums.flows(*group as usize)));
        let mut slots = vec![0; order.len()];
        for (to, from) in order.iter().zip(0..).map(|(from, to)| (to, *from)) {
            slots[from as usize] = to;
        }
        of_entries
            .par_iter_mut()
            .flatten()
            .for_each(|group| *group = slots[*group as usize]);
        Self {
            labels: order.iter().map(|group| labels[*group as usize]).collect(),
            sums: sums.select(&order),
            of_entries,
        }
    }
}

/// The distinct values of each group in order, group by group, and the end of each group.
fn distinct(
    pieces: &[Piece<IndexKey>],
    groups: &[Vec<u32>],
    count: usize,
    value: impl Fn(IndexKey) -> Option<u64> + Sync,
) -> (Vec<u64>, Vec<usize>) {
    // Equal pairs meet in one set, so that only distinct ones are sorted.
    let parts: Vec<Vec<Vec<u128>>> = (pieces.par_iter().zip(groups))
        .map(|(piece, groups)| {
            let mut sets = vec![Vec::new(); SETS];
            let mut last = None;
            for (key, group) in piece.keys.iter().zip(groups) {
                let Some(value) = value(*key) else {
                    continue;
                };
                let pair = u128::from(*group) << 64 | u128::from(value);
                if last.replace(pair) != Some(pair) {
                    let mixed = (value ^ u64::from(*group)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    sets[(mixed >> 32) as usize % SETS].push(pair);
                }
            }
            sets
        })
        .collect();
    let mut all: Vec<u128> = (0..SETS)
        .into_par_iter()
        .flat_map_iter(|set| {
            let pairs = parts.iter().flat_map(|sets| &sets[set]).copied();
            pairs.collect::<HashSet<u128>>()
        })
        .collect();
    all.par_sort_unstable();
    let end = |group: usize| all.partition_point(|pair| (pair >> 64) as usize <= group);
    let ends = (0..count).map(end).collect();
    (all.into_par_iter().map(|pair| pair as u64).collect(), ends)
}

/// Build a column of lists of strings, which `texts` writes.
fn lists(
    name: &str,
    (values, ends): (Vec<u64>, Vec<usize>),
    texts: impl FnOnce(&[u64]) -> Result<StringArray>,
) -> Result<(Field, ArrayRef)> {
    let mut offsets = Vec::with_capacity(ends.len() + 1);
    offsets.push(0);
    for end in ends {
        offsets.push(i32::try_from(end).map_err(|_| Error::Overflow("length of all lists"))?);
    }
    let array = ListArray::try_new(
        Arc::new(Field::new_list_field(DataType::Utf8, true)),
        OffsetBuffer::new(offsets.into()),
        Arc::new(texts(&values)?),
        None,
    )?;
    let field = Field::new(name, array.data_type().clone(), true);
    Ok((field, Arc::new(array)))
}
