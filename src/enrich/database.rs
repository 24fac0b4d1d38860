//! Databases in `MaxMind`'s format, queried in order.

use hashbrown::HashMap;
use ipnetwork::IpNetwork;
use maxminddb::{LookupResult, Reader, WithinOptions};
use rayon::prelude::*;

use crate::columns::parallel::by_row;
use crate::enrich::online::Online;
use crate::enrich::record::{Raw, Record};
use crate::enrich::results::{LookupResults, NetworkMatch};
use crate::error::{Error, Result};
use crate::ip::{Ip, IpKind};

/// Addresses that one task resolves; sorted, so that neighbours share networks.
const CHUNK: usize = 1 << 14;

/// Metadata of a file.
#[derive(Clone, Debug)]
pub struct Info {
    /// Path as given.
    pub path: String,
    /// Type of database, such as `GeoLite2-ASN`.
    pub kind: String,
    /// Build time in seconds since 1970.
    pub build_epoch: u64,
    /// Description in English if there is one, else in another language.
    pub description: String,
    /// 4 or 6.
    pub ip_version: u16,
}

struct File {
    path: String,
    reader: Reader<Vec<u8>>,
}

/// An ordered list of databases; for each fact the first that has it wins.
pub struct Database {
    files: Vec<File>,
    /// Results of online queries, which follow those of the files, or precede them.
    pub online: Option<Online>,
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
    /// Open the files; each is read into memory.
    pub fn open<S: AsRef<str>>(paths: &[S]) -> Result<Self> {
        if paths.is_empty() {
            return Err(Error::Argument(
                "no database; give at least one path".into(),
            ));
        }
        let files = paths.iter().map(|path| File::open(path.as_ref()));
        Ok(Self {
            files: files.collect::<Result<_>>()?,
            online: None,
        })
    }

    /// Metadata of each file.
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

    /// Select the addresses to query online, from distinct ones in ascending order.
    pub fn pending(&self, ips: &[Ip]) -> Result<Vec<Ip>> {
        let Some(online) = &self.online else {
            return Ok(Vec::new());
        };
        let results = self.resolve(ips)?;
        let known = |index| results.get(index).system().is_some();
        let pending = |index: &usize| online.is_pending(ips[*index], known(*index));
        Ok((0..ips.len())
            .filter(pending)
            .map(|index| ips[index])
            .collect())
    }

    /// Resolve addresses; fastest for distinct ones in ascending order.
    pub fn resolve(&self, ips: &[Ip]) -> Result<LookupResults> {
        let kinds = by_row(ips.len(), |index| ips[index].kind());
        let mut records = Vec::new();
        let files = self
            .files
            .iter()
            .map(|file| file.resolve(ips, &kinds, &mut records));
        let mut files = files.collect::<Result<Vec<_>>>()?;
        if let Some(online) = &self.online {
            let position = if online.comes_first() { 0 } else { files.len() };
            files.insert(position, online.find(ips, &mut records));
        }
        Ok(LookupResults::new(&kinds, &files, records))
    }
}

/// Networks of a chunk of addresses, and the records that these refer to by index: the offset of
/// each in the file, and an address that it matches.
type ChunkMatches = (Vec<NetworkMatch>, Vec<(usize, Ip)>);

impl File {
    /// Find the networks of public addresses and appends their records to `records`.
    fn resolve(
        &self,
        ips: &[Ip],
        kinds: &[IpKind],
        records: &mut Vec<Record>,
    ) -> Result<Vec<NetworkMatch>> {
        let chunks: Vec<ChunkMatches> = ips
            .par_chunks(CHUNK)
            .zip(kinds.par_chunks(CHUNK))
            .map(|(ips, kinds)| self.find_all(ips, kinds))
            .collect::<Result<_>>()?;
        let mut indices = HashMap::new();
        let mut examples = Vec::new();
        let mut renumbered = Vec::with_capacity(chunks.len());
        for (_, records_of_chunk) in &chunks {
            let index = |(offset, ip): &(usize, Ip)| {
                *indices.entry(*offset).or_insert_with(|| {
                    examples.push(*ip);
                    (records.len() + examples.len() - 1) as u32
                })
            };
            renumbered.push(records_of_chunk.iter().map(index).collect::<Vec<u32>>());
        }
        let decoded: Vec<Record> = examples
            .into_par_iter()
            .map(|ip| self.record(ip))
            .collect::<Result<_>>()?;
        records.extend(decoded);
        let mut all = vec![NetworkMatch::NONE; ips.len()];
        all.par_chunks_mut(CHUNK)
            .zip(chunks.into_par_iter().zip(renumbered))
            .for_each(|(all, ((found, _), indices))| {
                for (all, NetworkMatch { record, prefix }) in all.iter_mut().zip(found) {
                    if let Some(&record) = indices.get(record as usize) {
                        *all = NetworkMatch { record, prefix };
                    }
                }
            });
        Ok(all)
    }

    fn find_all(&self, ips: &[Ip], kinds: &[IpKind]) -> Result<ChunkMatches> {
        let mut indices = HashMap::new();
        let mut records = Vec::new();
        let mut last = (Ip(1), Ip(0), NetworkMatch::NONE);
        let mut all = Vec::with_capacity(ips.len());
        for (ip, kind) in ips.iter().zip(kinds) {
            if *kind != IpKind::Public {
                all.push(NetworkMatch::NONE);
                continue;
            }
            if last.0 <= *ip && *ip <= last.1 {
                all.push(last.2);
                continue;
            }
            let result = self.find(*ip)?;
            let Some((result, offset)) = result.and_then(|r| r.offset().map(|offset| (r, offset)))
            else {
                all.push(NetworkMatch::NONE);
                continue;
            };
            let network = result
                .network()
                .map_err(|error| self.broken(&ip.to_string(), &error))?;
            let record = *indices.entry(offset).or_insert_with(|| {
                records.push((offset, *ip));
                records.len() as u32 - 1
            });
            let prefix = match network {
                // The network covers all of IPv4.
                IpNetwork::V6(_) if ip.v4().is_some() => 0,
                _ => network.prefix(),
            };
            let found = NetworkMatch { record, prefix };
            last = (network.network().into(), network.broadcast().into(), found);
            all.push(found);
        }
        Ok((all, records))
    }

    fn record(&self, ip: Ip) -> Result<Record> {
        let broken = |error| self.broken(&ip.to_string(), &error);
        let raw: Option<Raw<'_>> = match self.find(ip)? {
            Some(found) => found.decode().map_err(broken)?,
            None => None,
        };
        Ok(raw.map_or_else(Record::default, Record::from))
    }
}
