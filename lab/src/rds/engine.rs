//! The effects of RDS: data directories and the servers on them. Blind to states, accounts and
//! names' meaning.

use super::folders::{discard, fill};
use crate::pg::server::Stop;
use crate::pg::session::{Session, identifier, literal};
use crate::pg::snapshot::{self, blocking};
use crate::pg::template::Kind;
use crate::pg::tree::{self, Taken};
use crate::pg::{
    Owner, PgError, Programs, Server, Spec, managed, sockets as socket_dir, sweep, template,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// A cluster of a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    pub region: String,
    pub id: String,
}

impl At {
    pub fn new(region: &str, id: &str) -> Self {
        Self {
            region: region.into(),
            id: id.into(),
        }
    }
}

/// Whom a new cluster belongs to.
#[derive(Clone)]
pub struct Initial {
    pub user: String,
    pub password: String,
    pub database: Option<String>,
}

pub struct Engine {
    root: PathBuf,
    logs: PathBuf,
    sockets: PathBuf,
    pub programs: Programs,
    owner: Owner,
    servers: Mutex<BTreeMap<At, Arc<Server>>>,
}

impl Engine {
    /// Ends servers that an earlier lab left, and makes the directories. Blocks.
    ///
    /// # Errors
    /// No PostgreSQL, or a directory that its user cannot reach.
    pub fn prepare(
        root: &Path,
        logs: &Path,
        sockets: &Path,
        programs: Programs,
    ) -> Result<Self, PgError> {
        let owner = Owner::of_this_process();
        owner.can_reach(root)?;
        sweep::sweep(root);
        socket_dir::ensure(sockets, owner)?;
        for dir in [root.to_owned(), logs.to_owned()] {
            template::open_dir(&dir)?;
        }
        template::ensure(root, &programs, owner, Kind::Managed)?;
        let (root, logs, sockets) = (root.to_owned(), logs.to_owned(), sockets.to_owned());
        Ok(Self {
            root,
            logs,
            sockets,
            programs,
            owner,
            servers: Mutex::default(),
        })
    }

    fn folder(&self, at: &At, kind: &str) -> PathBuf {
        self.root.join(&at.region).join(kind).join(&at.id)
    }

    fn data(&self, at: &At) -> PathBuf {
        self.folder(at, "clusters").join("data")
    }

    /// Root of every server's files.
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub async fn create(&self, at: &At, port: u16, initial: Initial) -> Result<u64, PgError> {
        let (owner, template) = (
            self.owner,
            template::ensure(&self.root, &self.programs, self.owner, Kind::Managed)?,
        );
        let copy = async |to: PathBuf| {
            blocking(move || tree::copy(&template, &to, owner, Taken::All)).await
        };
        let bytes = fill(self.folder(at, "clusters"), copy).await?;
        let session_work = async |server: &Server| -> Result<(), PgError> {
            let admin = server.admin("postgres").await?;
            let master = managed::master(&initial.user, &initial.password);
            admin.batch(&master).await?;
            let user = identifier(&initial.user);
            if let Some(database) = &initial.database {
                admin
                    .batch(&format!(
                        "CREATE DATABASE {} OWNER {user}",
                        identifier(database)
                    ))
                    .await?;
            }
            Ok(())
        };
        self.with_server(at, port, session_work).await?;
        Ok(bytes)
    }

    /// On the running server, or on one that runs for this alone.
    async fn with_server<F>(&self, at: &At, port: u16, work: F) -> Result<(), PgError>
    where
        F: AsyncFnOnce(&Server) -> Result<(), PgError>,
    {
        // Held until the end: nobody may start a second server on the same files meanwhile.
        let servers = self.servers.lock().await;
        if let Some(server) = servers.get(at).cloned() {
            drop(servers);
            return work(&server).await;
        }
        let server = Server::start(self.spec(at, port)).await?;
        let done = work(&server).await;
        server.stop(Stop::Clean).await;
        done
    }

    fn spec(&self, at: &At, port: u16) -> Spec {
        Spec {
            programs: self.programs.clone(),
            owner: self.owner,
            data: self.data(at),
            sockets: self.sockets.clone(),
            port,
            log: self.logs.join(format!("{}-{}.log", at.region, at.id)),
        }
    }

    pub async fn set_password(
        &self,
        at: &At,
        port: u16,
        user: &str,
        password: &str,
    ) -> Result<(), PgError> {
        let sql = format!(
            "ALTER ROLE {} PASSWORD {}",
            identifier(user),
            literal(password)
        );
        self.with_server(at, port, async |server: &Server| {
            server.admin("postgres").await?.batch(&sql).await
        })
        .await
    }

    /// Returns when the server answers.
    pub async fn start(&self, at: &At, port: u16) -> Result<(), PgError> {
        let mut servers = self.servers.lock().await;
        if servers.get(at).is_some_and(|s| !s.gone()) {
            return Ok(());
        }
        let server = Server::start(self.spec(at, port)).await?;
        servers.insert(at.clone(), Arc::new(server));
        Ok(())
    }

    pub async fn stop(&self, at: &At, how: Stop) {
        let server = self.servers.lock().await.remove(at);
        if let Some(server) = server {
            server.stop(how).await;
        }
    }

    /// All of them, at the same time.
    pub async fn stop_all(&self) {
        let servers = std::mem::take(&mut *self.servers.lock().await);
        futures::future::join_all(servers.values().map(|s| s.stop(Stop::Clean))).await;
    }

    /// SIGKILL to every server of a region.
    pub async fn kill_region(&self, region: &str) {
        let mut servers = self.servers.lock().await;
        let root = self.root.join(region);
        let _joined = tokio::task::spawn_blocking(move || sweep::kill_under(&root)).await;
        servers.retain(|at, _| at.region != region);
    }

    pub async fn take_snapshot(&self, cluster: &At, snapshot: &str) -> Result<u64, PgError> {
        let running = self.servers.lock().await.get(cluster).cloned();
        let (data, owner) = (self.data(cluster), self.owner);
        let copy = async |to: PathBuf| match running {
            Some(server) => {
                let session = server.admin("postgres").await?;
                snapshot::take(&session, &data, &to, owner).await
            }
            None => blocking(move || tree::copy(&data, &to, owner, Taken::All)).await,
        };
        fill(
            self.folder(&At::new(&cluster.region, snapshot), "snapshots"),
            copy,
        )
        .await
    }

    pub async fn copy_snapshot(&self, from: &At, to: &At) -> Result<u64, PgError> {
        let (source, owner) = (self.folder(from, "snapshots").join("data"), self.owner);
        let copy =
            async |to: PathBuf| blocking(move || tree::copy(&source, &to, owner, Taken::All)).await;
        fill(self.folder(to, "snapshots"), copy).await
    }

    pub async fn restore(&self, snapshot: &At, cluster: &At) -> Result<u64, PgError> {
        let (source, owner) = (self.folder(snapshot, "snapshots").join("data"), self.owner);
        let copy =
            async |to: PathBuf| blocking(move || tree::copy(&source, &to, owner, Taken::All)).await;
        fill(self.folder(cluster, "clusters"), copy).await
    }

    /// `kind` is `clusters` or `snapshots`. Called when nothing in the state speaks of it any more;
    /// a crash in the
    /// middle leaves a folder that the next start removes.
    pub async fn remove(&self, at: &At, kind: &'static str) {
        if kind == "clusters" {
            self.stop(at, Stop::Quick).await;
        }
        discard(&self.folder(at, kind));
    }

    /// Removes folders that the state does not know.
    pub fn remove_strays(&self, kind: &str, region: &str, known: &[&str]) {
        let Ok(entries) = std::fs::read_dir(self.root.join(region).join(kind)) else {
            return;
        };
        for entry in entries.flatten() {
            if !entry
                .file_name()
                .to_str()
                .is_some_and(|n| known.contains(&n))
            {
                discard(&entry.path());
            }
        }
    }

    /// As the lab's superuser.
    ///
    /// # Errors
    /// No server is running there.
    pub async fn admin(&self, at: &At, database: &str) -> Result<Session, PgError> {
        let server = self.servers.lock().await.get(at).cloned();
        let server = server.ok_or_else(|| {
            PgError::told(format!("no server runs for {} in {}", at.id, at.region))
        })?;
        server.admin(database).await
    }

    /// Processes that belong to none of the running servers.
    pub async fn strays(&self) -> usize {
        let servers = self.servers.lock().await;
        let ours: Vec<PathBuf> = servers
            .values()
            .map(|s| std::fs::canonicalize(s.data()).unwrap_or_else(|_| s.data().to_owned()))
            .collect();
        let all = sweep::processes_under(&self.root);
        all.iter().filter(|p| !ours.contains(&p.cwd)).count()
    }
}
