//! Opt-in online lookup: the AS that announces an address, and its registrant.

pub mod cache;
pub mod facts;
mod guard;
pub mod ledger;
pub mod origin;
pub mod registration;
pub mod web;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::scope;
use std::time::Duration;

use crate::enrich::online::cache::Cache;
use crate::enrich::online::facts::{Facts, Service};
use crate::enrich::online::ledger::{Entry, Ledger, Outcome};
use crate::enrich::online::registration::Bootstrap;
use crate::enrich::online::web::{Failure, WebClient};
use crate::enrich::record::Record;
use crate::enrich::results::NetworkMatch;
use crate::error::Result;
use crate::ip::{Ip, IpKind};

/// Services, limits and cache of the online lookup.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether to query every public address, not only those without an ASN.
    pub everything: bool,
    /// URL of the origin service, with the placeholder `{address}`.
    pub origin: String,
    /// Base URL of IANA's RDAP bootstrap files.
    pub bootstrap: String,
    /// Cache directory.
    pub cache: PathBuf,
    /// Maximum age of a cached result.
    pub expiry: Duration,
    /// Timeout of a request.
    pub timeout: Duration,
    /// Number of concurrent requests.
    pub workers: usize,
    /// Maximum number of queries.
    pub limit: usize,
}

/// Clients of the online services, and the ledger of their queries.
pub struct Online {
    settings: Settings,
    cache: Cache,
    origin: WebClient,
    registration: WebClient,
    ledger: Mutex<Ledger>,
    queries: AtomicUsize,
}

impl Online {
    /// Validate the settings and creates the cache directory; send no request.
    pub fn new(settings: Settings) -> Result<Self> {
        Ok(Self {
            cache: Cache::open(&settings.cache, settings.expiry)?,
            origin: WebClient::new(&settings.origin, settings.timeout)?,
            registration: WebClient::new(&settings.bootstrap, settings.timeout)?,
            ledger: Mutex::default(),
            queries: AtomicUsize::new(0),
            settings,
        })
    }

    /// Whether an address has yet to be queried; `known` is whether the files have its ASN.
    pub fn is_pending(&self, ip: Ip, known: bool) -> bool {
        let new = || self.with_ledger(|ledger| !ledger.contains_key(&(ip, Service::Origin)));
        ip.kind() == IpKind::Public && (self.settings.everything || !known) && new()
    }

    /// Query the public addresses among the given ones; stop between requests when `stop` is
    /// set.
    pub fn query(&self, ips: &[Ip], stop: &AtomicBool) {
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

    /// A result, from the cache or from the service; `None` if it was stopped.
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
        if self.queries.fetch_add(1, Ordering::Relaxed) >= self.settings.limit {
            let reason = format!("the limit of {} queries is reached", self.settings.limit);
            return Some(Entry::now(Outcome::NotQueried(reason)));
        }
        let found = match service {
            Service::Origin => origin::query(&self.origin, &self.settings.origin, ip, stop),
            Service::Registration => {
                let web = &self.registration;
                bootstrap
                    .server(web, &self.cache, source, ip, stop)
                    .and_then(|server| registration::query(web, server, ip, stop))
            }
        };
        Some(match found {
            Ok(facts) => {
                let stored = self.cache.store(&key, source, &facts);
                Entry::now(Outcome::Answered(match stored {
                    Ok(()) => facts,
                    Err(error) => facts.with_note(format!("not cached: {error}")),
                }))
            }
            Err(Failure::Stopped) => return None,
            Err(Failure::Failed(reason)) => Entry::now(Outcome::Failed(reason)),
            Err(Failure::Skipped(reason)) => Entry::now(Outcome::NotQueried(reason)),
        })
    }

    /// Whether online results precede those of the files.
    pub fn comes_first(&self) -> bool {
        self.settings.everything
    }

    /// The networks of queried addresses; appends their records to `records`.
    pub fn find(&self, ips: &[Ip], records: &mut Vec<Record>) -> Vec<NetworkMatch> {
        self.with_ledger(|ledger| {
            let mut find = |ip: &Ip| {
                let facts = |service| ledger.get(&(*ip, service))?.facts();
                let (origin, registration) = (facts(Service::Origin), facts(Service::Registration));
                if origin.or(registration).is_none() {
                    return NetworkMatch::NONE;
                }
                records.push(Record {
                    asn: origin.and_then(|facts| facts.asn),
                    name: origin.and_then(|facts| facts.name.clone()),
                    country: registration.and_then(|facts| facts.country.clone()),
                });
                NetworkMatch {
                    record: records.len() as u32 - 1,
                    prefix: origin.map_or(0, |facts| facts.prefix(*ip)),
                }
            };
            if ledger.is_empty() {
                return vec![NetworkMatch::NONE; ips.len()];
            }
            ips.iter().map(&mut find).collect()
        })
    }

    /// Apply a function to the locked ledger.
    pub fn with_ledger<T>(&self, work: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut ledger = self
            .ledger
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        work(&mut ledger)
    }
}
