//! One running server: start, readiness, stop.

use super::error::PgError;
use super::owner::Owner;
use super::programs::Programs;
use super::session::Session;
use super::sweep;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A server takes about 10 MB with these, instead of 26. `fsync` and `full_page_writes` off survive
/// kill -9 (the page
/// cache does), not a power cut. A small `max_wal_size` keeps snapshots small.
const SETTINGS: [&str; 19] = [
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=on",
    "shared_buffers=32MB",
    "max_connections=40",
    "superuser_reserved_connections=3",
    "wal_level=replica",
    "max_wal_senders=4",
    "max_replication_slots=4",
    "jit=off",
    "max_wal_size=256MB",
    "min_wal_size=32MB",
    "max_worker_processes=2",
    "max_logical_replication_workers=0",
    "max_parallel_workers_per_gather=0",
    "timezone=UTC",
    "log_timezone=UTC",
    "password_encryption=scram-sha-256",
];

/// What a server is started from.
#[derive(Clone, Debug)]
pub struct Spec {
    pub programs: Programs,
    pub owner: Owner,
    pub data: PathBuf,
    /// Where its socket lies; a path of a few characters, for the kernel takes 107.
    pub sockets: PathBuf,
    pub port: u16,
    pub log: PathBuf,
}

/// A child that accepts connections.
pub struct Server {
    spec: Spec,
    pid: i32,
    exited: watch::Receiver<bool>,
}

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Checkpointed: starts again without recovery.
    Clean,
    /// At once, the next start recovers; for what is thrown away.
    Quick,
}

impl Server {
    /// Returns when the server answers a query.
    ///
    /// # Errors
    /// It ended at once or did not answer within a minute; the end of its log is in the text.
    pub async fn start(spec: Spec) -> Result<Self, PgError> {
        let child = spawn(&spec)?;
        let pid = child
            .id()
            .and_then(|p| i32::try_from(p).ok())
            .ok_or_else(|| PgError::told("the server ended at once"))?;
        let (tell, exited) = watch::channel(false);
        tokio::spawn(async move {
            let mut child = child;
            let _status = child.wait().await;
            let _nobody_asks = tell.send(true);
        });
        let server = Self { spec, pid, exited };
        server.wait_ready().await?;
        Ok(server)
    }

    async fn wait_ready(&self) -> Result<(), PgError> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let asked = match self.admin("postgres").await {
                Ok(session) => session.text("SELECT 1").await.map(|_| ()),
                Err(e) => Err(e),
            };
            let Err(last) = asked else { return Ok(()) };
            if *self.exited.borrow() || Instant::now() > deadline {
                return Err(PgError::told(format!(
                    "the server at {} does not start ({last}): {}",
                    self.spec.data.display(),
                    tail(&self.spec.log)
                )));
            }
            // Nothing announces readiness; asking every few milliseconds is the way.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn port(&self) -> u16 {
        self.spec.port
    }

    pub fn sockets(&self) -> &Path {
        &self.spec.sockets
    }

    pub fn data(&self) -> &Path {
        &self.spec.data
    }

    /// Ended by itself or by someone else.
    pub fn gone(&self) -> bool {
        *self.exited.borrow()
    }

    /// As the lab's own superuser.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn admin(&self, database: &str) -> Result<Session, PgError> {
        Session::admin(&self.spec.sockets, self.spec.port, database).await
    }

    pub async fn stop(&self, how: Stop) {
        let signal = if how == Stop::Clean {
            Signal::SIGINT
        } else {
            Signal::SIGQUIT
        };
        if !self.gone() {
            let _gone = kill(Pid::from_raw(self.pid), signal);
        }
        let mut exited = self.exited.clone();
        let late = tokio::time::timeout(Duration::from_secs(8), exited.wait_for(|gone| *gone))
            .await
            .is_err();
        if late {
            self.kill().await;
        }
    }

    /// SIGKILL to all its processes, as when its machine goes.
    pub async fn kill(&self) {
        let data = self.spec.data.clone();
        let _joined = tokio::task::spawn_blocking(move || sweep::kill_under(&data)).await;
    }
}

fn spawn(spec: &Spec) -> Result<tokio::process::Child, PgError> {
    spec.owner.can_reach(&spec.data)?;
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&spec.log);
    let log = log.map_err(PgError::file(format!("opening {}", spec.log.display())))?;
    let mut command = std::process::Command::new(spec.programs.program("postgres"));
    command
        .arg("-D")
        .arg(&spec.data)
        .arg("-p")
        .arg(spec.port.to_string())
        .arg("-k")
        .arg(&spec.sockets);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .current_dir("/");
    // Not in the lab's group: Ctrl-C reaches the lab, and the lab stops its servers.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    spec.owner.run_as(&mut command);
    tokio::process::Command::from(command)
        .spawn()
        .map_err(PgError::file("starting postgres"))
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(3).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}
