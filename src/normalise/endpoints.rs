//! The two ends of every flow of a log.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::DataType;

use crate::columns::{Column, find};
use crate::direction::Direction;
use crate::error::Result;
use crate::flows::OrNull;
use crate::ip::Ip;
use crate::normalise::BadRow;
use crate::normalise::cells::{self, Cells};
use crate::normalise::fields::BadRows;
use crate::normalise::spec::{Endpoints, Spec};

/// The ends of flows, in the order of the records that they come from.
#[derive(Debug, Default)]
pub struct Ends {
    /// Row of the record.
    pub records: Vec<u32>,
    /// Source address.
    pub sources: Vec<OrNull<Ip>>,
    /// Destination address.
    pub dests: Vec<OrNull<Ip>>,
}

impl Ends {
    fn push(&mut self, record: usize, source: Ip, dest: Ip) {
        self.records.push(record as u32);
        self.sources.push(Some(source).into());
        self.dests.push(Some(dest).into());
    }

    fn truncate(&mut self, flows: usize) {
        self.records.truncate(flows);
        self.sources.truncate(flows);
        self.dests.truncate(flows);
    }

    /// Leaves out the flows of bad records.
    pub fn drop_rows(&mut self, bad: &BadRows) {
        if bad.is_empty() {
            return;
        }
        let all = std::mem::take(self);
        let ends = all.sources.into_iter().zip(all.dests);
        for (record, (source, dest)) in all.records.into_iter().zip(ends) {
            if !bad.contains_key(&(record as usize)) {
                self.records.push(record);
                self.sources.push(source);
                self.dests.push(dest);
            }
        }
    }

    /// Number of records that gave more than one flow.
    pub fn expanded(&self) -> u64 {
        self.records
            .chunk_by(|a, b| a == b)
            .filter(|flows| flows.len() > 1)
            .count() as u64
    }

    /// Whether every record gave one flow.
    pub fn is_one_to_one(&self, records: usize) -> bool {
        self.records.len() == records && self.expanded() == 0
    }
}

/// Reads the ends of all flows; records without them are noted as bad.
pub fn read(batch: &RecordBatch, spec: &Spec, bad: &mut BadRows) -> Result<Ends> {
    let choices = spec
        .endpoints
        .iter()
        .map(|endpoints| Choice::new(endpoints, batch, spec))
        .collect::<Result<Vec<_>>>()?;
    let mut ends = Ends::default();
    for row in 0..batch.num_rows() {
        let before = ends.records.len();
        let mut found = Ok(());
        for choice in &choices {
            found = choice.push(row, &mut ends);
            if found.is_err() || ends.records.len() > before {
                break;
            }
        }
        if found.is_ok() && ends.records.len() == before {
            found = Err(choices.first().map_or_else(
                || BadRow::value(0, "", None, "has no address"),
                |choice| choice.missing(row),
            ));
        }
        if let Err(reason) = found {
            ends.truncate(before);
            bad.entry(row).or_insert(reason);
        }
    }
    Ok(ends)
}

/// The columns in which the two ends of a flow stand.
struct Choice<'a> {
    source: Cells,
    dest: Addresses,
    /// Where the first column is the observed machine: which way the flow went.
    inbound: Option<Cells>,
    nulls: &'a [String],
}

impl<'a> Choice<'a> {
    fn new(endpoints: &Endpoints, batch: &RecordBatch, spec: &'a Spec) -> Result<Self> {
        let (source, dest, inbound) = match endpoints {
            Endpoints::Pair { source, dest } => (source, dest, None),
            Endpoints::Oriented {
                local,
                peers,
                direction,
            } => (local, peers, Some(Cells::find(batch, direction)?)),
        };
        Ok(Self {
            source: Cells::find(batch, source)?,
            dest: Addresses::find(batch, dest)?,
            inbound,
            nulls: &spec.nulls,
        })
    }

    /// Adds the flows of a row; none where its cells are empty.
    fn push(&self, row: usize, ends: &mut Ends) -> Result<(), BadRow> {
        let Some(local) = self.source.get(row, self.nulls) else {
            return Ok(());
        };
        let local = parse(&self.source.name, &local)?;
        let direction = match self
            .inbound
            .as_ref()
            .map(|cells| (cells, cells.get(row, self.nulls)))
        {
            Some((cells, Some(text))) => cells::direction(&cells.name, &text)?,
            _ => Direction::Outbound,
        };
        self.dest.each(row, self.nulls, |peer| {
            let peer = parse(self.dest.name(), peer)?;
            match direction {
                Direction::Inbound => ends.push(row, peer, local),
                _ => ends.push(row, local, peer),
            }
            Ok(())
        })
    }

    fn missing(&self, row: usize) -> BadRow {
        let column = match self.source.get(row, self.nulls) {
            None => self.source.name.clone(),
            Some(_) => self.dest.name().to_owned(),
        };
        BadRow::value(0, &column, None, "has no address")
    }
}

fn parse(column: &str, text: &str) -> Result<Ip, BadRow> {
    Ip::parse(text).ok_or_else(|| BadRow::value(0, column, Some(text), "is not an IP address"))
}

/// Cells that hold an address, or several: a list, or its text in any common notation.
enum Addresses {
    Text(Cells),
    List(String, ArrayRef, Column),
}

impl Addresses {
    fn find(batch: &RecordBatch, name: &str) -> Result<Self> {
        match find(batch, name) {
            Some(array)
                if matches!(
                    array.data_type(),
                    DataType::List(_) | DataType::LargeList(_)
                ) =>
            {
                let large = DataType::LargeList(Arc::new(arrow::datatypes::Field::new_list_field(
                    match array.data_type() {
                        DataType::List(item) | DataType::LargeList(item) => {
                            item.data_type().clone()
                        }
                        _ => DataType::Utf8,
                    },
                    true,
                )));
                let lists = arrow::compute::cast(array, &large)?;
                let values = Column::read(name, lists.as_list::<i64>().values())?;
                Ok(Self::List(name.into(), lists, values))
            }
            _ => Ok(Self::Text(Cells::find(batch, name)?)),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Text(cells) => &cells.name,
            Self::List(name, ..) => name,
        }
    }

    fn each(
        &self,
        row: usize,
        nulls: &[String],
        mut address: impl FnMut(&str) -> Result<(), BadRow>,
    ) -> Result<(), BadRow> {
        match self {
            Self::Text(cells) => match cells.get(row, nulls) {
                Some(text) => split(&text).try_for_each(&mut address),
                None => Ok(()),
            },
            Self::List(_, lists, values) => {
                if lists.is_null(row) {
                    return Ok(());
                }
                let offsets = lists.as_list::<i64>().value_offsets();
                (offsets[row]..offsets[row + 1])
                    .filter_map(|i| values.text(i as usize))
                    .try_for_each(|text| split(&text).try_for_each(&mut address))
            }
        }
    }
}

/// The addresses in text such as `['192.0.2.1', '192.0.2.2']` or `192.0.2.1|1|0 192.0.2.2|2|0`,
/// where counters may follow an address.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let outside = |c: char| c.is_whitespace() || ",;'\"[]()".contains(c);
    text.split(outside)
        .filter(|entry| !entry.is_empty())
        .map(|entry| entry.split_once('|').map_or(entry, |(address, _)| address))
}
