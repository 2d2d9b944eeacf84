//! The list of all versions of the source buckets, stored before the first copy.

use crate::manifest::CapturedBucket;
use crate::model::{AccountId, BucketName, Region, SourceId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListObjects {
    pub sources: Vec<ListedSource>,
}

/// A source bucket and where to speak to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedSource {
    pub id: SourceId,
    pub name: BucketName,
    pub region: Region,
    pub account: Option<AccountId>,
    pub prefix: String,
    pub endpoint: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectsListed {
    pub files: Vec<CapturedBucket>,
}
