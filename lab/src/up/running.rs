//! A lab with its control endpoint and its files.

use super::error::LabError;
use super::kept::Kept;
use super::lab::Lab;
use super::options::Options;
use super::place::{self, Place};
use super::policy;
use super::ready::Ready;
use crate::listen::{Handler, Listener};
use crate::pg::watchdog::Watch;
use crate::workload::READER_PASSWORD;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What answers at the control port of a lab; handed in, for it speaks of the whole lab.
pub type Control = fn(Arc<Lab>) -> Arc<dyn Handler>;

/// A lab that answers.
pub struct Up {
    pub lab: Arc<Lab>,
    pub place: Place,
    control: Listener,
}

impl Up {
    /// # Errors
    /// The directory is taken or out of reach, a port is taken, no PostgreSQL.
    pub async fn start(options: Options, control: Control) -> Result<Self, LabError> {
        let place = Place::take(options.dir.as_deref())?;
        let kept = Kept::open(&place.path)?;
        let control_port = kept.ports.control;
        let remove = place.temporary.then_some(place.path.as_path());
        let watch = options.program.as_deref().map(|program| Watch {
            program,
            lock: &place.lock,
            remove,
        });
        let lab = Arc::new(Lab::start(&place.path, kept, watch, &options).await?);
        let opened = Listener::open(control_port, control(lab.clone()))
            .map_err(|e| LabError::port(control_port, e));
        let control = match opened {
            Ok(control) => control,
            Err(e) => {
                lab.stop().await;
                return Err(e);
            }
        };
        let up = Self {
            lab,
            place,
            control,
        };
        match up.write_files() {
            Ok(()) => Ok(up),
            Err(e) => {
                up.stop().await;
                Err(e)
            }
        }
    }

    /// What the user's commands need. Keys are the same at every start; a policy that somebody
    /// changed stays.
    fn write_files(&self) -> Result<(), LabError> {
        place::write_private(
            &self.credentials(),
            self.lab.keys.fixed.credentials_file().as_bytes(),
        )?;
        let token = self.dir().join("web-identity-token");
        place::write_private(&token, self.lab.web_identity_token().as_bytes())?;
        let roles = self.lab.keys.fixed.roles_file(&token.to_string_lossy());
        place::write_private(&self.dir().join("credentials-roles"), roles.as_bytes())?;
        // Of `dr_reader`, as the workload makes it.
        let reader = self.dir().join("reader.password");
        place::write_private(&reader, READER_PASSWORD.as_bytes())?;
        let policy = self.policy();
        if !policy.exists() {
            place::write_private(&policy, policy::text(&self.lab.endpoints()).as_bytes())?;
        }
        Ok(())
    }

    pub fn dir(&self) -> &Path {
        &self.place.path
    }

    pub fn policy(&self) -> PathBuf {
        self.dir().join("policy.yaml")
    }

    pub fn credentials(&self) -> PathBuf {
        self.dir().join("credentials")
    }

    pub fn ready(&self) -> Ready {
        Ready::of(&self.lab, self.control.url())
    }

    /// Nothing answers and nothing is left when it returns; a temporary directory is gone too.
    pub async fn stop(self) {
        self.control.close().await;
        self.lab.stop().await;
        let place = self.place;
        let _joined = tokio::task::spawn_blocking(move || drop(place)).await;
    }
}
