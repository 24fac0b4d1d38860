//! What databases know of addresses.

use hashbrown::HashMap;
use ipnetwork::IpNetwork;

use crate::aggregate::interner::Interner;
use crate::asn::record::Record;
use crate::asn::{label, unnamed};
use crate::ip::IpKind;

/// What is known of a list of addresses, by their places in it.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Category of each address.
    pub kinds: Vec<IpKind>,
    /// Answers of each file; for each fact the first that knows it wins.
    pub files: Vec<FileAnswers>,
}

/// What one file knows of the addresses.
#[derive(Clone, Debug, Default)]
pub struct FileAnswers {
    /// For each address its network, if it has one in the file.
    pub found: Vec<Option<Found>>,
    /// The records of all networks found, each once.
    pub records: Vec<Record>,
}

/// The network of an address.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Its place among the records.
    pub record: u32,
    /// The network itself.
    pub network: IpNetwork,
}

impl Answers {
    /// The record that tells the autonomous system of an address, and its network.
    pub fn system(&self, place: usize) -> Option<(&Record, IpNetwork)> {
        self.find(place, |record| record.asn.is_some())
            .map(|(_, found, record)| (record, found.network))
    }

    /// The country of an address.
    pub fn country(&self, place: usize) -> Option<&str> {
        let (_, _, record) = self.find(place, |record| record.country.is_some())?;
        record.country.as_deref()
    }

    fn find(
        &self,
        place: usize,
        tells: impl Fn(&Record) -> bool,
    ) -> Option<(usize, Found, &Record)> {
        self.files.iter().enumerate().find_map(|(number, file)| {
            let found = file.found[place]?;
            let record = &file.records[found.record as usize];
            tells(record).then_some((number, found, record))
        })
    }

    /// Numbers the label of every address.
    pub fn labels(&self, labels: &mut Interner) -> Vec<u32> {
        let mut of_kind = HashMap::new();
        let mut of_record: Vec<Vec<Option<u32>>> = self
            .files
            .iter()
            .map(|file| vec![None; file.records.len()])
            .collect();
        (0..self.kinds.len())
            .map(|place| match self.find(place, |r| r.asn.is_some()) {
                Some((file, found, record)) => *of_record[file][found.record as usize]
                    .get_or_insert_with(|| labels.id(&label(record))),
                None => {
                    let kind = self.kinds[place];
                    *of_kind
                        .entry(kind)
                        .or_insert_with(|| labels.id(unnamed(Some(kind))))
                }
            })
            .collect()
    }
}
