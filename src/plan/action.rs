//! What a step does. Every name in an action was decided at planning time.

use crate::manifest::HeartbeatColumn;
use crate::manifest::{Sha256Hex, VaultId};
use crate::policy::{
    AccountId, Assertion, BucketName, ClusterId, FilesChecked, KmsKey, Name, Provider, Region,
    Seconds, SourceBucket, TargetName,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub type Tags = BTreeMap<String, String>;

/// What to do when observing cannot tell whether the effect happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    Retry,
    Stop,
}

/// The copy that unchanged objects are taken from at one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseCopy {
    pub slot: String,
    pub manifest_key: String,
    pub manifest_version: String,
    pub manifest_sha256: Sha256Hex,
}

/// A cluster to make from a snapshot, or empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterSpec {
    /// Of the first attempt; later attempts end in `-2`, `-3`, …
    pub id: ClusterId,
    pub region: Region,
    pub account: AccountId,
    pub endpoint: Option<String>,
    pub engine: String,
    pub engine_version: String,
    pub instance_class: Name,
    pub subnet_group: Option<Name>,
    pub security_groups: Vec<Name>,
    pub parameter_group: Option<Name>,
    pub min_acu: Option<f64>,
    pub max_acu: Option<f64>,
    pub deletion_protection: bool,
    pub tags: Tags,
    pub master_user: String,
    pub database: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Action {
    TakeSnapshot {
        cluster: ClusterId,
        region: Region,
        account: AccountId,
        endpoint: Option<String>,
        snapshot: String,
        database: String,
        heartbeat: Option<HeartbeatColumn>,
        tags: Tags,
    },
    ShareSnapshot {
        region: Region,
        endpoint: Option<String>,
        snapshot: String,
        with: Vec<AccountId>,
    },
    CopySnapshot {
        target: TargetName,
        source_arn: String,
        region: Region,
        account: AccountId,
        endpoint: Option<String>,
        copy: String,
        kms_key: KmsKey,
        share_with: Vec<AccountId>,
        tags: Tags,
    },
    ListObjects {
        sources: Vec<Source>,
        list_prefix: String,
    },
    CopyObjects {
        target: TargetName,
        base: Option<BaseCopy>,
        manifest_key: String,
        in_flight: u32,
        part_size_bytes: u64,
    },
    VerifyCopies {
        target: TargetName,
        in_flight: u32,
    },
    PublishPoint {
        target: TargetName,
    },
    RestoreScratch {
        spec: ClusterSpec,
        snapshot_arn: String,
    },
    InspectScratch {
        cluster: StepRef,
        heartbeat: Option<HeartbeatColumn>,
        snapshot_at: jiff::Timestamp,
        heartbeat_max_age: Seconds,
        assertions: Vec<Assertion>,
        streams: u32,
    },
    DumpTo {
        target: TargetName,
        cluster: StepRef,
        prefix: String,
        streams: u32,
        part_size_bytes: u64,
        chunk_pages: u32,
    },
    CreateEmpty {
        spec: ClusterSpec,
    },
    LoadFrom {
        target: TargetName,
        cluster: StepRef,
        database: String,
        dump_key: String,
        streams: u32,
    },
    RestoreFiles {
        target: TargetName,
        manifest: BaseCopy,
        bucket: BucketName,
        region: Region,
        endpoint: Option<String>,
        /// Of the bucket that files go into.
        #[serde(default, skip_serializing_if = "Provider::is_aws")]
        provider: Provider,
        prefix: String,
        files: FilesChecked,
        in_flight: u32,
        scratch: bool,
    },
    ProbeLock {
        target: TargetName,
        control: Seconds,
        lock: Seconds,
    },
    WriteProofs {
        targets: Vec<TargetName>,
        native: Option<TargetName>,
    },
    Teardown {
        region: Region,
        endpoint: Option<String>,
        cluster_prefix: String,
        tags: Tags,
        bucket: BucketName,
        bucket_region: Region,
        bucket_endpoint: Option<String>,
        prefix: String,
    },
    RestoreCluster {
        spec: ClusterSpec,
        snapshot_arn: String,
    },
    LoadDump {
        target: TargetName,
        dump_key: String,
        dump_version: String,
        host: String,
        port: u16,
        database: String,
        user: String,
        streams: u32,
    },
    CheckRestored {
        cluster: Option<StepRef>,
        heartbeat: Option<HeartbeatColumn>,
        point_at: jiff::Timestamp,
        streams: u32,
    },
}

/// A step whose evidence names the cluster that it made.
pub type StepRef = super::StepId;

/// A source bucket and where to speak to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    #[serde(flatten)]
    pub bucket: SourceBucket,
    pub endpoint: Option<String>,
}

impl Action {
    pub fn target(&self) -> Option<&TargetName> {
        match self {
            Action::CopySnapshot { target, .. }
            | Action::CopyObjects { target, .. }
            | Action::VerifyCopies { target, .. }
            | Action::PublishPoint { target }
            | Action::DumpTo { target, .. }
            | Action::LoadFrom { target, .. }
            | Action::RestoreFiles { target, .. }
            | Action::ProbeLock { target, .. }
            | Action::LoadDump { target, .. } => Some(target),
            _ => None,
        }
    }

    /// Every effect here has a deterministic name and is observed first, so doing it again is
    /// harmless;
    /// the one exception is loading into a database of somebody else's, where a stranger's rows
    /// must stop us.
    pub fn unknown(&self) -> Unknown {
        match self {
            Action::LoadDump { .. } => Unknown::Stop,
            _ => Unknown::Retry,
        }
    }
}

/// The tags of what a run makes; it is adopted by them (steps/snapshot.rs, steps/cluster.rs).
pub fn tags(
    vault: &VaultId,
    run: &super::RunId,
    role: &str,
    source: &str,
    expires_at: Option<jiff::Timestamp>,
) -> Tags {
    let mut tags: Tags = [
        ("dr:vault", vault.0.as_str()),
        ("dr:run", run.0.as_str()),
        ("dr:role", role),
        ("dr:source", source),
    ]
    .into_iter()
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .collect();
    if let Some(at) = expires_at {
        tags.insert("dr:expires-at".into(), at.to_string());
    }
    tags
}
