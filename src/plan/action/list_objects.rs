//! The list of all versions of a source bucket, stored before the first copy.

use crate::manifest::CapturedBucket;
use crate::model::{AccountId, BucketName, Provider, Region, SourceId};
use crate::policy::{BucketSource, Policy};
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
    /// Absent: AWS.
    #[serde(default, skip_serializing_if = "Provider::is_aws")]
    pub provider: Provider,
}

impl ListedSource {
    /// No key and no profile: whoever executes the plan has those of its own policy.
    pub fn of(policy: &Policy, source: &BucketSource) -> Self {
        Self {
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
    /// When the list was stored, by the clock of its store.
    pub at: Timestamp,
    #[serde(flatten)]
    pub bucket: CapturedBucket,
}
