//! Whether a create may be left to a store. A store that answers 200 may have ignored the
//! condition: only one that a probe saw decide a race is believed.

use super::layout::folder;
use super::probed::{ProbeRecord, newest_record};
use crate::aws::s3::Bucket;
use crate::aws::{Error, Kind};
use crate::manifest::{Document, MAX_DOCUMENT_BYTES};
use crate::model::Provider;

/// True where conditional writes of this bucket decide. Elsewhere a create compares by reading.
///
/// # Errors
/// The store's, where waiting can cure it.
pub async fn decides(bucket: &Bucket) -> Result<bool, Error> {
    bucket.conditional(look(bucket)).await
}

/// The newest probe that is stored in the bucket itself. A bucket without any is no vault, or one
/// that is being made: AWS has conditional writes everywhere, of others nothing is known.
async fn look(bucket: &Bucket) -> Result<bool, Error> {
    let unprobed = bucket.provider == Provider::Aws;
    let row = match newest_record(bucket, folder::TARGETS).await {
        Ok(Some(row)) => row,
        Err(e) if e.kind.transient() => return Err(e),
        Ok(None) | Err(_) => return Ok(unprobed),
    };
    match bucket
        .get(&row.key, Some(&row.version), MAX_DOCUMENT_BYTES)
        .await
    {
        Ok(got) => {
            let record = ProbeRecord::from_bytes(&got.bytes);
            Ok(record.map_or(unprobed, |r| r.outcome.conditional))
        }
        Err(e) if matches!(e.kind, Kind::NotFound | Kind::Denied) => Ok(unprobed),
        Err(e) => Err(e),
    }
}
