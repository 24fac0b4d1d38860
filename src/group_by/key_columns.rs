//! Key columns as integer codes.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array};

use crate::columns::batch::{NamedColumn, named};
use crate::columns::column::Column;
use crate::columns::interner::{Interner, Sorted};
use crate::columns::nulls::{NullsLast, get};
use crate::columns::parallel::by_row;
use crate::columns::write::StringPool;
use crate::direction::classify::directions;
use crate::direction::rules::{Direction, DirectionRules};
use crate::error::{Error, Result};
use crate::flow::batch::FlowBatch;
use crate::group_by::address_codes::{AddressCodes, AddressRanks};

/// A value of any type as an integer; the order of the values is known at the end.
pub type Code = NullsLast<u64>;

/// A key column, chosen by name.
#[derive(Debug)]
pub enum KeyColumn {
    /// An address.
    Address(String, AddressCodes),
    /// The direction of the flow.
    Direction(String),
    /// Any other column of strings or integers; the first batch determines which.
    Plain(String, Option<Plain>),
}

/// The type of a plain column.
#[derive(Debug)]
pub enum Plain {
    /// Strings.
    Text(Interner),
    /// Integers.
    Int,
}

impl KeyColumn {
    /// Choose a column by name.
    pub fn new(name: &str) -> Self {
        let name = name.to_owned();
        match name.to_ascii_lowercase().as_str() {
            "source" | "src_ip" | "dest" | "dst_ip" => Self::Address(name, AddressCodes::default()),
            "flowdirection" | "direction" => Self::Direction(name),
            _ => Self::Plain(name, None),
        }
    }

    /// Encode the column of a batch.
    pub fn encode(&mut self, batch: &FlowBatch, rules: &DirectionRules) -> Result<Vec<Code>> {
        Ok(match self {
            Self::Address(name, addresses) => {
                let ips = batch.addresses(name)?;
                addresses.prepare(&[&ips]);
                let coded = addresses.encode(&ips);
                by_row(batch.rows(), |row| Some(coded.code(row)).into())
            }
            Self::Direction(_) => {
                let (source, dest) = (batch.addresses("src_ip")?, batch.addresses("dst_ip")?);
                let directions = directions(batch, &source, &dest, rules)?;
                by_row(batch.rows(), |row| Some(directions[row] as u64).into())
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
                        let texts = interner.encode(&text);
                        by_row(batch.rows(), |row| texts.id(row).map(u64::from))
                    }
                    (Column::Int(ints), kind @ (None | Some(Plain::Int))) => {
                        *kind = Some(Plain::Int);
                        by_row(batch.rows(), |row| get(&ints, row).map(encode_int).into())
                    }
                    _ => {
                        return Err(Error::Schema(format!(
                            "column {name:?} must hold strings or integers of one type to group by, got {}",
                            array.data_type()
                        )));
                    }
                }
            }
        })
    }

    /// Finish the encoding and order the values.
    pub fn finish(self) -> Decoder {
        match self {
            Self::Address(name, addresses) => Decoder::Address(name, addresses.into_ranks()),
            Self::Direction(name) => Decoder::Direction(name),
            Self::Plain(name, Some(Plain::Int)) => Decoder::Int(name),
            Self::Plain(name, Some(Plain::Text(interner))) => {
                Decoder::Text(name, interner.into_sorted())
            }
            Self::Plain(name, None) => Decoder::Text(name, Interner::default().into_sorted()),
        }
    }
}

/// An integer as a code of the same order.
pub fn encode_int(value: i64) -> u64 {
    value as u64 ^ 1 << 63
}

/// The integer of a code.
pub fn decode_int(code: u64) -> i64 {
    (code ^ 1 << 63) as i64
}

/// Decodes codes to values.
#[derive(Debug)]
pub enum Decoder {
    /// Addresses.
    Address(String, AddressRanks),
    /// Letters of directions.
    Direction(String),
    /// Strings.
    Text(String, Sorted),
    /// Integers.
    Int(String),
}

impl Decoder {
    /// The rank of a code's value.
    pub fn rank(&self, code: Code) -> Code {
        match self {
            Self::Address(_, ranks) => code.map(|code| ranks.rank(code)),
            Self::Text(_, sorted) => sorted.rank(code.map(|id| id as u32)).map(u64::from),
            _ => code,
        }
    }

    /// Write a column of the values, given by rank.
    pub fn column(&self, rows: usize, code: impl Fn(usize) -> Code + Sync) -> Result<NamedColumn> {
        let index = |row| code(row).get().map(|code| code as usize);
        let (name, array): (_, ArrayRef) = match self {
            Self::Address(name, ranks) => {
                let rank = |row| code(row).get().unwrap_or_default();
                (name, Arc::new(ranks.texts()?.column(rows, rank)?))
            }
            Self::Direction(name) => {
                let letters = StringPool::new(Direction::ALL.into_iter().map(Direction::letter));
                (name, Arc::new(letters.column(rows, index)?))
            }
            Self::Text(name, sorted) => (name, Arc::new(sorted.pool().column(rows, index)?)),
            Self::Int(name) => {
                let values = (0..rows).map(|row| code(row).get().map(decode_int));
                (name, Arc::new(values.collect::<Int64Array>()))
            }
        };
        Ok(named(name, array))
    }
}
