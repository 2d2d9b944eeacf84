//! RDS itself: its state, kept on disk, and what every operation asks of it.

use super::engine::{At, Engine};
use super::fault::{Fault, fault};
use super::params::Params;
use super::state::{State, Who};
use crate::pg::{PgError, Programs};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub const ENGINE: &str = "aurora-postgresql";

/// How long states take, in seconds of the lab's clock, beyond the time that the bytes take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Durations {
    pub snapshot_s: f64,
    pub copy_s: f64,
    pub cluster_s: f64,
    pub instance_s: f64,
}

/// What RDS needs from the rest of the lab.
#[derive(Clone)]
pub struct Surroundings {
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Whether a KMS key is there and enabled.
    pub key_usable: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    /// The key that a cluster of a region gets where none is named.
    pub default_keys: BTreeMap<String, String>,
    /// Whose things the administrator makes, by region.
    pub admin_accounts: BTreeMap<String, String>,
    /// What its servers are.
    pub programs: Programs,
}

pub struct Rds {
    pub engine: Engine,
    pub(super) around: Surroundings,
    file: PathBuf,
    pub(super) state: Mutex<State>,
    durations: Mutex<Durations>,
    pub(super) down: Mutex<BTreeSet<String>>,
}

/// One call.
pub(super) struct Ask<'a> {
    pub region: &'a str,
    pub who: &'a Who,
    pub params: Params<'a>,
    pub now: Timestamp,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Rds {
    /// Reads D/rds/state.json, removes what it does not know, starts no server yet. Blocks.
    ///
    /// # Errors
    /// An unreadable state, or what `Engine::prepare` says.
    pub fn open(
        rds: &Path,
        logs: &Path,
        sockets: &Path,
        around: Surroundings,
    ) -> Result<Arc<Self>, PgError> {
        let engine = Engine::prepare(rds, logs, sockets, around.programs.clone())?;
        let file = rds.join("state.json");
        let mut state: State = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|e| PgError::told(format!("{}: {e}", file.display())))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => State::default(),
            Err(source) => {
                return Err(PgError::File {
                    what: format!("reading {}", file.display()),
                    source,
                });
            }
        };
        state.after_restart();
        for region in around.admin_accounts.keys() {
            let known = state.region(region);
            engine.remove_strays(
                "clusters",
                region,
                &known
                    .clusters
                    .keys()
                    .map(String::as_str)
                    .collect::<Vec<_>>(),
            );
            engine.remove_strays(
                "snapshots",
                region,
                &known
                    .snapshots
                    .keys()
                    .map(String::as_str)
                    .collect::<Vec<_>>(),
            );
        }
        let rds = Self {
            engine,
            around,
            file,
            state: Mutex::new(state),
            durations: Mutex::default(),
            down: Mutex::default(),
        };
        Ok(Arc::new(rds))
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.around.now)()
    }

    /// Changes the state and keeps it, or does neither. The file is whole at every moment: a crash
    /// here leaves the
    /// state before or the state after.
    pub(super) fn change<T>(
        &self,
        work: impl FnOnce(&mut State) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut state = lock(&self.state);
        let mut next = state.clone();
        let answer = work(&mut next)?;
        self.save(&next).map_err(|e| {
            fault(
                "InternalFailure",
                format!("writing {}: {e}", self.file.display()),
            )
        })?;
        *state = next;
        Ok(answer)
    }

    pub(super) fn save(&self, state: &State) -> std::io::Result<()> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let new = self.file.with_extension("json.new");
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&serde_json::to_vec_pretty(state)?)?;
        drop(file);
        std::fs::rename(&new, &self.file)
    }

    pub(super) fn read<T>(&self, work: impl FnOnce(&State) -> T) -> T {
        work(&lock(&self.state))
    }

    pub fn durations(&self) -> Durations {
        *lock(&self.durations)
    }

    pub fn set_durations(&self, durations: Durations) {
        *lock(&self.durations) = durations;
    }

    pub(super) fn is_down(&self, region: &str) -> bool {
        lock(&self.down).contains(region)
    }

    /// The moment when something that takes `seconds` is ready.
    pub(super) fn after(&self, seconds: f64) -> Timestamp {
        let span = jiff::SignedDuration::try_from_secs_f64(seconds).unwrap_or_default();
        self.now().checked_add(span).unwrap_or_else(|_| self.now())
    }

    /// The key by ARN; a bare id is one of this region.
    pub(super) fn key(&self, region: &str, given: Option<&str>) -> Result<String, Fault> {
        let default = self
            .around
            .default_keys
            .get(region)
            .cloned()
            .unwrap_or_default();
        let key = match given {
            None => default,
            Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
            Some(id) => {
                let account = self
                    .around
                    .admin_accounts
                    .get(region)
                    .cloned()
                    .unwrap_or_default();
                format!(
                    "arn:aws:kms:{region}:{account}:key/{}",
                    id.trim_start_matches("key/")
                )
            }
        };
        if !key.starts_with(&format!("arn:aws:kms:{region}:")) {
            return Err(unusable(&key));
        }
        self.usable(&key)?;
        Ok(key)
    }

    pub(super) fn usable(&self, key: &str) -> Result<(), Fault> {
        if (self.around.key_usable)(key) {
            Ok(())
        } else {
            Err(unusable(key))
        }
    }

    /// The account that a new thing of this caller belongs to.
    pub(super) fn account_of(&self, ask: &Ask<'_>) -> String {
        let admins = self.around.admin_accounts.get(ask.region);
        admins
            .filter(|_| ask.who.admin())
            .cloned()
            .unwrap_or_else(|| ask.who.account.clone())
    }

    /// A port that no cluster of this lab has and nobody listens on.
    pub(super) fn free_port(&self, state: &State) -> Result<u16, Fault> {
        let taken = state.ports();
        // Below the range that the kernel takes for outgoing connections; labs side by side start
        // at different places.
        let start = 20_000 + u16::try_from(std::process::id() * 37 % 9_000).unwrap_or(0);
        let free =
            |p: &u16| !taken.contains(p) && std::net::TcpListener::bind(("127.0.0.1", *p)).is_ok();
        (start..32_000)
            .chain(20_000..start)
            .find(free)
            .ok_or_else(|| fault("InternalFailure", "no free port"))
    }
}

pub(super) fn unusable(key: &str) -> Fault {
    fault(
        "KMSKeyNotAccessibleFault",
        format!(
            "The specified KMS key [{key}] does not exist, is not enabled or you do not have \
             permissions to access it."
        ),
    )
}

pub(super) fn at(region: &str, id: &str) -> At {
    At::new(region, id)
}
