//! The flow index: flows by source, destination, layer-7 protocol and direction.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};

use crate::columns::batch::batch;
use crate::columns::interner::{Interner, Sorted};
use crate::columns::nulls::NullsLast;
use crate::columns::write::StringPool;
use crate::direction::classify::directions;
use crate::direction::rules::{Direction, DirectionRules};
use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::group_by::address_codes::{
    ADDRESS_BITS, AddressCodes, AddressRanks, AddressTexts, partition_rank,
};
use crate::group_by::groups::{Groups, Piece};
use crate::group_by::key::GroupKey;
use crate::group_by::order::{FIELDS, Rank};

/// Minimum entries of a batch of the table.
const MIN_PIECE: usize = 1 << 15;

/// Key of an index entry, in the order of the index: 44 bits for each address, 33 for the
/// protocol, 3 for the direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct IndexKey(u64, u64);

const SERVICE_BITS: u32 = 33;

const SERVICE_NULL: u64 = 1 << 32;

const DIRECTION_BITS: u32 = 3;

impl IndexKey {
    #[inline]
    fn new(source: u64, dest: u64, service: NullsLast<u32>, direction: Direction) -> Self {
        let service = service.get().map_or(SERVICE_NULL, u64::from);
        let endpoints = u128::from(source) << ADDRESS_BITS | u128::from(dest);
        let rest = u128::from(service) << DIRECTION_BITS | direction as u128;
        let all = endpoints << (SERVICE_BITS + DIRECTION_BITS) | rest;
        Self((all >> 64) as u64, all as u64)
    }

    #[inline]
    fn bits(self, from: u32, count: u32) -> u64 {
        let all = u128::from(self.0) << 64 | u128::from(self.1);
        (all >> from) as u64 & ((1 << count) - 1)
    }

    /// Rank of the flow's initiator.
    #[inline]
    pub fn source(self) -> u64 {
        self.bits(ADDRESS_BITS + SERVICE_BITS + DIRECTION_BITS, ADDRESS_BITS)
    }

    /// Rank of its peer.
    #[inline]
    pub fn dest(self) -> u64 {
        self.bits(SERVICE_BITS + DIRECTION_BITS, ADDRESS_BITS)
    }

    /// Id or rank of the layer-7 protocol.
    #[inline]
    pub fn service(self) -> NullsLast<u32> {
        let service = self.bits(DIRECTION_BITS, SERVICE_BITS);
        (service != SERVICE_NULL).then_some(service as u32).into()
    }

    /// Direction of the flow.
    #[inline]
    pub fn direction(self) -> Direction {
        Direction::ALL[self.bits(0, DIRECTION_BITS) as usize]
    }
}

impl GroupKey for IndexKey {
    #[inline]
    fn partition_rank(&self) -> u64 {
        partition_rank(self.source(), self.dest())
    }
}

impl Rank for IndexKey {
    #[inline]
    fn fields(&self) -> [u64; FIELDS] {
        let service = self.bits(DIRECTION_BITS, SERVICE_BITS);
        let direction = self.bits(0, DIRECTION_BITS);
        [self.source(), self.dest(), service, direction, 0]
    }
}

/// A flow index before it is written as a table.
#[derive(Debug)]
pub struct Index {
    /// Sorted entries.
    pub pieces: Vec<Piece<IndexKey>>,
    /// The addresses of the entries.
    pub ranks: AddressRanks,
    /// The names of the layer-7 protocols.
    pub services: Sorted,
}

/// Unsorted entries of an index.
#[derive(Debug, Default)]
pub struct Entries {
    groups: Groups<IndexKey>,
    addresses: AddressCodes,
    services: Interner,
}

impl Entries {
    /// Add flows, or the entries of another index.
    pub fn add(&mut self, batch: &FlowBatch, rules: &DirectionRules) -> Result<()> {
        let (source, dest) = (batch.addresses("src_ip")?, batch.addresses("dst_ip")?);
        let direction = directions(batch, &source, &dest, rules)?;
        let service = self.services.encode(&batch.text("service")?);
        self.addresses.prepare(&[&source, &dest]);
        let coded = [&source, &dest].map(|column| self.addresses.encode(column));
        let key = |row| {
            IndexKey::new(
                coded[0].code(row),
                coded[1].code(row),
                service.id(row),
                direction[row],
            )
        };
        self.groups.add_rows(batch.rows(), key, &batch.measures()?);
        Ok(())
    }

    /// Sort the entries.
    pub fn into_index(self) -> Index {
        let (ranks, services) = (self.addresses.into_ranks(), self.services.into_sorted());
        let rank = |key| ranked(key, &ranks, &services);
        let pieces = self.groups.into_pieces(MIN_PIECE, rank, |piece| piece);
        Index {
            pieces,
            ranks,
            services,
        }
    }

    /// Sort the entries and write them as batches, one per piece; pieces are dropped once written.
    pub fn into_batches(self) -> Result<Vec<RecordBatch>> {
        let (ranks, services) = (self.addresses.into_ranks(), self.services.into_sorted());
        let rank = |key| ranked(key, &ranks, &services);
        let strings = Strings {
            addresses: ranks.texts()?,
            services: services.pool(),
            directions: StringPool::new(Direction::ALL.into_iter().map(Direction::letter)),
        };
        let write = |piece| written(piece, &strings);
        let batches = self.groups.into_pieces(MIN_PIECE, rank, write);
        batches.into_iter().collect()
    }
}

fn ranked(key: IndexKey, ranks: &AddressRanks, services: &Sorted) -> IndexKey {
    IndexKey::new(
        ranks.rank(key.source()),
        ranks.rank(key.dest()),
        services.rank(key.service()),
        key.direction(),
    )
}

/// The strings of an index.
struct Strings<'a> {
    addresses: AddressTexts<'a>,
    services: StringPool<'a>,
    directions: StringPool<'a>,
}

fn written(Piece { keys, sums }: Piece<IndexKey>, strings: &Strings) -> Result<RecordBatch> {
    let text = |name: &str, values: StringArray| {
        let field = Field::new(name, DataType::Utf8, true);
        (field, Arc::new(values) as ArrayRef)
    };
    let entries = keys.len();
    let service = |i: usize| keys[i].service().get().map(|rank| rank as usize);
    let direction = |i: usize| Some(keys[i].direction() as usize);
    let mut columns = vec![
        text(
            "source",
            strings.addresses.column(entries, |i| keys[i].source())?,
        ),
        text(
            "dest",
            strings.addresses.column(entries, |i| keys[i].dest())?,
        ),
        text("L7Protocol", strings.services.column(entries, service)?),
        text(
            "FlowDirection",
            strings.directions.column(entries, direction)?,
        ),
    ];
    columns.extend(sums.into_columns("TotalAllowedFlows")?);
    batch(columns)
}

/// Collect entries from flows and from other indices.
pub fn collect(
    flows: impl Iterator<Item = Result<FlowBatch>>,
    rules: &DirectionRules,
) -> Result<Entries> {
    let mut entries = Entries::default();
    for batch in flows {
        entries.add(&batch?, rules)?;
    }
    Ok(entries)
}
