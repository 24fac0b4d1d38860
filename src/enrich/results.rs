//! What databases know of addresses.

use hashbrown::HashMap;

use crate::columns::interner::Interner;
use crate::columns::parallel::by_row;
use crate::enrich::record::{Record, label, unnamed};
use crate::ip::IpKind;

/// What is known of a list of addresses, each by its place in the list.
#[derive(Debug, Default)]
pub struct Answers {
    answers: Vec<Answer>,
    /// The records of all networks found.
    pub records: Vec<Record>,
}

/// What is known of one address.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    system: u32,
    country: u32,
    /// Length of the network of the autonomous system.
    prefix: u8,
    /// Category of the address.
    pub kind: IpKind,
}

/// The network of an address in one file.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Its place among the records.
    pub record: u32,
    /// Length of its prefix.
    pub prefix: u8,
}

impl Found {
    /// No network.
    pub const NONE: Self = Self {
        record: NONE,
        prefix: 0,
    };
}

const NONE: u32 = u32::MAX;

impl Answers {
    /// Brings together what the files found; for each fact the first that knows it wins.
    pub fn new(kinds: &[IpKind], files: &[Vec<Found>], records: Vec<Record>) -> Self {
        let first = |place: usize, tells: fn(&Record) -> bool| {
            let found = files.iter().map(|file| file[place]);
            let tells = |found: &Found| records.get(found.record as usize).is_some_and(tells);
            found.into_iter().find(tells).unwrap_or(Found::NONE)
        };
        let answers = by_row(kinds.len(), |place| {
            let system = first(place, |record| record.asn.is_some());
            Answer {
                system: system.record,
                prefix: system.prefix,
                country: first(place, |record| record.country.is_some()).record,
                kind: kinds[place],
            }
        });
        Self { answers, records }
    }

    /// The answer for an address.
    pub fn get(&self, place: usize) -> Answer {
        self.answers[place]
    }

    /// Numbers the label of every address.
    pub fn labels(&self, labels: &mut Interner) -> Vec<u32> {
        let mut of_kind = HashMap::new();
        let mut of_record = vec![None; self.records.len()];
        let number = |answer: &Answer| match answer.system() {
            Some((record, _)) => {
                *of_record[record].get_or_insert_with(|| labels.id(&label(&self.records[record])))
            }
            None => *of_kind
                .entry(answer.kind)
                .or_insert_with(|| labels.id(unnamed(Some(answer.kind)))),
        };
        self.answers.iter().map(number).collect()
    }
}

impl Answer {
    /// Place of the record that tells the autonomous system, and the length of its prefix.
    pub fn system(self) -> Option<(usize, u8)> {
        (self.system != NONE).then_some((self.system as usize, self.prefix))
    }

    /// Place of the record that tells the country.
    pub fn country(self) -> Option<usize> {
        (self.country != NONE).then_some(self.country as usize)
    }
}
