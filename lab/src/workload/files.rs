//! The bucket of files beside the database: a seed of odd keys and sizes, and a writer that changes
//! one about twice a second.

use super::chance::mixed;
use super::operation::{FileChange, FileContent};
use super::rows::TENANTS;
use super::writer::Shared;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// What goes with an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    pub content_type: Option<String>,
    pub metadata: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
}

/// The bucket of files, reached inside the process: no call that the hook would count.
#[async_trait::async_trait]
pub trait Bucket: Send + Sync {
    /// Returns the new version's id.
    async fn put(&self, key: &str, bytes: Bytes, meta: Meta) -> Result<String, String>;
    /// Returns the delete marker's id.
    async fn delete(&self, key: &str) -> Result<String, String>;
}

/// A line of D/workload/files.log: a version that was put, or a delete marker (no digest).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLine {
    /// Counts changes from 1; a change that was cut short by a kill is done again.
    pub change: u64,
    pub key: String,
    pub version: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<String>,
    pub size: u64,
}

/// D/workload/files.log with what it adds up to.
pub struct FilesLog {
    file: Mutex<std::fs::File>,
    last: Mutex<u64>,
}

/// Objects of the seed; later versions and deletes of some of them follow, up to `SEEDED`.
const OBJECTS: u64 = 200;
pub const SEEDED: u64 = 230;

impl FilesLog {
    /// The log and the bucket's live content.
    ///
    /// # Errors
    /// The file cannot be read or made.
    pub fn open(path: &Path) -> std::io::Result<(Self, BTreeMap<String, FileContent>)> {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(path)?;
        let (mut live, mut last) = (BTreeMap::new(), 0);
        for line in std::io::BufReader::new(std::fs::File::open(path)?).lines() {
            let Ok(line) = serde_json::from_str::<FileLine>(&line?) else {
                continue;
            };
            last = line.change;
            let change = line.into_change();
            match change.content {
                Some(content) => drop(live.insert(change.key, content)),
                None => drop(live.remove(&change.key)),
            }
        }
        file.write_all(b"\n")?;
        Ok((
            Self {
                file: Mutex::new(file),
                last: Mutex::new(last),
            },
            live,
        ))
    }

    /// The number of the last change that is in the log.
    pub fn last(&self) -> u64 {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, line: &FileLine) -> Result<(), String> {
        let mut bytes = serde_json::to_vec(line).map_err(|e| e.to_string())?;
        bytes.push(b'\n');
        self.file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write_all(&bytes)
            .map_err(|e| e.to_string())?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = line.change;
        Ok(())
    }
}

impl FileLine {
    fn into_change(self) -> FileChange {
        let version = self.version;
        FileChange {
            key: self.key,
            content: self.sha256.map(|sha256| FileContent { version, sha256 }),
        }
    }
}

/// What change number `n` does.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Put { key: String, size: usize },
    Delete { key: String },
}

fn key(object: u64) -> String {
    const NAMES: [&str; 8] = [
        "invoice.pdf",
        "two words.txt",
        "naïve-ü.bin",
        "a+b=c.csv",
        "100% sure.txt",
        "deep/er/still.json",
        "报告.docx",
        "it's~(ok)!.md",
    ];
    let name = NAMES[usize::try_from(object % 8).unwrap_or(0)];
    format!(
        "tenants/{}/{object:04}-{name}",
        1 + object % TENANTS.cast_unsigned()
    )
}

fn size(n: u64, object: u64) -> usize {
    let bytes = match object {
        0 => 0,
        1 => 9 << 20,
        2 => (8 << 20) + 1,
        3 => 8 << 20,
        o if o % 23 == 0 => 1_000_000 + mixed(n) % 500_000,
        _ => mixed(n) % 40_000,
    };
    usize::try_from(bytes).unwrap_or(0)
}

fn wanted(n: u64) -> Wanted {
    if n <= OBJECTS {
        let object = n - 1;
        return Wanted::Put {
            key: key(object),
            size: size(n, object),
        };
    }
    // Large ones stay as they are: the writer is to make changes, not load.
    let object = 4 + mixed(n) % (OBJECTS + n / 10 - 4);
    if n.is_multiple_of(7) {
        Wanted::Delete { key: key(object) }
    } else {
        Wanted::Put {
            key: key(object),
            size: usize::try_from(mixed(n) % 20_000).unwrap_or(0),
        }
    }
}

fn content(n: u64, size: usize) -> Bytes {
    let mut bytes = Vec::with_capacity(size + 8);
    let mut word = mixed(n);
    while bytes.len() < size {
        word = mixed(word);
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.truncate(size);
    bytes.into()
}

fn meta(n: u64) -> Meta {
    let pair = |k: &str, v: String| BTreeMap::from([(k.to_owned(), v)]);
    Meta {
        content_type: n
            .is_multiple_of(2)
            .then(|| "application/octet-stream".to_owned()),
        metadata: if n.is_multiple_of(3) {
            pair("uploaded-by", format!("user-{}", n % 50))
        } else {
            BTreeMap::new()
        },
        tags: if n.is_multiple_of(5) {
            pair("class", format!("kind {}", n % 4))
        } else {
            BTreeMap::new()
        },
    }
}

/// Makes the next change in the bucket, then in the log, then tells the database's writer. A kill
/// between bucket and
/// log leaves a version that no row references, as an application would.
///
/// # Errors
/// The bucket's or the disk's.
pub async fn step(bucket: &dyn Bucket, log: &FilesLog, shared: &Shared) -> Result<(), String> {
    let n = log.last() + 1;
    let line = match wanted(n) {
        Wanted::Put { key, size } => {
            let bytes = content(n, size);
            let sha256 = Some(hex::encode(Sha256::digest(&bytes)));
            let version = bucket.put(&key, bytes, meta(n)).await?;
            FileLine {
                change: n,
                key,
                version,
                sha256,
                size: size as u64,
            }
        }
        Wanted::Delete { key } => {
            let version = bucket.delete(&key).await?;
            FileLine {
                change: n,
                key,
                version,
                sha256: None,
                size: 0,
            }
        }
    };
    log.append(&line)?;
    shared.file_changed(line.into_change());
    Ok(())
}

/// Puts what the seed still lacks.
///
/// # Errors
/// The bucket's or the disk's.
pub async fn seed(bucket: &dyn Bucket, log: &FilesLog, shared: &Shared) -> Result<(), String> {
    while log.last() < SEEDED {
        step(bucket, log, shared).await?;
    }
    Ok(())
}

/// Changes files until told to stop.
pub async fn run(
    bucket: Arc<dyn Bucket>,
    log: Arc<FilesLog>,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    let mut pace = tokio::time::interval(Duration::from_millis(500));
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            _told = stop.wait_for(|s| *s) => return,
            _tick = pace.tick() => {}
        }
        // A bucket that is away is asked again at the next tick; the change keeps its number.
        let _away = step(bucket.as_ref(), &log, &shared).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_has_empty_and_large_files_odd_names_and_deletes() {
        let all: Vec<Wanted> = (1..=SEEDED).map(wanted).collect();
        assert!(
            all.contains(&Wanted::Put {
                key: key(0),
                size: 0
            }) && all.contains(&Wanted::Put {
                key: key(1),
                size: 9 << 20
            })
        );
        assert!(all.iter().any(|w| matches!(w, Wanted::Delete { .. })));
        let odd = |part: &str| {
            all.iter()
                .any(|w| matches!(w, Wanted::Put { key, .. } if key.contains(part)))
        };
        assert!(["+", "%", " ", "ü", "报"].into_iter().all(odd));
        assert_eq!(content(9, 13).len(), 13);
        assert_eq!(content(9, 13), content(9, 13));
    }
}
