//! Circumstances of findings: how popular networks are, and which hosts are servers or proxies.

use hashbrown::{HashMap, HashSet};

use crate::detect::conversation::Source;
use crate::detect::log::Log;
use crate::detect::systems::Systems;
use crate::direction::rules::Direction;

/// Counts over all initiators.
#[derive(Debug, Default)]
pub struct Circumstances {
    /// Internal initiators that called an outside address.
    pub hosts: u64,
    /// Internal initiators that called a network, by AS number.
    pub callers: HashMap<u32, u64>,
    /// Initiators that called an internal address: internal ones, and external ones that it
    /// answered.
    pub clients: HashMap<u64, [u64; 2]>,
    /// Flows of internal initiators to a country.
    pub countries: HashMap<String, u64>,
    /// Outside addresses that an internal address called.
    pub outside: HashMap<u64, u64>,
}

impl Circumstances {
    /// Count an initiator.
    pub fn add(&mut self, log: &Log, source: &Source, systems: &Systems) {
        let mut networks = HashSet::new();
        let mut outside = 0;
        for pair in source.by_dest() {
            let dest = pair[0].key.dest();
            match log.direction(&pair[0]) {
                Direction::Internal => self.clients.entry(dest).or_default()[0] += 1,
                Direction::Inbound => {
                    let answered = pair.iter().any(|conversation| conversation.answered > 0);
                    self.clients.entry(dest).or_default()[1] += u64::from(answered);
                }
                Direction::Outbound if !log.is_group(dest) => {
                    outside += 1;
                    networks.extend(systems.asn(dest));
                    if let Some(country) = systems.country(dest) {
                        let flows = pair.iter().map(|conversation| conversation.flows);
                        *self.countries.entry_ref(country).or_default() += flows.sum::<u64>();
                    }
                }
                _ => {}
            }
        }
        if source.is_internal && outside > 0 {
            self.hosts += 1;
            self.outside.insert(source.rank, outside);
            for network in networks {
                *self.callers.entry(network).or_default() += 1;
            }
        }
    }

    /// Add the counts of other initiators.
    pub fn merge(&mut self, other: Self) {
        self.hosts += other.hosts;
        self.outside.extend(other.outside);
        for (network, count) in other.callers {
            *self.callers.entry(network).or_default() += count;
        }
        for (country, flows) in other.countries {
            *self.countries.entry(country).or_default() += flows;
        }
        for (address, counts) in other.clients {
            let sums = self.clients.entry(address).or_default();
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum += count;
            }
        }
    }
}
