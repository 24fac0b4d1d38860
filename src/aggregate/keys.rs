//! Columns that groups are told apart by, as numbers.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field};
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

use crate::columns::{Column, Text, by_morsel};
use crate::direction::{Direction, Rules};
use crate::error::{Error, Result};
use crate::flows::{FlowBatch, OrNull};
use crate::ip::Ip;

/// Text values numbered in the order in which they were met.
#[derive(Debug, Default)]
pub struct Interner {
    ids: HashMap<String, u32>,
}

impl Interner {
    /// The number of every row's text.
    pub fn encode(&mut self, text: &Text) -> Vec<OrNull<u32>> {
        let distinct: HashSet<&str> = match text {
            Text::Dictionary(_, values) => {
                (0..values.len()).filter_map(|i| values.get(i)).collect()
            }
            _ => by_morsel(text.len(), |rows| {
                rows.filter_map(|row| text.get(row)).collect::<HashSet<_>>()
            })
            .into_iter()
            .flatten()
            .collect(),
        };
        for value in distinct {
            let next = self.ids.len() as u32;
            self.ids.entry_ref(value).or_insert(next);
        }
        text.map(|text| text.and_then(|text| self.ids.get(text).copied()).into())
    }

    /// The texts in order, and for each number its place in that order.
    pub fn into_sorted(self) -> Sorted {
        let mut values: Vec<(String, u32)> = self.ids.into_iter().collect();
        values.par_sort_unstable();
        let mut ranks = vec![0; values.len()];
        for (rank, (_, id)) in values.iter().enumerate() {
            ranks[*id as usize] = rank as u32;
        }
        Sorted {
            values: values.into_iter().map(|(value, _)| value).collect(),
            ranks,
        }
    }
}

/// The texts of an [`Interner`] in order.
#[derive(Debug)]
pub struct Sorted {
    /// The texts.
    pub values: Vec<String>,
    ranks: Vec<u32>,
}

impl Sorted {
    /// The place of a text, given its number.
    pub fn rank(&self, id: OrNull<u32>) -> OrNull<u32> {
        id.map(|id| self.ranks[id as usize])
    }

    /// The text at a place.
    pub fn value(&self, rank: OrNull<u32>) -> Option<&str> {
        rank.get().map(|rank| self.values[rank as usize].as_str())
    }
}

/// A key of any kind as a number whose order is that of the values, texts excepted.
pub type Code = OrNull<u128>;

/// A column chosen by name to group by.
#[derive(Debug)]
pub enum KeyColumn {
    /// An address.
    Address(String),
    /// The direction of the flow.
    Direction(String),
    /// Any other column of text or whole numbers; which one shows with the first batch.
    Plain(String, Option<Plain>),
}

/// The kind of a plain column.
#[derive(Debug)]
pub enum Plain {
    /// Text.
    Text(Interner),
    /// Whole numbers.
    Int,
}

impl KeyColumn {
    /// Chooses a column by name.
    pub fn new(name: &str) -> Self {
        let name = name.to_owned();
        match name.to_ascii_lowercase().as_str() {
            "source" | "src_ip" | "dest" | "dst_ip" => Self::Address(name),
            "flowdirection" | "direction" => Self::Direction(name),
            _ => Self::Plain(name, None),
        }
    }

    /// The key of every row.
    pub fn encode(&mut self, batch: &FlowBatch, rules: &Rules) -> Result<Vec<Code>> {
        Ok(match self {
            Self::Address(name) => into_codes(&batch.addresses(name)?, |ip: Ip| ip.0),
            Self::Direction(_) => {
                let (source, dest) = (batch.addresses("src_ip")?, batch.addresses("dst_ip")?);
                batch
                    .directions(&source, &dest, rules)?
                    .into_iter()
                    .map(|direction| Some(direction as u128).into())
                    .collect()
            }
            Self::Plain(name, kind) => {
                let array = batch.require(name)?;
                match (Column::read(name, array)?, kind) {
                    (Column::Text(text), kind @ (None | Some(Plain::Text(_)))) => {
                        let Plain::Text(interner) =
                            kind.get_or_insert_with(|| Plain::Text(Interner::default()))
                        else {
                            unreachable!("the arm admits text only")
                        };
                        into_codes(&interner.encode(&text), u128::from)
                    }
                    (Column::Int(ints), kind @ (None | Some(Plain::Int))) => {
                        *kind = Some(Plain::Int);
                        ints.iter()
                            .map(|value| value.map(encode_int).into())
                            .collect()
                    }
                    _ => {
                        return Err(Error::Schema(format!(
                            "column {name:?} cannot be grouped by: it has type {}, and text or whole numbers of one type throughout are needed",
                            array.data_type()
                        )));
                    }
                }
            }
        })
    }

    /// Ends the encoding: the order of texts is known now.
    pub fn finish(self) -> Decoder {
        match self {
            Self::Address(name) => Decoder::Address(name),
            Self::Direction(name) => Decoder::Direction(name),
            Self::Plain(name, Some(Plain::Int)) => Decoder::Int(name),
            Self::Plain(name, Some(Plain::Text(interner))) => {
                Decoder::Text(name, interner.into_sorted())
            }
            Self::Plain(name, None) => Decoder::Text(name, Interner::default().into_sorted()),
        }
    }
}

fn into_codes<T: Copy + Default + Sync>(
    values: &[OrNull<T>],
    code: impl Fn(T) -> u128 + Sync,
) -> Vec<Code> {
    by_morsel(values.len(), |rows| {
        values[rows]
            .iter()
            .map(|v| v.map(&code))
            .collect::<Vec<_>>()
    })
    .concat()
}

/// A whole number as a code of the same order.
pub fn encode_int(value: i64) -> u128 {
    (i128::from(value) - i128::from(i64::MIN)) as u128
}

/// The whole number of a code.
pub fn decode_int(code: u128) -> i64 {
    (code as i128 + i128::from(i64::MIN)) as i64
}

/// Turns codes back into values.
#[derive(Debug)]
pub enum Decoder {
    /// Addresses.
    Address(String),
    /// Letters of directions.
    Direction(String),
    /// Texts.
    Text(String, Sorted),
    /// Whole numbers.
    Int(String),
}

impl Decoder {
    /// A code that sorts as its value does.
    pub fn rank(&self, code: Code) -> Code {
        match self {
            Self::Text(_, sorted) => sorted.rank(code.map(|id| id as u32)).map(u128::from),
            _ => code,
        }
    }

    /// The values of ranked codes as a column.
    pub fn column(&self, codes: impl Iterator<Item = Code>) -> (Field, ArrayRef) {
        let (name, array): (_, ArrayRef) = match self {
            Self::Address(name) => (name, Arc::new(addresses(codes.map(|c| c.map(Ip))))),
            Self::Direction(name) => (
                name,
                Arc::new(
                    codes
                        .map(|c| c.get().map(|d| Direction::ALL[d as usize].letter()))
                        .collect::<StringArray>(),
                ),
            ),
            Self::Text(name, sorted) => (
                name,
                Arc::new(
                    codes
                        .map(|c| sorted.value(c.map(|rank| rank as u32)))
                        .collect::<StringArray>(),
                ),
            ),
            Self::Int(name) => (
                name,
                Arc::new(
                    codes
                        .map(|c| c.get().map(decode_int))
                        .collect::<Int64Array>(),
                ),
            ),
        };
        let kind: DataType = array.data_type().clone();
        (Field::new(name, kind, true), array)
    }
}

/// Addresses as a column of canonical text.
pub fn addresses(ips: impl Iterator<Item = OrNull<Ip>>) -> StringArray {
    use std::fmt::Write;
    let mut builder = arrow::array::StringBuilder::new();
    for ip in ips {
        match ip.get() {
            // Writing into the builder's own buffer does not fail.
            Some(ip) => {
                let _ = write!(builder, "{ip}");
                builder.append_value("");
            }
            None => builder.append_null(),
        }
    }
    builder.finish()
}
