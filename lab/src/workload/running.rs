//! The workload as a whole: seeded once, then written to until told to stop, and again.

use super::database;
use super::files::{self, Bucket, FilesLog};
use super::log::OperationsLog;
use super::model::Model;
use super::writer::{self, Now, Progress, Shared, Writer};
use crate::pg::PgError;
use crate::pg::session::Session;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Operations a second: enough that every instant of a backup falls between commits, little enough
/// for a laptop.
pub const OPERATIONS_PER_SECOND: u32 = 150;

pub struct Workload {
    shared: Arc<Shared>,
    files: Arc<FilesLog>,
    bucket: Arc<dyn Bucket>,
    url: String,
    per_second: u32,
    tasks: Mutex<Option<Tasks>>,
}

struct Tasks {
    stop: watch::Sender<bool>,
    handles: Vec<JoinHandle<()>>,
}

impl Workload {
    /// Reads the logs in `dir`, which is D/workload, and brings database and bucket to where
    /// operations begin. What a
    /// kill left undone of the seed is done now.
    ///
    /// # Errors
    /// The disk's, the server's or the bucket's.
    pub async fn open(
        dir: &Path,
        url: &str,
        bucket: Arc<dyn Bucket>,
        now: Now,
    ) -> Result<Self, PgError> {
        std::fs::create_dir_all(dir).map_err(PgError::file(format!("making {}", dir.display())))?;
        let log = OperationsLog::open(&dir.join("operations.log"))
            .map_err(PgError::file("reading operations.log"))?;
        let (files, live) =
            FilesLog::open(&dir.join("files.log")).map_err(PgError::file("reading files.log"))?;
        let shared = Arc::new(Shared::new(log, now, live));
        let session = Session::url(url).await?;
        let database = async {
            if database::seeded(&session).await? {
                Ok(())
            } else {
                database::create(&session).await
            }
        };
        let (made, put) = tokio::join!(database, files::seed(bucket.as_ref(), &files, &shared));
        made?;
        put.map_err(PgError::told)?;
        let mut first = Writer::connect(url, shared.clone()).await?;
        if shared.progress().last_operation == 0 {
            // The first operation brings the rows of all files that the seed put.
            first.step().await?;
        }
        let tasks = Mutex::default();
        Ok(Self {
            shared,
            files: Arc::new(files),
            bucket,
            url: url.to_owned(),
            per_second: OPERATIONS_PER_SECOND,
            tasks,
        })
    }

    /// Harmless when it runs already.
    pub fn start(&self) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if tasks.is_some() {
            return;
        }
        let (stop, told) = watch::channel(false);
        let rows = writer::run(
            self.url.clone(),
            self.shared.clone(),
            self.per_second,
            told.clone(),
        );
        let objects = files::run(
            self.bucket.clone(),
            self.files.clone(),
            self.shared.clone(),
            told,
        );
        *tasks = Some(Tasks {
            stop,
            handles: vec![tokio::spawn(rows), tokio::spawn(objects)],
        });
    }

    /// Returns when nothing is under way any more.
    pub async fn stop(&self) {
        let tasks = self
            .tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(tasks) = tasks else { return };
        let _nobody_left = tasks.stop.send(true);
        for handle in tasks.handles {
            let _ended = handle.await;
        }
    }

    pub fn running(&self) -> bool {
        self.tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    pub fn progress(&self) -> Progress {
        self.shared.progress()
    }

    /// # Errors
    /// Operation n is not in the log.
    pub async fn expected(&self, n: i64) -> Result<Model, String> {
        let shared = self.shared.clone();
        tokio::task::spawn_blocking(move || shared.log.expected(n))
            .await
            .map_err(|e| e.to_string())?
    }
}
