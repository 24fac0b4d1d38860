//! The flow summary: the flow index by the autonomous systems at its two ends.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field};
use rayon::prelude::*;

use crate::aggregate::index::{Index, IndexKey, batch};
use crate::aggregate::sums::{Measure, Sums};
use crate::asn::database::Database;
use crate::asn::label;
use crate::error::Result;
use crate::flows::OrNull;
use crate::ip::Ip;

/// Addresses and the labels of their autonomous systems, in order.
struct Labels {
    ips: Vec<Ip>,
    of_ip: Vec<u32>,
    of_null: u32,
    texts: Vec<String>,
}

impl Labels {
    fn new(index: &Index, asn: &Database) -> Result<Self> {
        let mut ips: Vec<Ip> = (0..index.len())
            .into_par_iter()
            .flat_map_iter(|entry| {
                let key = index.key(entry);
                [key.source.get(), key.dest.get()]
            })
            .flatten()
            .collect();
        ips.par_sort_unstable();
        ips.dedup();
        let mut names: Vec<String> = asn
            .resolve(&ips)?
            .par_iter()
            .map(|resolved| label(resolved).into_owned())
            .collect();
        names.push(label(&crate::asn::database::Resolved::default()).into_owned());
        let mut texts = names.clone();
        texts.par_sort_unstable();
        texts.dedup();
        let place = |name: &String| texts.binary_search(name).unwrap_or_default() as u32;
        let mut of_ip: Vec<u32> = names.par_iter().map(place).collect();
        let of_null = of_ip.pop().unwrap_or_default();
        Ok(Self {
            ips,
            of_ip,
            of_null,
            texts,
        })
    }

    fn of(&self, ip: OrNull<Ip>) -> u32 {
        let found = ip.get().and_then(|ip| self.ips.binary_search(&ip).ok());
        found.map_or(self.of_null, |i| self.of_ip[i])
    }
}

/// Labels of destination and source, and the place of the entry in the index.
type Labelled = (u32, u32, u32);

/// Groups the entries of an index by destination and source ASN label.
///
/// Lists hold distinct values in order; a null address or protocol is left out of them.
/// The groups with the most flows come first.
pub fn summarise(index: &Index, asn: &Database) -> Result<RecordBatch> {
    let labels = Labels::new(index, asn)?;
    let mut entries: Vec<Labelled> = (0..index.len())
        .into_par_iter()
        .map(|entry| {
            let key = index.key(entry);
            (labels.of(key.dest), labels.of(key.source), entry as u32)
        })
        .collect();
    entries.par_sort_unstable();
    let groups: Vec<&[Labelled]> = entries.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).collect();
    let mut sums = Sums::default();
    sums.resize(groups.len());
    for (group, entries) in groups.iter().enumerate() {
        for (_, _, entry) in *entries {
            sums.add_group(group, &index.sums, *entry as usize);
        }
    }
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|group| std::cmp::Reverse(sums.get(*group, Measure::Flows)));
    let groups: Vec<&[Labelled]> = order.iter().map(|group| groups[*group]).collect();

    let text = |name: &str, values: StringArray| {
        (
            Field::new(name, DataType::Utf8, true),
            Arc::new(values) as ArrayRef,
        )
    };
    let label = |place: u32| Some(labels.texts[place as usize].as_str());
    let mut flows = sums
        .gather(&order, |group| *group)
        .into_columns("TotalAllowedFlows")?;
    let others = flows.split_off(1);
    let mut out = vec![
        text("DestASN", groups.iter().map(|g| label(g[0].0)).collect()),
        text("SourceASN", groups.iter().map(|g| label(g[0].1)).collect()),
    ];
    out.extend(flows);
    let keys = || {
        groups
            .iter()
            .map(|group| group.iter().map(|(_, _, entry)| index.key(*entry as usize)))
    };
    out.push(lists(
        "L7Protocols",
        keys(),
        |key| key.service,
        |rank| {
            index
                .services
                .value(Some(rank).into())
                .unwrap_or_default()
                .to_owned()
        },
    ));
    out.push(lists(
        "source_ips",
        keys(),
        |key| key.source,
        |ip| ip.to_string(),
    ));
    out.push(lists(
        "dest_ips",
        keys(),
        |key| key.dest,
        |ip| ip.to_string(),
    ));
    out.extend(others);
    batch(out)
}

fn lists<T: Copy + Ord + Default>(
    name: &str,
    groups: impl Iterator<Item = impl Iterator<Item = IndexKey>>,
    value: impl Fn(IndexKey) -> OrNull<T>,
    text: impl Fn(T) -> String,
) -> (Field, ArrayRef) {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for keys in groups {
        let mut values: Vec<T> = keys.filter_map(|key| value(key).get()).collect();
        values.sort_unstable();
        values.dedup();
        for value in values {
            builder.values().append_value(text(value));
        }
        builder.append(true);
    }
    let array = builder.finish();
    let field = Field::new(name, arrow::array::Array::data_type(&array).clone(), true);
    (field, Arc::new(array))
}
