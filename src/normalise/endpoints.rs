//! Endpoints of the flows of a log.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;

use crate::columns::column::Column;
use crate::direction::rules::Direction;
use crate::error::Result;
use crate::ip::Ip;
use crate::normalise::fields::BadRows;
use crate::normalise::log::Log;
use crate::normalise::outcome::BadRow;
use crate::normalise::spec::{Endpoints, Spec};
use crate::normalise::values::{self, Cells};

/// Maximum number of flows of a record that names several addresses.
const MAX_FLOWS: usize = 10_000;

/// Counters of one peer: flows started and ended, packets out and in, bytes out and in.
pub type Counters = [i64; 6];

/// Endpoints of one flow.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// Row of the record.
    pub record: u32,
    /// Number of flows that repeat the counts of the record, including this one.
    pub sharing: u32,
    /// Index of the per-peer counters in [`Ends::counters`].
    own: Option<u32>,
    /// Source address.
    pub source: Ip,
    /// Destination address.
    pub dest: Ip,
}

/// Endpoints of flows, in the order of their records.
#[derive(Debug, Default)]
pub struct Ends {
    /// One for each flow.
    pub flows: Vec<End>,
    counters: Vec<Counters>,
}

impl Ends {
    fn push(&mut self, record: usize, [source, dest]: [Ip; 2], own: Option<Counters>) {
        let own = own.map(|own| {
            self.counters.push(own);
            (self.counters.len() - 1) as u32
        });
        self.flows.push(End {
            record: record as u32,
            sharing: 1,
            own,
            source,
            dest,
        });
    }

    /// Drop the flows of bad records.
    pub fn drop_rows(&mut self, bad: &BadRows) {
        if !bad.is_empty() {
            self.flows
                .retain(|end| !bad.contains_key(&(end.record as usize)));
        }
    }

    /// Number of records with several flows that repeat the counts of the record.
    pub fn expanded(&self) -> u64 {
        self.flows
            .chunk_by(|a, b| a.record == b.record)
            .filter(|flows| flows.iter().filter(|end| end.own.is_none()).count() > 1)
            .count() as u64
    }

    /// Whether every record has one flow.
    pub fn is_one_to_one(&self, records: usize) -> bool {
        self.flows.len() == records && self.flows.windows(2).all(|w| w[0].record < w[1].record)
    }

    /// Per-peer counters of a flow, if it has them.
    pub fn own(&self, flow: usize) -> Option<&Counters> {
        let index = self.flows[flow].own?;
        Some(&self.counters[index as usize])
    }

    /// Whether any flow has per-peer counters.
    pub fn any_own(&self) -> bool {
        !self.counters.is_empty()
    }
}

/// Read the endpoints of all flows; records without them are bad.
pub fn read(log: &Log<'_>, spec: &Spec, bad: &mut BadRows) -> Result<Ends> {
    let choices = spec
        .endpoints
        .iter()
        .map(|endpoints| Choice::new(endpoints, log, spec))
        .collect::<Result<Vec<_>>>()?;
    let mut ends = Ends::default();
    ends.flows.reserve(log.rows());
    for row in 0..log.rows() {
        let before = ends.flows.len();
        let mut found = Ok(());
        for choice in &choices {
            found = choice.push(row, &mut ends);
            if found.is_err() || ends.flows.len() > before {
                break;
            }
        }
        if found.is_ok() && ends.flows.len() == before {
            found = Err(choices.first().map_or_else(
                || BadRow::value(0, "", None, "has no address"),
                |choice| choice.missing(row),
            ));
        }
        if let Err(reason) = found {
            ends.flows.truncate(before);
            bad.entry(row).or_insert(reason);
        }
    }
    Ok(ends)
}

/// Columns of the two endpoints.
struct Choice<'a> {
    source: Addresses<'a>,
    dest: Addresses<'a>,
    /// Direction of the flow, if the first column is the observed host.
    inbound: Option<Cells<'a>>,
    /// All the peers of the record.
    among: Option<Addresses<'a>>,
    /// Whether a cell may hold several addresses.
    several: bool,
}

impl<'a> Choice<'a> {
    fn new(endpoints: &Endpoints, log: &'a Log<'_>, spec: &'a Spec) -> Result<Self> {
        let addresses = |name: &String| Addresses::find(log, name, &spec.nulls);
        let inbound = endpoints.direction.as_ref();
        Ok(Self {
            source: addresses(&endpoints.source)?,
            dest: addresses(&endpoints.dest)?,
            inbound: inbound
                .map(|name| Cells::find(log, name, &spec.nulls))
                .transpose()?,
            among: endpoints.among.as_ref().map(addresses).transpose()?,
            several: endpoints.several,
        })
    }

    /// Add the flows of a row, unless its cells are empty.
    fn push(&self, row: usize, ends: &mut Ends) -> Result<(), BadRow> {
        let direction = match self.inbound.as_ref().map(|cells| (cells, cells.get(row))) {
            Some((cells, Some(text))) => values::direction(&cells.name, &text)?,
            _ => Direction::Outbound,
        };
        let before = ends.flows.len();
        if let (Some(local), Some(peer), None) =
            (self.source.single(row), self.dest.single(row), &self.among)
        {
            let pair = match direction {
                Direction::Inbound => [peer, local],
                _ => [local, peer],
            };
            ends.push(row, pair, None);
            return Ok(());
        }
        if self.source.is_empty(row) || self.dest.is_empty(row) {
            return Ok(());
        }
        if !self.several {
            let bad = self.source.single(row).map_or(&self.source, |_| &self.dest);
            return Err(bad.reject(row, "is not an IP address"));
        }
        let flows = self
            .source
            .count(row)?
            .saturating_mul(self.dest.count(row)?);
        if flows > MAX_FLOWS {
            let reason = format!("names addresses of {flows} flows; {MAX_FLOWS} are the maximum");
            return Err(self.dest.reject(row, &reason));
        }
        self.source.each(row, |local| {
            let (local, local_counters) = self.source.parse(local)?;
            self.dest.each(row, |peer| {
                let (peer, counters) = self.dest.parse(peer)?;
                let pair = match direction {
                    Direction::Inbound => [peer, local],
                    _ => [local, peer],
                };
                let own = counters.or(local_counters);
                ends.push(row, pair, own.or(self.counters_among(row, peer)?));
                Ok(())
            })
        })?;
        let sharing = self.sharing(row, ends.flows.len() - before)?;
        for end in &mut ends.flows[before..] {
            end.sharing = if end.own.is_some() { 1 } else { sharing };
        }
        Ok(())
    }

    /// Number of flows that repeat the counts of a record with `flows` flows in this row.
    fn sharing(&self, row: usize, flows: usize) -> Result<u32, BadRow> {
        let peers = self.among.as_ref().map(|among| among.count(row));
        Ok(flows.max(peers.transpose()?.unwrap_or(0)) as u32)
    }

    fn counters_among(&self, row: usize, peer: Ip) -> Result<Option<Counters>, BadRow> {
        let mut counters = None;
        if let Some(among) = &self.among {
            among.each(row, |entry| {
                if entry.contains('|') {
                    let (address, own) = among.parse(entry)?;
                    if address == peer {
                        counters = own;
                    }
                }
                Ok(())
            })?;
        }
        Ok(counters)
    }

    fn missing(&self, row: usize) -> BadRow {
        let column = if self.source.is_empty(row) {
            self.source.name()
        } else {
            self.dest.name()
        };
        BadRow::value(0, column, None, "has no address")
    }
}

/// Cells with one address or several: a list, or a string in any common notation.
enum Addresses<'a> {
    Text(Cells<'a>),
    List(String, ArrayRef, Column),
}

impl<'a> Addresses<'a> {
    fn find(log: &'a Log<'_>, name: &str, nulls: &'a [String]) -> Result<Self> {
        let Some(array) = log.array(name) else {
            return Ok(Self::Text(Cells::find(log, name, nulls)?));
        };
        let (DataType::List(item) | DataType::LargeList(item)) = array.data_type() else {
            return Ok(Self::Text(Cells::find(log, name, nulls)?));
        };
        let item = arrow::datatypes::Field::new_list_field(item.data_type().clone(), true);
        let lists = arrow::compute::cast(array, &DataType::LargeList(Arc::new(item)))?;
        let values = Column::read(name, lists.as_list::<i64>().values())?;
        Ok(Self::List(name.into(), lists, values))
    }

    fn name(&self) -> &str {
        match self {
            Self::Text(cells) => &cells.name,
            Self::List(name, ..) => name,
        }
    }

    fn is_empty(&self, row: usize) -> bool {
        match self {
            Self::Text(cells) => cells.get(row).is_none(),
            Self::List(_, lists, _) => lists.is_null(row),
        }
    }

    /// The address of a cell with a single address, the usual case.
    fn single(&self, row: usize) -> Option<Ip> {
        match self {
            Self::Text(cells) => Ip::parse(&cells.get(row)?),
            Self::List(_, lists, values) if lists.is_valid(row) => {
                let offsets = lists.as_list::<i64>().value_offsets();
                let (first, end) = (offsets[row], offsets[row + 1]);
                let only = (end - first == 1).then_some(first as usize)?;
                Ip::parse(&values.text(only)?)
            }
            Self::List(..) => None,
        }
    }

    /// Number of addresses in a cell.
    fn count(&self, row: usize) -> Result<usize, BadRow> {
        let mut count = 0;
        self.each(row, |_| {
            count += 1;
            Ok(())
        })?;
        Ok(count)
    }

    /// A bad row with the value of a cell.
    fn reject(&self, row: usize, reason: &str) -> BadRow {
        match self {
            Self::Text(cells) => cells.bad(row, reason),
            Self::List(name, ..) => BadRow::value(0, name, None, reason),
        }
    }

    fn each(
        &self,
        row: usize,
        mut entry: impl FnMut(&str) -> Result<(), BadRow>,
    ) -> Result<(), BadRow> {
        match self {
            Self::Text(cells) => match cells.get(row) {
                Some(text) => split(&text).try_for_each(&mut entry),
                None => Ok(()),
            },
            Self::List(_, lists, values) => {
                if lists.is_null(row) {
                    return Ok(());
                }
                let offsets = lists.as_list::<i64>().value_offsets();
                (offsets[row]..offsets[row + 1])
                    .filter_map(|i| values.text(i as usize))
                    .try_for_each(|text| split(&text).try_for_each(&mut entry))
            }
        }
    }

    /// Parse an address and, if all six follow it, its counters.
    fn parse(&self, entry: &str) -> Result<(Ip, Option<Counters>), BadRow> {
        let bad = |value, reason| BadRow::value(0, self.name(), Some(value), reason);
        let mut parts = entry.split('|');
        let text = parts.next().unwrap_or_default();
        let address = Ip::parse(text).ok_or_else(|| bad(text, "is not an IP address"))?;
        if entry.bytes().filter(|byte| *byte == b'|').count() != 6 {
            return Ok((address, None));
        }
        let mut counters = Counters::default();
        for (counter, text) in counters.iter_mut().zip(parts) {
            *counter = match text {
                "" => 0,
                text => text
                    .parse()
                    .ok()
                    .filter(|count| *count >= 0)
                    .ok_or_else(|| {
                        bad(entry, "has a counter that is not a non-negative integer")
                    })?,
            };
        }
        Ok((address, Some(counters)))
    }
}

/// The entries of a string such as `['192.0.2.1', '192.0.2.2']` or `192.0.2.1|1|0 192.0.2.2|2|0`.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let separates = |c: char| c.is_whitespace() || ",;'\"[]()".contains(c);
    text.split(separates).filter(|entry| !entry.is_empty())
}
