//! The list of all versions of the source buckets, stored before the first copy.

use crate::manifest::CapturedBucket;
use crate::model::SourceId;
use crate::policy::SourceBucket;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListObjects {
    pub sources: Vec<Source>,
}

/// A source bucket and where to speak to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    pub id: SourceId,
    #[serde(flatten)]
    pub bucket: SourceBucket,
    pub endpoint: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectsListed {
    pub files: Vec<CapturedBucket>,
}
