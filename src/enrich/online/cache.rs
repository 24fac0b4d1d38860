//! Answers of earlier look-ups, a file for each.

use std::fs::{DirBuilder, File, read, remove_file, rename};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::enrich::online::ledger::now;

/// A folder of answers.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    expiry: Duration,
}

#[derive(Serialize, Deserialize)]
struct Kept<T> {
    source: String,
    at: u64,
    answer: T,
}

impl Cache {
    /// Makes the folder, for nobody but its owner to read, where there is none.
    pub fn open(folder: &Path, expiry: Duration) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(folder).map_err(|error| {
            let text = format!("folder of the cache {}: {error}", folder.display());
            io::Error::new(error.kind(), text)
        })?;
        Ok(Self {
            folder: folder.into(),
            expiry,
        })
    }

    /// An answer of this source, and its time in seconds since 1970; none if it is absent, too
    /// old, from the future or damaged.
    pub fn load<T: DeserializeOwned>(&self, key: &str, source: &str) -> Option<(T, u64)> {
        let kept: Kept<T> = serde_json::from_slice(&read(self.path(key)).ok()?).ok()?;
        let age = Duration::from_secs(now().checked_sub(kept.at)?);
        (kept.source == source && age < self.expiry).then_some((kept.answer, kept.at))
    }

    /// Keeps an answer; a file is either whole or absent, whoever else writes it.
    pub fn store<T: Serialize>(&self, key: &str, source: &str, answer: &T) -> io::Result<()> {
        static UNIQUE: AtomicUsize = AtomicUsize::new(0);
        let kept = Kept {
            source: source.into(),
            at: now(),
            answer,
        };
        let number = UNIQUE.fetch_add(1, Ordering::Relaxed);
        let part = self.path(&format!(".{key}.{}.{number}", process::id()));
        let written = File::create_new(&part)
            .and_then(|mut file| file.write_all(&serde_json::to_vec(&kept)?))
            .and_then(|()| rename(&part, self.path(key)));
        if written.is_err() {
            // It may be absent.
            drop(remove_file(&part));
        }
        written
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.json"))
    }
}
