//! The list of all versions of the source buckets, stored before the first copy.

use crate::manifest::CapturedBucket;
use crate::model::{AccountId, BucketName, Provider, Region, SourceId};
use crate::policy::{BucketSource, Policy};
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
    /// Absent: AWS.
    #[serde(default, skip_serializing_if = "Provider::is_aws")]
    pub provider: Provider,
}

impl ListedSource {
    /// No key and no profile: whoever executes the plan has those of its own policy.
    pub fn of(policy: &Policy, source: &BucketSource) -> Self {
        Self {
            id: source.id.clone(),
            name: source.bucket.clone(),
            region: source.region.clone(),
            account: source.account.clone(),
            prefix: source.prefix.clone(),
            endpoint: policy.endpoint_of(source).map(str::to_owned),
            provider: policy.provider_of(source),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectsListed {
    pub files: Vec<CapturedBucket>,
}
