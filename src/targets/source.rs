//! Source buckets: where they are spoken to, with whose key, and what an error of one says.

use crate::aws::s3::Bucket;
use crate::aws::{Clients, Error, Kind, Place};
use crate::model::{Role, SourceId};
use crate::plan::ListedSource;
use crate::report::{Code, Fail};

/// A source's bucket with a role's key: that of the source in the runner's own policy, else the
/// role's own. A stored plan has no say in it.
pub async fn open_source(
    clients: &Clients,
    role: Role,
    id: &SourceId,
    source: &ListedSource,
) -> Bucket {
    let place = Place {
        region: &source.region,
        endpoint: source.endpoint.as_deref(),
        bucket: &source.name,
        provider: source.provider,
        kms_key: None,
        target: None,
        source: Some(id),
    };
    clients.bucket(role, &place).await
}

/// An error of a source's store, with what tells this source from all others: two buckets can have
/// one name, and a key is refused at one place only.
#[derive(Debug, thiserror::Error)]
#[error("source {id}, bucket {bucket} at {endpoint} with {key}")]
struct SourceError {
    id: SourceId,
    bucket: String,
    endpoint: String,
    key: String,
    #[source]
    cause: Error,
}

pub fn source_failed(id: &SourceId, bucket: &Bucket, cause: Error) -> Fail {
    let code = match cause.kind {
        Kind::Conflict | Kind::Throttled | Kind::Unavailable => Code::SourceUnavailable,
        _ => cause.kind.into(),
    };
    let settings = bucket.settings();
    let own = || format!("S3 of {}", bucket.region);
    let error = SourceError {
        id: id.clone(),
        bucket: bucket.name.to_string(),
        endpoint: settings.endpoint.clone().unwrap_or_else(own),
        key: settings.credential.to_string(),
        cause,
    };
    Fail::caused(code, error)
}
