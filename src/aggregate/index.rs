//! The flow index: flows by source, destination, layer-7 protocol and direction.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};

use crate::addresses::{Addresses, narrow};
use crate::aggregate::groups::Groups;
use crate::aggregate::interner::{Interned, Interner, Sorted};
use crate::aggregate::strings::{addresses, strings};
use crate::aggregate::sums::Sums;
use crate::direction::{Direction, Rules};
use crate::error::Result;
use crate::flows::{FlowBatch, OrNull};
use crate::ip::Ip;

/// What entries of the index are told apart by, in the order of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexKey {
    /// Initiator of the flow.
    pub source: OrNull<Ip>,
    /// Its peer.
    pub dest: OrNull<Ip>,
    /// Layer-7 protocol, as its place among all names.
    pub service: OrNull<u32>,
    /// Direction of the flow.
    pub direction: Direction,
}

/// A key without IPv6 addresses: 33 bits for each end, 33 for the protocol, 3 for the direction,
/// each in the order of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct NarrowKey(u64, u64);

const ADDRESS_BITS: u32 = 33;
const SERVICE_NULL: u64 = 1 << 32;

impl NarrowKey {
    fn new(source: u64, dest: u64, service: OrNull<u32>, direction: Direction) -> Self {
        let service = service.get().map_or(SERVICE_NULL, u64::from);
        Self(
            source << 31 | dest >> 2,
            (dest & 3) << 36 | service << 3 | direction as u64,
        )
    }

    fn with_service(self, rank: impl Fn(OrNull<u32>) -> OrNull<u32>) -> Self {
        let IndexKey {
            service, direction, ..
        } = self.widen();
        let Self(high, low) = self;
        let service = rank(service).get().map_or(SERVICE_NULL, u64::from);
        Self(high, low >> 36 << 36 | service << 3 | direction as u64)
    }

    #[inline]
    fn widen(self) -> IndexKey {
        let Self(high, low) = self;
        let address = |code: u64| narrow(code & ((1 << ADDRESS_BITS) - 1));
        let service = (low >> 3) & ((SERVICE_NULL << 1) - 1);
        IndexKey {
            source: address(high >> 31),
            dest: address(high << 2 | low >> 36),
            service: (service & SERVICE_NULL == 0)
                .then_some(service as u32)
                .into(),
            direction: Direction::ALL[(low & 7) as usize],
        }
    }
}

/// The keys of an index in order.
#[derive(Debug)]
enum Keys {
    Narrow(Vec<NarrowKey>),
    Wide(Vec<IndexKey>),
}

/// A flow index that is not yet written out.
#[derive(Debug)]
pub struct Index {
    keys: Keys,
    /// The sums of the entries.
    pub sums: Sums,
    /// The names of the layer-7 protocols.
    pub services: Sorted,
}

/// The key columns of a batch.
struct KeyRows {
    source: Addresses,
    dest: Addresses,
    service: Interned,
    direction: Vec<Direction>,
}

impl KeyRows {
    fn narrow(&self, row: usize) -> Option<NarrowKey> {
        let (source, dest) = (self.source.narrow(row)?, self.dest.narrow(row)?);
        Some(NarrowKey::new(
            source,
            dest,
            self.service.id(row),
            self.direction[row],
        ))
    }

    fn wide(&self, row: usize) -> IndexKey {
        IndexKey {
            source: self.source.get(row),
            dest: self.dest.get(row),
            service: self.service.id(row),
            direction: self.direction[row],
        }
    }
}

/// Builds the index of flows, of other indices, or of both.
pub fn build(flows: impl Iterator<Item = Result<FlowBatch>>, rules: &Rules) -> Result<Index> {
    let mut narrow = Groups::<NarrowKey>::default();
    let mut wide: Option<Groups<IndexKey>> = None;
    let mut services = Interner::default();
    for batch in flows {
        let batch = batch?;
        let (source, dest) = (batch.addresses("src_ip")?, batch.addresses("dst_ip")?);
        let keys = KeyRows {
            direction: batch.directions(&source, &dest, rules)?,
            service: services.encode(&batch.text("service")?),
            source,
            dest,
        };
        let measures = batch.measures()?;
        narrow.add_rows(batch.rows(), |row| keys.narrow(row), &measures);
        if !(keys.source.all_narrow() && keys.dest.all_narrow()) {
            let key = |row| keys.narrow(row).is_none().then(|| keys.wide(row));
            wide.get_or_insert_default()
                .add_rows(batch.rows(), key, &measures);
        }
    }
    let services = services.into_sorted();
    let rank = |service| services.rank(service);
    let (keys, sums) = narrow.into_sorted(|key| key.with_service(rank));
    let Some(wide) = wide else {
        return Ok(Index {
            keys: Keys::Narrow(keys),
            sums,
            services,
        });
    };
    let (wide_keys, wide_sums) = wide.into_sorted(|key: IndexKey| IndexKey {
        service: services.rank(key.service),
        ..key
    });
    let mut order: Vec<(IndexKey, u32)> = keys
        .into_iter()
        .map(NarrowKey::widen)
        .chain(wide_keys)
        .zip(0..)
        .collect();
    // Two ordered runs, which a stable sort finds and merges.
    order.sort();
    let sums = Sums::concat(vec![sums, wide_sums]).gather(&order, |(_, place)| *place as usize);
    Ok(Index {
        keys: Keys::Wide(order.into_iter().map(|(key, _)| key).collect()),
        sums,
        services,
    })
}

impl Index {
    /// Number of entries.
    pub fn len(&self) -> usize {
        match &self.keys {
            Keys::Narrow(keys) => keys.len(),
            Keys::Wide(keys) => keys.len(),
        }
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of an entry.
    #[inline]
    pub fn key(&self, entry: usize) -> IndexKey {
        match &self.keys {
            Keys::Narrow(keys) => keys[entry].widen(),
            Keys::Wide(keys) => keys[entry],
        }
    }

    /// The index as a table.
    pub fn into_batch(self) -> Result<RecordBatch> {
        let text = |name: &str, values: StringArray| {
            let field = Field::new(name, DataType::Utf8, true);
            (field, Arc::new(values) as ArrayRef)
        };
        let entries = self.len();
        let mut columns = vec![
            text("source", addresses(entries, |i| self.key(i).source)?),
            text("dest", addresses(entries, |i| self.key(i).dest)?),
            text(
                "L7Protocol",
                strings(entries, |i| self.services.value(self.key(i).service))?,
            ),
            text(
                "FlowDirection",
                strings(entries, |i| Some(self.key(i).direction.letter()))?,
            ),
        ];
        columns.extend(self.sums.into_columns("TotalAllowedFlows")?);
        batch(columns)
    }
}

/// A table of the given columns.
pub fn batch(columns: Vec<(Field, ArrayRef)>) -> Result<RecordBatch> {
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}
