//! The one writer: one connection, one transaction an operation, and after a stop on from where the
//! database says it is.

use super::log::OperationsLog;
use super::operation::{self, FileChange, FileContent, Logged};
use super::{model, read};
use crate::pg::PgError;
use crate::pg::session::Session;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Gives the time of heartbeats; the lab's clock.
pub type Now = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// What the writer has done, for `/workload`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Progress {
    pub running: bool,
    pub last_operation: i64,
    pub last_commit_at: Option<jiff::Timestamp>,
    /// Why it does not get on at the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// What the tasks of a workload share.
pub struct Shared {
    pub log: OperationsLog,
    pub now: Now,
    progress: Mutex<Progress>,
    /// The bucket as it is: what app.files is to reference; the next operation carries what
    /// differs.
    bucket: Mutex<BTreeMap<String, FileContent>>,
    /// Keys changed since the last operation.
    changed: Mutex<Vec<FileChange>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn new(log: OperationsLog, now: Now, bucket: BTreeMap<String, FileContent>) -> Self {
        Self {
            log,
            now,
            progress: Mutex::default(),
            bucket: Mutex::new(bucket),
            changed: Mutex::default(),
        }
    }

    pub fn progress(&self) -> Progress {
        lock(&self.progress).clone()
    }

    /// Told by the writer of files after each put or delete.
    pub fn file_changed(&self, change: FileChange) {
        match &change.content {
            Some(content) => drop(lock(&self.bucket).insert(change.key.clone(), content.clone())),
            None => drop(lock(&self.bucket).remove(&change.key)),
        }
        lock(&self.changed).push(change);
    }

    /// What app.files lacks, after a start: also what was put while no operation was done.
    fn differences(&self, rows: &BTreeMap<String, FileContent>) -> Vec<FileChange> {
        lock(&self.changed).clear();
        let bucket = lock(&self.bucket);
        let gone = rows
            .keys()
            .filter(|k| !bucket.contains_key(*k))
            .map(|k| FileChange {
                key: k.clone(),
                content: None,
            });
        let new = bucket.iter().filter(|(k, c)| rows.get(*k) != Some(*c));
        gone.chain(new.map(|(k, c)| FileChange {
            key: k.clone(),
            content: Some(c.clone()),
        }))
        .collect()
    }

    fn set(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut lock(&self.progress));
    }
}

/// A connection that knows the next operation.
pub struct Writer {
    session: Session,
    shared: Arc<Shared>,
    files: BTreeMap<String, FileContent>,
    first_files: Vec<FileChange>,
    n: i64,
}

impl Writer {
    /// # Errors
    /// The server does not answer.
    pub async fn connect(url: &str, shared: Arc<Shared>) -> Result<Self, PgError> {
        let session = Session::url(url).await?;
        session
            .batch(
                "SET timezone='UTC'; SET datestyle='ISO, MDY'; SET statement_timeout='30s'; \
                 SET ROLE shop_app",
            )
            .await?;
        let newest = session
            .text("SELECT coalesce(max(id), 0) FROM app.heartbeat")
            .await?;
        let n = newest.and_then(|n| n.parse().ok()).unwrap_or(0);
        let files = shared.log.files_after(n);
        let first_files = shared.differences(&files);
        shared.set(|p| p.last_operation = n);
        Ok(Self {
            session,
            shared,
            files,
            first_files,
            n,
        })
    }

    /// Does the next operation.
    ///
    /// # Errors
    /// The server's, or the log's. Whether it was committed is then unknown: connect again and ask
    /// the heartbeat.
    pub async fn step(&mut self) -> Result<i64, PgError> {
        let n = self.n + 1;
        let mut files = std::mem::take(&mut self.first_files);
        files.append(&mut lock(&self.shared.changed));
        let logged = Logged {
            n,
            at: shown((self.shared.now)()),
            files,
        };
        let changes = operation::changes(&logged, &self.files);
        let sql = operation::transaction(&logged, &changes);
        self.shared
            .log
            .append(&logged)
            .map_err(PgError::file("writing the operations' log"))?;
        self.session.batch(&sql).await?;
        model::note_files(&mut self.files, &logged);
        self.n = n;
        let now = (self.shared.now)();
        self.shared.set(|p| {
            p.last_operation = n;
            p.last_commit_at = Some(now);
            p.trouble = None;
        });
        Ok(n)
    }
}

/// A timestamptz as the server prints it in UTC: microseconds without trailing zeros.
fn shown(at: jiff::Timestamp) -> String {
    let whole = at.strftime("%Y-%m-%d %H:%M:%S");
    match at.subsec_microsecond() {
        0 => format!("{whole}+00"),
        micros => format!(
            "{whole}.{}+00",
            format!("{micros:06}").trim_end_matches('0')
        ),
    }
}

/// Writes until told to stop; connects again after a failure. An operation under way is finished
/// first.
pub async fn run(
    url: String,
    shared: Arc<Shared>,
    per_second: u32,
    mut stop: watch::Receiver<bool>,
) {
    shared.set(|p| p.running = true);
    let mut pace = tokio::time::interval(Duration::from_micros(
        1_000_000 / u64::from(per_second.max(1)),
    ));
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut writer: Option<Writer> = None;
    loop {
        tokio::select! {
            biased;
            _told = stop.wait_for(|s| *s) => break,
            _tick = pace.tick() => {}
        }
        let done = match writer.as_mut() {
            Some(w) => w.step().await.map(|_| ()),
            None => Writer::connect(&url, shared.clone())
                .await
                .map(|w| writer = Some(w)),
        };
        if let Err(e) = done {
            writer = None;
            shared.set(|p| p.trouble = Some(e.to_string()));
            // The server is away: ask a few times a second, not a hundred.
            let pause = tokio::time::sleep(Duration::from_millis(250));
            tokio::select! { _told = stop.wait_for(|s| *s) => break, () = pause => {} }
        }
    }
    shared.set(|p| p.running = false);
}

/// # Errors
/// The server's: nothing can be compared.
pub async fn reading_equals(
    url: &str,
    shared: &Arc<Shared>,
) -> Result<Result<(), String>, PgError> {
    let reading = read::digest_of_database(url).await?;
    let n = reading.heartbeat.unwrap_or(0);
    let shared = shared.clone();
    let expected = tokio::task::spawn_blocking(move || shared.log.expected(n))
        .await
        .map_err(|e| PgError::told(e.to_string()))?;
    let expected = expected.map_err(PgError::told)?.tables();
    let wrong: Vec<&String> = expected
        .iter()
        .filter(|(t, d)| reading.tables.get(*t) != Some(*d))
        .map(|(t, _)| t)
        .collect();
    let more = reading.tables.len() != expected.len();
    Ok(if wrong.is_empty() && !more {
        Ok(())
    } else {
        Err(format!("at operation {n} these differ: {wrong:?}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_shown_as_the_server_shows_them() {
        let at = |t: &str| shown(t.parse().expect("an instant"));
        assert_eq!(at("2026-11-24T14:20:22Z"), "2026-11-24 14:20:22+00");
        assert_eq!(
            at("2026-11-24T14:20:22.120003Z"),
            "2026-11-24 14:20:22.120003+00"
        );
        assert_eq!(
            at("2026-11-24T14:20:22.1200009Z"),
            "2026-11-24 14:20:22.12+00"
        );
    }
}
