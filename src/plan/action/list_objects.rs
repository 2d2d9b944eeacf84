//! The list of all versions of a source bucket, stored before the first copy.

use crate::manifest::CapturedBucket;
use crate::model::{AccountId, BucketName, Region, SourceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListObjects {
    pub source: SourceId,
    pub bucket: ListedSource,
}

/// A source bucket and where to speak to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedSource {
    pub name: BucketName,
    pub region: Region,
    pub account: Option<AccountId>,
    pub prefix: String,
    pub endpoint: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectsListed {
    /// When the list was stored, by the clock of its store.
    pub at: Timestamp,
    #[serde(flatten)]
    pub bucket: CapturedBucket,
}
