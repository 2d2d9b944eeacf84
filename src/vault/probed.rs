//! What a probe found, as it is stored.

use super::layout::Key;
use super::versions::first_versions;
use crate::aws::Error;
use crate::aws::s3::{Bucket, Listed};
use crate::manifest::Document;
use crate::model::{LockMode, TargetName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Records of probes that are listed: a drill each hour for five years.
const MOST_PROBES: usize = 50_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Refused what it must refuse, and the control could be deleted.
    Locked,
    /// A locked version was deleted or its lock shortened.
    Open,
    /// The control failed as well, or something could not be written or read: nothing is known.
    Unknown,
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeOutcome {
    pub verdict: Verdict,
    /// Won a race of conditional writes exactly once: this target can hold the journal.
    pub conditional: bool,
    pub why: String,
}

/// `targets/<target>/probe-<time>.json`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeRecord {
    pub target: TargetName,
    pub at: Timestamp,
    pub mode: LockMode,
    #[serde(flatten)]
    pub outcome: ProbeOutcome,
}

impl Document for ProbeRecord {
    const SCHEMA: &'static str = "dr/probe/1";
}

/// The newest probe that is stored under a prefix.
///
/// # Errors
/// The store's.
pub(super) async fn newest_record(bucket: &Bucket, prefix: &str) -> Result<Option<Listed>, Error> {
    let at = |row: &Listed| match Key::parse(&row.key) {
        Some(Key::ProbeRecord { at, .. }) => Some(at),
        _ => None,
    };
    let rows = first_versions(bucket.versions(prefix, MOST_PROBES).await?);
    let probes = rows.into_iter().filter(|r| at(r).is_some());
    Ok(probes.max_by_key(at))
}
