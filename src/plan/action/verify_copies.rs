//! What was copied, read back: presence, size, digest, lock.

use super::{BaseCopy, ObjectsCopied};
use crate::manifest::Verified;
use crate::model::{SourceId, TargetName};
use crate::plan::Link;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerifyCopies {
    pub source: SourceId,
    pub target: TargetName,
    pub copied: Link<ObjectsCopied>,
    /// The base of the copy: what was taken from it was read back before the manifest was written.
    pub base: Option<BaseCopy>,
    pub in_flight: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiesVerified {
    pub verified: Verified,
}
