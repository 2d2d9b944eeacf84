//! The locks that versions have.

use super::{Bucket, timestamp};
use crate::aws::error::{Error, Kind, classify};
use crate::model::{Lock, LockMode};
use aws_sdk_s3::types::ObjectLockRetentionMode;
use jiff::Timestamp;

/// A lock as `GetObjectRetention` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockState {
    Until(LockMode, Timestamp),
    /// The store says that there is none.
    None,
    /// We may not look, so we do not know: a finding, never "none".
    Unknown(String),
}

impl LockState {
    /// Of the wanted mode, and not ending before the wanted instant.
    pub fn meets(&self, wanted: Lock) -> bool {
        matches!(self, LockState::Until(mode,
        until) if *mode == wanted.mode && *until >= wanted.retain_until)
    }
}

pub(super) fn mode(text: &str) -> Option<LockMode> {
    match text {
        "COMPLIANCE" => Some(LockMode::Compliance),
        "GOVERNANCE" => Some(LockMode::Governance),
        _ => None,
    }
}

impl Bucket {
    /// HEAD leaves lock fields out for a caller without the right to see them, so this asks for the
    /// lock itself.
    ///
    /// # Errors
    /// Only where the store does not answer; a refusal is [`LockState::Unknown`].
    pub async fn lock_of(&self, key: &str, version: &str) -> Result<LockState, Error> {
        let answer = self
            .client
            .get_object_retention()
            .bucket(self.name.as_str())
            .key(key)
            .version_id(version)
            .send()
            .await;
        match answer.map_err(|e| classify(e, "GetObjectRetention", self.thing(key))) {
            Ok(answer) => {
                let retention = answer.retention();
                let found = retention.and_then(|r| {
                    lock_of(
                        r.mode().map(ObjectLockRetentionMode::as_str),
                        r.retain_until_date(),
                    )
                });
                Ok(found.map_or(LockState::None, |(mode, until)| {
                    LockState::Until(mode, until)
                }))
            }
            Err(e) if e.code == "NoSuchObjectLockConfiguration" => Ok(LockState::None),
            Err(e) if e.kind.transient() || e.kind == Kind::NotFound => Err(e),
            Err(e) => Ok(LockState::Unknown(e.to_string())),
        }
    }
}

pub(super) fn lock_of(
    text: Option<&str>,
    until: Option<&aws_smithy_types::DateTime>,
) -> Option<(LockMode, Timestamp)> {
    Some((mode(text?)?, timestamp(until?)))
}
