//! Cached results of online lookups, one file each.

use std::fs::{DirBuilder, read};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::enrich::online::ledger::now;

/// A directory of cached results.
#[derive(Debug)]
pub struct Cache {
    directory: PathBuf,
    expiry: Duration,
}

/// Content of a file; the serialised names are the format on disk.
#[derive(Serialize, Deserialize)]
struct Entry<T> {
    source: String,
    #[serde(rename = "at")]
    time: u64,
    #[serde(rename = "answer")]
    result: T,
}

impl Cache {
    /// Open the directory, or creates it, readable by its owner only.
    pub fn open(directory: &Path, expiry: Duration) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(directory).map_err(|error| {
            let text = format!("cache directory {}: {error}", directory.display());
            io::Error::new(error.kind(), text)
        })?;
        Ok(Self {
            directory: directory.into(),
            expiry,
        })
    }

    /// Load a result from this source, with its time in seconds since 1970; `None` if it is
    /// absent, expired, from the future or damaged.
    pub fn load<T: DeserializeOwned>(&self, key: &str, source: &str) -> Option<(T, u64)> {
        let entry: Entry<T> = serde_json::from_slice(&read(self.path(key)).ok()?).ok()?;
        let age = Duration::from_secs(now().checked_sub(entry.time)?);
        (entry.source == source && age < self.expiry).then_some((entry.result, entry.time))
    }

    /// Store a result; the file is replaced atomically, so readers never see a part of it.
    pub fn store<T: Serialize>(&self, key: &str, source: &str, result: &T) -> io::Result<()> {
        let entry = Entry {
            source: source.into(),
            time: now(),
            result,
        };
        let mut file = NamedTempFile::new_in(&self.directory)?;
        file.write_all(&serde_json::to_vec(&entry)?)?;
        file.persist(self.path(key))?;
        Ok(())
    }

    fn path(&self, key: &str) -> PathBuf {
        self.directory.join(format!("{key}.json"))
    }
}
