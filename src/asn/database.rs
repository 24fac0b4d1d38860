//! Databases in `MaxMind`'s format, asked in order.

use std::sync::Arc;

use hashbrown::HashMap;
use ipnetwork::IpNetwork;
use maxminddb::{LookupResult, Reader, WithinOptions};
use rayon::prelude::*;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::flows::OrNull;
use crate::ip::{Ip, IpKind};

/// Addresses that one task resolves; sorted, so that neighbours share decoded records.
const CHUNK: usize = 4_096;

/// What is known of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Category of the address; `None` for a missing address.
    pub kind: Option<IpKind>,
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Name of the autonomous system's holder.
    pub name: Option<Arc<str>>,
    /// ISO 3166 code of the country.
    pub country: Option<Arc<str>>,
    /// The network whose record this is.
    pub prefix: Option<IpNetwork>,
}

/// What a file says of itself.
#[derive(Clone, Debug)]
pub struct Info {
    /// Path as given.
    pub path: String,
    /// Type of database, such as `GeoLite2-ASN`.
    pub kind: String,
    /// Seconds since 1970 at which it was built.
    pub build_epoch: u64,
    /// Description in English, or in the first language there is.
    pub description: String,
    /// 4 or 6.
    pub ip_version: u16,
}

struct File {
    path: String,
    reader: Reader<Vec<u8>>,
}

/// An ordered list of databases; for each fact the first that knows it wins.
pub struct Database {
    files: Vec<File>,
}

#[derive(Clone, Default)]
struct Record {
    asn: Option<u32>,
    name: Option<Arc<str>>,
    country: Option<Arc<str>>,
}

/// The spellings in use: GeoLite2-ASN, GeoIP2-ISP and -Enterprise, `IPinfo`, ip-location-db.
#[derive(Deserialize)]
struct Raw<'a> {
    autonomous_system_number: Option<u32>,
    #[serde(borrow)]
    autonomous_system_organization: Option<&'a str>,
    asn: Option<Number<'a>>,
    as_name: Option<&'a str>,
    country_code: Option<&'a str>,
    country: Option<Country<'a>>,
    registered_country: Option<Country<'a>>,
    traits: Option<Traits<'a>>,
}

#[derive(Deserialize)]
struct Traits<'a> {
    autonomous_system_number: Option<u32>,
    #[serde(borrow)]
    autonomous_system_organization: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Number<'a> {
    Number(u32),
    Text(&'a str),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Country<'a> {
    Code(&'a str),
    Record { iso_code: Option<&'a str> },
}

impl From<Raw<'_>> for Record {
    fn from(raw: Raw<'_>) -> Self {
        let (number, holder) = raw.traits.map_or((None, None), |traits| {
            (
                traits.autonomous_system_number,
                traits.autonomous_system_organization,
            )
        });
        let written = raw.asn.and_then(|asn| match asn {
            Number::Number(number) => Some(number),
            Number::Text(text) => text.trim_start_matches(['A', 'S']).parse().ok(),
        });
        let code = |country: Option<Country<'_>>| {
            country.and_then(|country| match country {
                Country::Code(code) => some_text(Some(code)),
                Country::Record { iso_code } => some_text(iso_code),
            })
        };
        Self {
            asn: raw
                .autonomous_system_number
                .or(number)
                .or(written)
                .filter(|asn| *asn != 0),
            name: some_text(raw.autonomous_system_organization)
                .or_else(|| some_text(holder))
                .or_else(|| some_text(raw.as_name)),
            country: some_text(raw.country_code)
                .or_else(|| code(raw.country))
                .or_else(|| code(raw.registered_country)),
        }
    }
}

fn some_text(text: Option<&str>) -> Option<Arc<str>> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(Arc::from)
}

impl File {
    fn open(path: &str) -> Result<Self> {
        let bytes = std::fs::read(path)
            .map_err(|error| std::io::Error::new(error.kind(), format!("{path}: {error}")))?;
        let reader = Reader::from_source(bytes).map_err(|error| Error::Database {
            path: path.into(),
            reason: format!("is not a usable database in MaxMind's format ({error})"),
        })?;
        Ok(Self {
            path: path.into(),
            reader,
        })
    }

    fn broken(&self, what: &str, error: &maxminddb::MaxMindDbError) -> Error {
        Error::Database {
            path: self.path.clone(),
            reason: format!("{what}: the database is damaged ({error})"),
        }
    }

    fn find(&self, ip: Ip) -> Result<Option<LookupResult<'_, Vec<u8>>>> {
        if ip.v4().is_none() && self.reader.metadata().ip_version == 4 {
            return Ok(None);
        }
        let found = self
            .reader
            .lookup(ip.to_std())
            .map_err(|error| self.broken(&ip.to_string(), &error))?;
        Ok(found.has_data().then_some(found))
    }
}

impl Database {
    /// Opens the files; each is read into memory.
    pub fn open<S: AsRef<str>>(paths: &[S]) -> Result<Self> {
        if paths.is_empty() {
            return Err(Error::Argument("no database was named".into()));
        }
        let files = paths.iter().map(|path| File::open(path.as_ref()));
        Ok(Self {
            files: files.collect::<Result<_>>()?,
        })
    }

    /// What each file says of itself.
    pub fn info(&self) -> Vec<Info> {
        self.files
            .iter()
            .map(|file| {
                let metadata = file.reader.metadata();
                let description = metadata.description.get("en");
                Info {
                    path: file.path.clone(),
                    kind: metadata.database_type.clone(),
                    build_epoch: metadata.build_epoch,
                    description: description
                        .or_else(|| metadata.description.values().min())
                        .cloned()
                        .unwrap_or_default(),
                    ip_version: metadata.ip_version,
                }
            })
            .collect()
    }

    /// Number of networks with a record, per file.
    pub fn count_networks(&self) -> Result<Vec<usize>> {
        self.files
            .par_iter()
            .map(|file| {
                let networks = file
                    .reader
                    .networks(WithinOptions::default())
                    .map_err(|error| file.broken("counting networks", &error))?;
                networks
                    .map(|network| {
                        network.map_err(|error| file.broken("counting networks", &error))
                    })
                    .try_fold(0, |count, network| network.map(|_| count + 1))
            })
            .collect()
    }

    /// Resolves addresses, each distinct one once. The answers are in the order of the question.
    pub fn lookup(&self, addresses: &[OrNull<Ip>]) -> Result<Vec<Resolved>> {
        let mut distinct: Vec<Ip> = addresses.par_iter().filter_map(|ip| ip.get()).collect();
        distinct.par_sort_unstable();
        distinct.dedup();
        let resolved = self.resolve(&distinct)?;
        Ok(addresses
            .par_iter()
            .map(|ip| {
                let found = ip.get().and_then(|ip| distinct.binary_search(&ip).ok());
                found.map_or_else(Resolved::default, |i| resolved[i].clone())
            })
            .collect())
    }

    /// Resolves distinct addresses, best in ascending order.
    pub fn resolve(&self, distinct: &[Ip]) -> Result<Vec<Resolved>> {
        let chunks: Vec<Vec<Resolved>> = distinct
            .par_chunks(CHUNK)
            .map(|chunk| {
                let mut records = vec![HashMap::new(); self.files.len()];
                chunk
                    .iter()
                    .map(|ip| self.resolve_one(*ip, &mut records))
                    .collect::<Result<_>>()
            })
            .collect::<Result<_>>()?;
        Ok(chunks.concat())
    }

    fn resolve_one(&self, ip: Ip, records: &mut [HashMap<usize, Record>]) -> Result<Resolved> {
        let kind = ip.kind();
        let mut out = Resolved {
            kind: Some(kind),
            ..Resolved::default()
        };
        if kind != IpKind::Public {
            return Ok(out);
        }
        for (file, records) in self.files.iter().zip(records) {
            let Some(found) = file.find(ip)? else {
                continue;
            };
            let broken = |error| file.broken(&ip.to_string(), &error);
            let known = found
                .offset()
                .and_then(|offset| records.get(&offset))
                .cloned();
            let record = if let Some(record) = known {
                record
            } else {
                let raw: Option<Raw<'_>> = found.decode().map_err(broken)?;
                let record = raw.map_or_else(Record::default, Record::from);
                if let Some(offset) = found.offset() {
                    records.insert(offset, record.clone());
                }
                record
            };
            if out.asn.is_none() && record.asn.is_some() {
                (out.asn, out.name) = (record.asn, record.name);
                out.prefix = Some(found.network().map_err(broken)?);
            }
            if out.country.is_none() {
                out.country = record.country;
            }
        }
        Ok(out)
    }
}
