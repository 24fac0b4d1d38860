//! Results of address lookups across databases.

use hashbrown::HashMap;

use crate::columns::interner::Interner;
use crate::columns::parallel::by_row;
use crate::enrich::record::{Record, label, unnamed};
use crate::ip::IpKind;

/// Results for a list of addresses, by their index in the list.
#[derive(Debug, Default)]
pub struct LookupResults {
    results: Vec<LookupResult>,
    /// The records of all matched networks.
    pub records: Vec<Record>,
}

/// Result for one address.
#[derive(Clone, Copy, Debug)]
pub struct LookupResult {
    system: u32,
    country: u32,
    /// Prefix length of the network of the autonomous system.
    prefix: u8,
    /// Category of the address.
    pub kind: IpKind,
}

/// The network that matches an address in one file.
#[derive(Clone, Copy, Debug)]
pub struct NetworkMatch {
    /// Index of its record.
    pub record: u32,
    /// Length of its prefix.
    pub prefix: u8,
}

impl NetworkMatch {
    /// No network.
    pub const NONE: Self = Self {
        record: NONE,
        prefix: 0,
    };
}

const NONE: u32 = u32::MAX;

impl LookupResults {
    /// Combine the matches of the files; for each fact the first file that has it wins.
    pub fn new(kinds: &[IpKind], files: &[Vec<NetworkMatch>], records: Vec<Record>) -> Self {
        let first = |index: usize, has_fact: fn(&Record) -> bool| {
            let matches = files.iter().map(|file| file[index]);
            let has_fact =
                |found: &NetworkMatch| records.get(found.record as usize).is_some_and(has_fact);
            matches
                .into_iter()
                .find(has_fact)
                .unwrap_or(NetworkMatch::NONE)
        };
        let results = by_row(kinds.len(), |index| {
            let system = first(index, |record| record.asn.is_some());
            LookupResult {
                system: system.record,
                prefix: system.prefix,
                country: first(index, |record| record.country.is_some()).record,
                kind: kinds[index],
            }
        });
        Self { results, records }
    }

    /// The result for an address.
    pub fn get(&self, index: usize) -> LookupResult {
        self.results[index]
    }

    /// Intern the label of every address.
    pub fn labels(&self, labels: &mut Interner) -> Vec<u32> {
        let mut of_kind = HashMap::new();
        let mut of_record = vec![None; self.records.len()];
        let intern = |result: &LookupResult| match result.system() {
            Some((record, _)) => {
                *of_record[record].get_or_insert_with(|| labels.id(&label(&self.records[record])))
            }
            None => *of_kind
                .entry(result.kind)
                .or_insert_with(|| labels.id(unnamed(Some(result.kind)))),
        };
        self.results.iter().map(intern).collect()
    }
}

impl LookupResult {
    /// Index of the record of the autonomous system, and the length of its prefix.
    pub fn system(self) -> Option<(usize, u8)> {
        (self.system != NONE).then_some((self.system as usize, self.prefix))
    }

    /// Index of the record of the country.
    pub fn country(self) -> Option<usize> {
        (self.country != NONE).then_some(self.country as usize)
    }
}
