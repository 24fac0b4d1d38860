//! Endpoints of the flows of a log.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::direction::rules::Direction;
use crate::error::Result;
use crate::ip::Ip;
use crate::normalise::addresses::{Addresses, Counters, MAX_FLOWS};
use crate::normalise::fields::BadRows;
use crate::normalise::log::Log;
use crate::normalise::outcome::BadRow;
use crate::normalise::single_codes::Single;
use crate::normalise::singles::Singles;
use crate::normalise::spec::{Endpoints, Spec};
use crate::normalise::values::{self, Cells};

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
    /// The endpoints of records of one flow each.
    pub fn of(ends: impl IntoIterator<Item = [Ip; 2]>) -> Self {
        let mut out = Self::default();
        for (record, ends) in ends.into_iter().enumerate() {
            out.push(record, ends, None);
        }
        out
    }

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
    let mut used = None;
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
            let used = *used.get_or_insert_with(|| {
                let used = |choice: &&Choice<'_>| choice.is_used(log.rows());
                choices.iter().find(used).or(choices.first())
            });
            found = Err(used.map_or_else(
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

/// A peer of a record and its counters.
type AmongPeer = (Ip, Option<Counters>);

/// Columns of the two endpoints.
struct Choice<'a> {
    source: Addresses<'a>,
    dest: Addresses<'a>,
    /// Direction of the flow, if the first column is the observed host.
    inbound: Option<Cells<'a>>,
    inbounds: OnceCell<Option<Inbounds>>,
    /// All the peers of the record.
    among: Option<Addresses<'a>>,
}

/// Rows whose flow is inbound.
#[derive(Debug)]
enum Inbounds {
    /// No row.
    Never,
    /// Whether each row is; `None` if it states no direction.
    Rows(Vec<Option<bool>>),
}

impl Inbounds {
    /// Parse the directions of a column of few strings.
    fn of(cells: &Cells<'_>) -> Option<Self> {
        let few = cells.few_texts()?;
        let is_inbound = |text: &&str| match cells.meaning(Cow::Borrowed(text)) {
            Some(text) => Direction::parse(&text).map(|found| found == Direction::Inbound),
            None => Some(false),
        };
        let known: Vec<_> = few.texts.iter().map(is_inbound).collect();
        let row = |row| few.index(row).map_or(Some(false), |index| known[index]);
        Some(Self::Rows((0..few.rows()).map(row).collect()))
    }

    #[inline]
    fn of_row(&self, row: usize) -> Option<bool> {
        match self {
            Self::Never => Some(false),
            Self::Rows(rows) => rows[row],
        }
    }
}

impl<'a> Choice<'a> {
    fn new(endpoints: &Endpoints, log: &'a Log<'_>, spec: &'a Spec) -> Result<Self> {
        let column = |name: &str, several| Addresses::find(log, name, &spec.nulls, several);
        let addresses = |name: &String| column(name, endpoints.several);
        let among = |name: &String| column(name, true);
        let inbound = endpoints.direction.as_ref();
        Ok(Self {
            source: addresses(&endpoints.source)?,
            dest: addresses(&endpoints.dest)?,
            inbound: inbound
                .map(|name| Cells::find(log, name, &spec.nulls))
                .transpose()?,
            inbounds: OnceCell::new(),
            among: endpoints.among.as_ref().map(among).transpose()?,
        })
    }

    /// Add the flows of a row, unless its cells are empty.
    fn push(&self, row: usize, ends: &mut Ends) -> Result<(), BadRow> {
        let singles = (self.source.singles(), self.dest.singles());
        let (Some(sources), Some(dests), Some(inbound)) = (singles.0, singles.1, self.inbounds())
        else {
            return self.push_any(row, ends);
        };
        match (sources.get(row), dests.get(row), inbound.of_row(row)) {
            (Single::Empty, _, Some(_)) | (_, Single::Empty, Some(_)) => Ok(()),
            (Single::Address(local), Single::Address(peer), Some(is_inbound))
                if self.is_only_peer(row) =>
            {
                let pair = if is_inbound {
                    [peer, local]
                } else {
                    [local, peer]
                };
                ends.push(row, pair, None);
                Ok(())
            }
            _ => self.push_any(row, ends),
        }
    }

    /// Which rows are inbound, if a column of few strings tells.
    fn inbounds(&self) -> Option<&Inbounds> {
        let found = || {
            self.inbound
                .as_ref()
                .map_or(Some(Inbounds::Never), Inbounds::of)
        };
        self.inbounds.get_or_init(found).as_ref()
    }

    /// Whether the single peer of a row is the only one of its record.
    fn is_only_peer(&self, row: usize) -> bool {
        let Some(among) = &self.among else {
            return true;
        };
        let is_dictionary = self.dest.singles().is_some_and(Singles::is_dictionary);
        if !is_dictionary && among.is_same(&self.dest, row) {
            return true;
        }
        let peers = among.singles().map(|singles| singles.get(row));
        matches!(peers, Some(Single::Address(_) | Single::Empty))
    }

    /// Add the flows of a row with cells of any kind.
    fn push_any(&self, row: usize, ends: &mut Ends) -> Result<(), BadRow> {
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
        let (peers, counters) = self.counters_among(row)?;
        self.source.each(row, |local| {
            let (local, local_counters) = self.source.parse(local)?;
            self.dest.each(row, |peer| {
                let (peer, own) = self.dest.parse(peer)?;
                let pair = match direction {
                    Direction::Inbound => [peer, local],
                    _ => [local, peer],
                };
                if ends.flows.len() - before == MAX_FLOWS {
                    return Err(self.dest.too_many(row));
                }
                let among = || {
                    let index = counters.binary_search_by_key(&peer, |(address, _)| *address);
                    index.ok().and_then(|index| counters[index].1)
                };
                ends.push(row, pair, own.or(local_counters).or_else(among));
                Ok(())
            })
        })?;
        let sharing = (ends.flows.len() - before).max(peers) as u32;
        for end in &mut ends.flows[before..] {
            end.sharing = if end.own.is_some() { 1 } else { sharing };
        }
        Ok(())
    }

    /// Number of all peers of the record of a row, and the counters of those that have them,
    /// sorted by address.
    fn counters_among(&self, row: usize) -> Result<(usize, Vec<AmongPeer>), BadRow> {
        let (mut peers, mut counters) = (0, Vec::new());
        if let Some(among) = &self.among {
            among.each(row, |entry| {
                peers += 1;
                if entry.contains('|') {
                    counters.push(among.parse(entry)?);
                }
                Ok(())
            })?;
        }
        counters.sort_by_key(|(address, _)| *address);
        Ok((peers, counters))
    }

    /// Whether any row has an address.
    fn is_used(&self, rows: usize) -> bool {
        (0..rows).any(|row| !self.source.is_empty(row) || !self.dest.is_empty(row))
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
