//! Lists a source bucket once, for all targets.

use super::object_manifest::MAX_MANIFEST_BYTES;
use super::{Context, Perform};
use crate::aws::Kind;
use crate::aws::s3::Bucket;
use crate::inventory;
use crate::manifest::{CapturedBucket, ListRow, RowKind, read_rows, write_rows};
use crate::model::{ObjectKey, Sha256, SourceId};
use crate::plan::{ListObjects, ListedSource, ObjectsListed};
use crate::report::{Code, Fail};
use crate::targets::{open_source, source_failed};
use crate::vault::{Key, Vault, VaultError};
use jiff::Timestamp;

impl Perform for ListObjects {
    async fn perform(&self, ctx: &Context<'_>) -> Result<ObjectsListed, Fail> {
        let vault = ctx.vault(&ctx.plan.journal_target).await?;
        list(ctx, &self.source, &self.bucket, &vault).await
    }
}

async fn list(
    ctx: &Context<'_>,
    id: &SourceId,
    source: &ListedSource,
    vault: &Vault,
) -> Result<ObjectsListed, Fail> {
    let bucket = open_source(ctx.clients, ctx.role, id, source).await;
    let key = ObjectKey::new(
        Key::List {
            policy: ctx.plan.policy.clone(),
            slot: ctx.plan.slot,
            source: id.clone(),
        }
        .to_string(),
    );
    let rows = versions(&bucket, id, source).await?;
    let written = write_rows(&rows);
    readable(id, &key, written.len() as u64)?;
    // Create-only: whoever comes second copies the first one's list, every version pinned.
    let lock = Some(ctx.lock(&ctx.plan.journal_target)?);
    let bytes = match vault
        .create(key.as_str(), written.clone().into(), lock)
        .await
    {
        Ok(_) => written,
        Err(VaultError::Taken { .. }) => {
            let stored = vault
                .oldest_within(key.as_str(), MAX_MANIFEST_BYTES)
                .await?;
            stored.0.to_vec()
        }
        Err(e) => return Err(e.into()),
    };
    let rows: Vec<ListRow> = read_rows(&bytes)?;
    let of = |kind| rows.iter().filter(|r| r.kind == kind).count() as u64;
    Ok(ObjectsListed {
        at: stored_at(vault, &key).await?,
        bucket: CapturedBucket {
            name: source.name.clone(),
            region: source.region.clone(),
            prefix: source.prefix.clone(),
            list_key: key,
            list_sha256: Sha256::of(&bytes),
            versions: of(RowKind::Object),
            delete_markers: of(RowKind::DeleteMarker),
            bytes: rows.iter().map(|r| r.size_bytes).sum(),
        },
    })
}

/// What the source holds now, if its copies can be pinned.
async fn versions(
    bucket: &Bucket,
    id: &SourceId,
    source: &ListedSource,
) -> Result<Vec<ListRow>, Fail> {
    let failed = |e| source_failed(id, bucket, e);
    let versioned = match bucket.versioned().await {
        // A store that does not say so shows it by the versions that it lists.
        Err(e) if e.kind == Kind::Unsupported => None,
        said => Some(said.map_err(failed)?),
    };
    if versioned == Some(false) {
        return Err(not_versioned(id, source, "has no versioning"));
    }
    let rows = inventory::list(bucket, id, &source.prefix).await;
    let rows = rows.map_err(failed)?;
    let named = rows.iter().any(|r| r.version.id().is_some());
    if versioned.is_none() && !named && !rows.is_empty() {
        let why = "is at a store that does not say whether it keeps versions, and lists none";
        return Err(not_versioned(id, source, why));
    }
    Ok(rows)
}

fn not_versioned(id: &SourceId, source: &ListedSource, why: &str) -> Fail {
    let name = &source.name;
    let endpoint = source.endpoint.iter();
    let at: String = endpoint.map(|e| format!(" --endpoint-url {e}")).collect();
    Fail::new(
        Code::SourceNotVersioned,
        format!(
            "bucket {name} of source {id} {why}, so a copy of a version cannot be pinned; enable \
             it with: aws s3api put-bucket-versioning --bucket {name}{at} \
             --versioning-configuration Status=Enabled"
        ),
    )
}

/// When the list was stored, by the clock of its store: whoever comes second says the same.
async fn stored_at(vault: &Vault, key: &ObjectKey) -> Result<Timestamp, VaultError> {
    let rows = vault.versions_of(key.as_str()).await?;
    let stored = rows.iter().filter(|r| !r.delete_marker);
    let first = stored.map(|r| r.last_modified).min();
    first.ok_or_else(|| {
        let why = "the store said that it has it, and does not";
        vault.damaged(key.as_str(), why)
    })
}

/// What is written under lock and can never be read again is worse than nothing.
fn readable(source: &SourceId, key: &ObjectKey, size_bytes: u64) -> Result<(), Fail> {
    if size_bytes <= MAX_MANIFEST_BYTES {
        return Ok(());
    }
    Err(Fail::new(
        Code::ListTooLarge,
        format!(
            "the list of source {} ({key}) would have {size_bytes} bytes, and at most \
             {MAX_MANIFEST_BYTES} can be read back; nothing was written, protect a prefix at a \
             time",
            source
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_could_not_be_read_is_refused_before_it_is_written() {
        let (source, key) = (SourceId::new("files"), ObjectKey::new("manifests/x"));
        assert!(readable(&source, &key, MAX_MANIFEST_BYTES).is_ok());
        let refused = readable(&source, &key, MAX_MANIFEST_BYTES + 1).unwrap_err();
        assert_eq!(refused.code, Code::ListTooLarge);
        assert!(
            refused.to_string().contains("nothing was written"),
            "{}",
            refused
        );
    }
}
