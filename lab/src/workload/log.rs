//! What the law cannot give: the instants and the files of each operation, one line each, written
//! before the commit.

use super::model::{Model, note_files};
use super::operation::{FileContent, Logged};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// D/workload/operations.log and its lines in memory.
pub struct OperationsLog {
    inner: Mutex<Inner>,
    /// Models on the way to the highest n that was asked for: the next question goes on from the
    /// nearest.
    cached: Mutex<BTreeMap<i64, Model>>,
}

/// Between two kept models; they are small, some milliseconds apart would do.
const KEPT_EVERY: i64 = 2_000;

struct Inner {
    file: std::fs::File,
    /// Line n at n-1; `None` never happens but for a damaged file.
    lines: Vec<Option<Logged>>,
    /// From here on lines were written again since the last question: models beyond are wrong.
    rewritten_from: Option<i64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OperationsLog {
    /// # Errors
    /// The file cannot be read or made.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(path)?;
        let mut lines = Vec::new();
        for line in std::io::BufReader::new(std::fs::File::open(path)?).lines() {
            // The last line may be half of one, after a kill; its operation was not committed then.
            if let Ok(logged) = serde_json::from_str(&line?) {
                place(&mut lines, logged);
            }
        }
        let log = Self {
            inner: Mutex::new(Inner {
                file,
                lines,
                rewritten_from: None,
            }),
            cached: Mutex::default(),
        };
        // A half line would swallow the next one.
        log.write_raw(b"\n")?;
        Ok(log)
    }

    fn write_raw(&self, bytes: &[u8]) -> std::io::Result<()> {
        lock(&self.inner).file.write_all(bytes)
    }

    /// Call before the commit. A crash between the two leaves a line whose operation was not done;
    /// the same n is
    /// written again then, and the last line counts.
    ///
    /// # Errors
    /// The disk's.
    pub fn append(&self, logged: &Logged) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(logged)?;
        line.push(b'\n');
        let mut inner = lock(&self.inner);
        inner.file.write_all(&line)?;
        if place(&mut inner.lines, logged.clone()) {
            inner.rewritten_from = Some(inner.rewritten_from.map_or(logged.n, |n| n.min(logged.n)));
        }
        Ok(())
    }

    /// The rows of app.files after operation n.
    pub fn files_after(&self, n: i64) -> BTreeMap<String, FileContent> {
        let inner = lock(&self.inner);
        let mut files = BTreeMap::new();
        let upto = usize::try_from(n).unwrap_or(0);
        inner
            .lines
            .iter()
            .take(upto)
            .flatten()
            .for_each(|l| note_files(&mut files, l));
        files
    }

    /// The model after operation n. Takes seconds the first time: call it where blocking is
    /// allowed.
    ///
    /// # Errors
    /// An operation up to n is not in the log.
    pub fn expected(&self, n: i64) -> Result<Model, String> {
        let mut cached = lock(&self.cached);
        if let Some(from) = lock(&self.inner).rewritten_from.take() {
            cached.split_off(&from);
        }
        let mut model = cached
            .range(..=n)
            .next_back()
            .map_or_else(Model::seeded, |(_, m)| m.clone());
        let from = usize::try_from(model.n).unwrap_or(0);
        let to = usize::try_from(n).map_err(|_| format!("there is no operation {n}"))?;
        let lines: Vec<Option<Logged>> = lock(&self.inner)
            .lines
            .get(from..to)
            .map(<[_]>::to_vec)
            .unwrap_or_default();
        if lines.len() != to - from {
            return Err(format!("operation {n} is not in the log"));
        }
        for (i, line) in lines.iter().enumerate() {
            model.apply(
                line.as_ref()
                    .ok_or_else(|| format!("operation {} is not in the log", from + i + 1))?,
            );
            if model.n % KEPT_EVERY == 0 {
                cached.insert(model.n, model.clone());
            }
        }
        Ok(model)
    }
}

/// Whether there was such a line already.
fn place(lines: &mut Vec<Option<Logged>>, logged: Logged) -> bool {
    let Some(at) = usize::try_from(logged.n)
        .ok()
        .and_then(|n| n.checked_sub(1))
    else {
        return false;
    };
    if lines.len() <= at {
        lines.resize(at + 1, None);
    }
    lines[at].replace(logged).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_an_operation_counts_and_half_lines_do_not() {
        let path = std::env::temp_dir().join(format!("dr-lab-oplog-{}", std::process::id()));
        let logged = |n, at: &str| Logged {
            n,
            at: at.into(),
            files: Vec::new(),
        };
        let log = OperationsLog::open(&path).expect("open");
        log.append(&logged(1, "a")).expect("append");
        log.append(&logged(2, "lost")).expect("append");
        log.write_raw(b"{\"n\":2,\"at\":\"ha").expect("write");
        let again = OperationsLog::open(&path).expect("open");
        again.append(&logged(2, "b")).expect("append");
        let third = OperationsLog::open(&path).expect("open");
        let ats: Vec<String> = lock(&third.inner)
            .lines
            .iter()
            .flatten()
            .map(|l| l.at.clone())
            .collect();
        assert_eq!(ats, ["a", "b"]);
        assert!(third.expected(3).is_err());
        std::fs::remove_file(&path).expect("removed");
    }
}
