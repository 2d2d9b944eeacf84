//! A cluster that is made of a captured one: for a drill, or to stay.

use super::ClusterSpec;
use super::names::{Tagged, cluster_arn, first};
use crate::manifest::{CapturedCluster, SnapshotCopy};
use crate::model::{AccountId, ClusterId, RunId, VaultId};
use crate::policy::ClusterShape;
use jiff::Timestamp;

/// What it is made of, and what it is to be.
pub(super) struct NewCluster<'a> {
    pub captured: &'a CapturedCluster,
    /// It is made where this is.
    pub copy: &'a SnapshotCopy,
    pub id: ClusterId,
    pub account: &'a AccountId,
    /// Of the service; `None`: its own.
    pub endpoint: Option<&'a str>,
    pub shape: &'a ClusterShape,
    pub life: Life,
}

/// How long it lives.
#[derive(Clone, Copy)]
pub(super) enum Life {
    /// Its run deletes it, and a sweep does once this instant has passed.
    Scratch { until: Timestamp },
    /// Protected from being deleted, which `dr` never does.
    Restored,
}

impl NewCluster<'_> {
    pub fn spec(self, vault: &VaultId, run: &RunId) -> ClusterSpec {
        let captured = self.captured;
        let arn = cluster_arn(&captured.region, &captured.account, &captured.id);
        let tagged = Tagged {
            vault,
            run,
            source: Some(arn),
        };
        let (deletion_protection, tags) = match self.life {
            Life::Scratch { until } => (false, tagged.scratch(until)),
            Life::Restored => (true, tagged.restored()),
        };
        ClusterSpec {
            id: self.id,
            region: self.copy.region.clone(),
            account: self.account.clone(),
            endpoint: self.endpoint.map(str::to_owned),
            engine: captured.engine.clone(),
            engine_version: captured.engine_version.clone(),
            shape: self.shape.clone(),
            deletion_protection,
            tags,
            master_user: captured.master_user.clone(),
            database: first(&captured.databases),
        }
    }
}
