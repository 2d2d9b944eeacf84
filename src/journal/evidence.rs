//! What a step leaves behind in the journal when it succeeded; later steps read it from there.

use crate::manifest::{CapturedBucket, Check, NativeState, Sha256Hex, TableDigest, Verified};
use crate::policy::ClusterId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum Evidence {
    Snapshot(Snapshot),
    Shared {
        with: Vec<String>,
    },
    SnapshotCopy {
        state: NativeState,
    },
    Listed {
        files: Vec<CapturedBucket>,
    },
    Copied {
        manifest_key: String,
        manifest_version: String,
        manifest_sha256: Sha256Hex,
        objects: u64,
        delete_markers: u64,
        bytes: u64,
        put: u64,
        reused: u64,
        extended: u64,
    },
    Verified {
        verified: Verified,
    },
    Published {
        point_at: Vec<String>,
        failed: Vec<String>,
    },
    Cluster {
        id: ClusterId,
        host: String,
        port: u16,
        master_user: String,
        database: String,
        took_s: f64,
    },
    Inspected {
        checks: Vec<Check>,
        tables: BTreeMap<String, TableDigest>,
        heartbeat_id: Option<i64>,
        heartbeat_at: Option<Timestamp>,
        disabled: Vec<String>,
        took_s: f64,
    },
    Dumped {
        key: String,
        version: String,
        tables: u64,
        rows: u64,
        bytes: u64,
        /// Kinds of things that the dump leaves out.
        excluded: u64,
        took_s: f64,
    },
    Loaded {
        checks: Vec<Check>,
        tables: u64,
        rows: u64,
        bytes: u64,
        took_s: f64,
        heartbeat_id: Option<i64>,
        heartbeat_at: Option<Timestamp>,
        /// What the server has otherwise than the dump, and was not changed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        exceptions: Vec<String>,
    },
    FilesRestored {
        population: u64,
        restored: u64,
        skipped: u64,
        bytes: u64,
        mismatches: Vec<String>,
        answered_at: Timestamp,
        took_s: f64,
    },
    Probed {
        passed: bool,
        capable: bool,
        why: String,
    },
    Proofs {
        keys: Vec<String>,
        passed: bool,
    },
    TornDown {
        deleted: Vec<String>,
        left: Vec<String>,
    },
    Checked {
        tables: u64,
        rows: u64,
        heartbeat_id: Option<i64>,
        heartbeat_at: Option<Timestamp>,
        digests: BTreeMap<String, TableDigest>,
        /// When the first checked query was answered; the RTO ends here.
        answered_at: Timestamp,
        took_s: f64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub arn: String,
    pub at: Timestamp,
    pub engine: String,
    pub engine_version: String,
    pub master_user: String,
    pub encrypted: bool,
    pub kms_key: Option<String>,
}
