//! Networks and countries of outside addresses, each looked up once.

use rayon::prelude::*;

use crate::detect::log::Log;
use crate::enrich::database::Database;
use crate::enrich::record::Record as Network;
use crate::enrich::results::LookupResults;
use crate::error::Result;
use crate::ip::Ip;

/// Networks of the addresses that are not internal.
#[derive(Debug)]
pub struct Systems {
    ranks: Vec<u64>,
    results: LookupResults,
}

impl Systems {
    /// Look up the outside responders of a log, and its outside initiators if requested.
    pub fn new(log: &Log, database: &Database, initiators: bool) -> Result<Self> {
        let per_bucket = log.records().map(|records| {
            let mut ranks: Vec<u64> = Vec::new();
            for pair in records
                .chunk_by(|a, b| (a.key.source(), a.key.dest()) == (b.key.source(), b.key.dest()))
            {
                ranks.push(pair[0].key.dest());
                if initiators && ranks.last() != Some(&pair[0].key.source()) {
                    ranks.push(pair[0].key.source());
                }
            }
            ranks.sort_unstable();
            ranks.dedup();
            ranks
        });
        Self::of(log, per_bucket.flatten_iter().collect(), database)
    }

    /// Look up those of some addresses that are outside.
    pub fn of(log: &Log, mut ranks: Vec<u64>, database: &Database) -> Result<Self> {
        ranks.par_sort_unstable();
        ranks.dedup();
        ranks.retain(|rank| (log.ip(*rank)).is_some_and(|ip| !log.rules.is_internal(ip)));
        let ips: Vec<Ip> = ranks.iter().filter_map(|rank| log.ip(*rank)).collect();
        Ok(Self {
            results: database.resolve(&ips)?,
            ranks,
        })
    }

    fn system(&self, rank: u64) -> Option<&Network> {
        let index = self.ranks.binary_search(&rank).ok()?;
        let (record, _) = self.results.get(index).system()?;
        self.results.records.get(record)
    }

    /// Number of the autonomous system of an address.
    pub fn asn(&self, rank: u64) -> Option<u32> {
        self.system(rank)?.asn
    }

    /// Name of the autonomous system of an address.
    pub fn name(&self, rank: u64) -> Option<&str> {
        self.system(rank)?.name.as_deref()
    }

    /// Country of an address.
    pub fn country(&self, rank: u64) -> Option<&str> {
        let index = self.ranks.binary_search(&rank).ok()?;
        let record = self.results.get(index).country()?;
        self.results.records.get(record)?.country.as_deref()
    }
}
