//! The half of the lab that is a database: RDS with its production cluster and the workload on it.

use crate::accounts::{AWS_REGIONS, PRIMARY_REGION, PRODUCTION, SECOND_REGION, VAULT};
use crate::clock::Clock;
use crate::kms::{Kms, default_key};
use crate::pg::watchdog::{Watch, Watchdog};
use crate::pg::{PgError, Programs, session, sockets};
use crate::rds::{Durations, Leftovers, Production, Rds, Surroundings};
use crate::workload::files::Bucket;
use crate::workload::{Reading, Workload, database, digest_of_database};
use serde::Serialize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How a lab is started.
pub struct Start<'a> {
    /// D, the lab's directory.
    pub root: &'a Path,
    /// `None`: whoever starts us sweeps.
    pub watch: Option<Watch<'a>>,
    pub around: Surroundings,
    /// `None` where the lab is empty.
    pub production: Option<(Production, Arc<dyn Bucket>)>,
    pub writers: bool,
}

pub struct Shop {
    pub rds: Arc<Rds>,
    production: Option<Production>,
    workload: Option<Workload>,
    /// Whether the writers were at work when their region went down.
    resume: AtomicBool,
    sockets: std::path::PathBuf,
    watchdog: Mutex<Option<Watchdog>>,
}

/// What RDS sees of the rest of the lab.
pub fn surroundings(clock: &Clock, kms: &Kms, programs: Programs) -> Surroundings {
    let (clock, keys) = (clock.clone(), kms.clone());
    let accounts = [(PRIMARY_REGION, PRODUCTION), (SECOND_REGION, VAULT)];
    Surroundings {
        now: Arc::new(move || clock.now()),
        key_usable: Arc::new(move |key| keys.usable(key)),
        default_keys: AWS_REGIONS
            .iter()
            .filter_map(|r| Some(((*r).to_owned(), default_key(r)?)))
            .collect(),
        admin_accounts: accounts.map(|(r, a)| (r.to_owned(), a.to_owned())).into(),
        programs,
    }
}

/// The one production cluster; `password` is kept in D/lab.json.
pub fn production(password: &str) -> Production {
    Production {
        region: PRIMARY_REGION.into(),
        id: "shop".into(),
        instance: "shop-1".into(),
        account: PRODUCTION.into(),
        database: "shop".into(),
        user: "master".into(),
        password: password.into(),
    }
}

/// A cluster in the ready line.
#[derive(Clone, Debug, Serialize)]
pub struct ClusterLine {
    pub id: String,
    pub region: String,
    pub url: String,
}

impl Shop {
    /// Servers of earlier times run again and the workload is as far as it was.
    ///
    /// # Errors
    /// No PostgreSQL, a directory that its user cannot reach, a server that does not start.
    pub async fn start(start: Start<'_>) -> Result<Self, PgError> {
        let root = std::path::absolute(start.root)
            .map_err(PgError::file("resolving the lab's directory"))?;
        let sockets = sockets::directory(&root);
        let now = start.around.now.clone();
        let rds = Rds::open(&root.join("rds"), &root.join("log"), &sockets, start.around)?;
        // Before the first server: from here on nothing outlives us.
        let watchdog = start
            .watch
            .map(|w| Watchdog::start(w, rds.engine.root(), &sockets))
            .transpose()?;
        rds.start_all().await?;
        let (mut production, mut workload) = (None, None);
        if let Some((wanted, bucket)) = start.production {
            rds.ensure_production(&wanted).await?;
            let port = rds.port_of(&wanted).unwrap_or_default();
            let inside = session::inside(&sockets, port, &wanted.database);
            let opened = Workload::open(&root.join("workload"), &inside, bucket, now).await?;
            let books = session::inside(&sockets, port, database::BOOKS);
            database::create_books(&session::Session::url(&inside).await?, &books).await?;
            if start.writers {
                opened.start();
            }
            (production, workload) = (Some(wanted), Some(opened));
        }
        Ok(Self {
            rds,
            production,
            workload,
            resume: AtomicBool::new(false),
            sockets,
            watchdog: Mutex::new(watchdog),
        })
    }

    pub fn clusters(&self) -> Vec<ClusterLine> {
        let line = |p: &Production| {
            Some(ClusterLine {
                id: p.id.clone(),
                region: p.region.clone(),
                url: self.rds.url_of(p)?,
            })
        };
        self.production.iter().filter_map(line).collect()
    }

    fn here(&self, region: &str) -> Option<&Workload> {
        self.workload
            .as_ref()
            .filter(|_| self.production.as_ref().is_some_and(|p| p.region == region))
    }

    /// Servers are killed under load; the writers end with them.
    pub async fn region_down(&self, region: &str) {
        let workload = self.here(region);
        let running = workload.is_some_and(Workload::running);
        self.rds.region_down(region).await;
        if let Some(workload) = workload {
            // Down twice in a row: the first one knows.
            self.resume.fetch_or(running, Ordering::SeqCst);
            workload.stop().await;
        }
    }

    /// # Errors
    /// A server that does not start.
    pub async fn region_up(&self, region: &str) -> Result<(), PgError> {
        self.rds.region_up(region).await?;
        if let Some(workload) = self
            .here(region)
            .filter(|_| self.resume.swap(false, Ordering::SeqCst))
        {
            workload.start();
        }
        Ok(())
    }

    pub async fn leftovers(&self) -> Leftovers {
        self.rds.leftovers().await
    }

    pub fn set_durations(&self, durations: Durations) {
        self.rds.set_durations(durations);
    }

    pub fn workload(&self) -> Option<&Workload> {
        self.workload.as_ref()
    }

    /// # Errors
    /// There is no workload, or its log does not reach n.
    pub async fn expected(&self, n: i64) -> Result<Reading, String> {
        let workload = self
            .workload
            .as_ref()
            .ok_or("this lab is empty: it has no workload")?;
        let model = workload.expected(n).await?;
        Ok(Reading {
            tables: model.tables(),
            heartbeat: Some(model.n),
        })
    }

    /// # Errors
    /// The database does not answer.
    pub async fn digest(&self, url: &str) -> Result<Reading, String> {
        let inside = session::as_judge(url, &self.sockets);
        let read = digest_of_database(&inside).await;
        read.map_err(|e| e.to_string())
    }

    /// Ends writers, then servers, then the watchdog; nothing is left when it returns.
    pub async fn stop(&self) {
        if let Some(workload) = &self.workload {
            workload.stop().await;
        }
        self.rds.stop().await;
        // Empty by now; what stays is a name in /tmp.
        let _best_effort = std::fs::remove_dir_all(&self.sockets);
        let watchdog = self
            .watchdog
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let _joined = tokio::task::spawn_blocking(move || drop(watchdog)).await;
    }
}
