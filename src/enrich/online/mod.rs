//! Look-up online, only when asked: who announces an address, and who registered it.

pub mod cache;
pub mod ledger;
pub mod origin;
pub mod registration;
pub mod web;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::scope;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::enrich::answers::Found;
use crate::enrich::online::cache::Cache;
use crate::enrich::online::ledger::{Entry, Ledger, Outcome};
use crate::enrich::online::registration::Bootstrap;
use crate::enrich::online::web::{Failure, Web};
use crate::enrich::record::Record;
use crate::error::Result;
use crate::ip::prefix::parse_network;
use crate::ip::{Ip, IpKind};

/// Whom to ask, what, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether to ask about every public address, and not about unknown ones only.
    pub everything: bool,
    /// URL of the origin service, with `{address}` in the place of the address.
    pub origin: String,
    /// URL of the folder that holds the RDAP bootstrap files of IANA.
    pub bootstrap: String,
    /// Folder of answers of earlier look-ups.
    pub cache: PathBuf,
    /// How long these are good.
    pub expiry: Duration,
    /// Time that one request may take.
    pub timeout: Duration,
    /// Requests at the same time.
    pub workers: usize,
    /// Most questions.
    pub limit: usize,
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Which autonomous system announces the address.
    Origin,
    /// Whom the address is registered for.
    Registration,
}

impl Service {
    const ALL: [Self; 2] = [Self::Origin, Self::Registration];

    /// Name of the service.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Registration => "registration",
        }
    }
}

/// What a service knows of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Holder of the autonomous system, or of the registration.
    pub name: Option<String>,
    /// ISO 3166 code of the country.
    pub country: Option<String>,
    /// The network that this is known of.
    pub network: Option<String>,
    /// What else has to be told.
    pub note: Option<String>,
}

/// Longest name that is taken from a service.
const NAME: usize = 200;

/// A name without blanks around it, cut where it is longer than any name ought to be.
fn name(text: &str) -> Option<String> {
    let text = text.trim();
    let end = text.char_indices().nth(NAME).map_or(text.len(), |c| c.0);
    (!text.is_empty()).then(|| text[..end].to_owned())
}

/// Services online, and what they answered so far.
pub struct Online {
    settings: Settings,
    cache: Cache,
    origin: Web,
    registration: Web,
    ledger: Mutex<Ledger>,
    asked: AtomicUsize,
}

impl Online {
    /// Checks the settings and makes the folder of the cache; asks nobody.
    pub fn new(settings: Settings) -> Result<Self> {
        Ok(Self {
            cache: Cache::open(&settings.cache, settings.expiry)?,
            origin: Web::new(&settings.origin, settings.timeout)?,
            registration: Web::new(&settings.bootstrap, settings.timeout)?,
            ledger: Mutex::default(),
            asked: AtomicUsize::new(0),
            settings,
        })
    }

    /// Whether to ask about an address of which databases know, or do not know, the system.
    pub fn wants(&self, ip: Ip, known: bool) -> bool {
        let new = || self.with_ledger(|ledger| !ledger.contains_key(&(ip, Service::Origin)));
        ip.kind() == IpKind::Public && (self.settings.everything || !known) && new()
    }

    /// Asks about addresses, the public ones among them; what is not done when `stop` is set is
    /// left for later.
    pub fn ask(&self, ips: &[Ip], stop: &AtomicBool) {
        let public = ips.iter().filter(|ip| ip.kind() == IpKind::Public);
        let jobs: Vec<(Ip, Service)> = public
            .flat_map(|ip| Service::ALL.map(|service| (*ip, service)))
            .collect();
        let bootstrap = Bootstrap::default();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed))
                && let Some(entry) = self.entry(*job, &bootstrap, stop)
            {
                self.with_ledger(|ledger| ledger.insert(*job, entry));
            }
        };
        scope(|scope| {
            for _ in 0..self.settings.workers.min(jobs.len()) {
                scope.spawn(work);
            }
        });
    }

    /// An answer, from the cache or from the service; none if it was stopped.
    fn entry(
        &self,
        (ip, service): (Ip, Service),
        bootstrap: &Bootstrap,
        stop: &AtomicBool,
    ) -> Option<Entry> {
        let source = match service {
            Service::Origin => &self.settings.origin,
            Service::Registration => &self.settings.bootstrap,
        };
        let key = format!("{}-{:032x}", service.name(), ip.0);
        if let Some((facts, at)) = self.cache.load::<Facts>(&key, source) {
            return Some(Entry::new(Outcome::Answered(facts), true, at));
        }
        if self.asked.fetch_add(1, Ordering::Relaxed) >= self.settings.limit {
            let reason = format!("the limit of {} questions is reached", self.settings.limit);
            return Some(Entry::now(Outcome::NotAsked(reason)));
        }
        let found = match service {
            Service::Origin => origin::ask(&self.origin, &self.settings.origin, ip, stop),
            Service::Registration => {
                let web = &self.registration;
                bootstrap
                    .server(web, &self.cache, source, ip, stop)
                    .and_then(|server| registration::ask(web, server, ip, stop))
            }
        };
        Some(match found {
            Ok(facts) => {
                let kept = self.cache.store(&key, source, &facts);
                Entry::now(Outcome::Answered(match kept {
                    Ok(()) => facts,
                    Err(error) => facts.noting(format!("not kept in the cache: {error}")),
                }))
            }
            Err(Failure::Stopped) => return None,
            Err(Failure::Failed(reason)) => Entry::now(Outcome::Failed(reason)),
            Err(Failure::GivenUp(reason)) => Entry::now(Outcome::NotAsked(reason)),
        })
    }

    /// Whether answers online come before those of databases.
    pub fn comes_first(&self) -> bool {
        self.settings.everything
    }

    /// The networks of addresses that were asked about; their records are added to `records`.
    pub fn find(&self, ips: &[Ip], records: &mut Vec<Record>) -> Vec<Found> {
        self.with_ledger(|ledger| {
            let mut find = |ip: &Ip| {
                let facts = |service| ledger.get(&(*ip, service))?.facts();
                let (origin, registration) = (facts(Service::Origin), facts(Service::Registration));
                if origin.or(registration).is_none() {
                    return Found::NONE;
                }
                records.push(Record {
                    asn: origin.and_then(|facts| facts.asn),
                    name: origin.and_then(|facts| facts.name.clone()),
                    country: registration.and_then(|facts| facts.country.clone()),
                });
                Found {
                    record: records.len() as u32 - 1,
                    prefix: origin.map_or(0, |facts| facts.prefix(*ip)),
                }
            };
            if ledger.is_empty() {
                return vec![Found::NONE; ips.len()];
            }
            ips.iter().map(&mut find).collect()
        })
    }

    /// Works with what was answered so far.
    pub fn with_ledger<T>(&self, work: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut ledger = self
            .ledger
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        work(&mut ledger)
    }
}

impl Facts {
    fn noting(mut self, note: String) -> Self {
        self.note = Some(match self.note {
            Some(before) => format!("{before}; {note}"),
            None => note,
        });
        self
    }

    /// Length of the network, which holds the address; that of the address alone without one.
    fn prefix(&self, ip: Ip) -> u8 {
        let whole: u8 = if ip.v4().is_some() { 32 } else { 128 };
        let network = self.network.as_deref().and_then(parse_network);
        network.map_or(whole, |(first, last)| {
            whole.saturating_sub((128 - (first.0 ^ last.0).leading_zeros()) as u8)
        })
    }
}
