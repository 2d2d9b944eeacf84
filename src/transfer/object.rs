//! One object.

use super::in_flight;
use super::once::{self, Content};
use crate::aws::s3::{Bucket, CopyFrom, Part, Put, PutOptions, hex_of_base64};
use crate::aws::{Error, Kind};
use crate::manifest::{HashedBy, Stored};
use crate::model::{Lock, ObjectKey, Provider, Sha256, VersionId};
use crate::vault::decides;
use sha2::Digest;

/// CopyObject takes at most 5 GiB; larger objects are streamed (Amazon S3 API reference,
/// CopyObject).
pub const SERVER_SIDE_MAX_BYTES: u64 = 5 << 30;

/// What to copy where.
#[derive(Clone, Copy)]
pub struct CopyTask<'a> {
    pub source: &'a Bucket,
    pub key: &'a str,
    /// Absent for an object from before versioning; then `etag` pins it.
    pub version: Option<&'a str>,
    pub etag: Option<&'a str>,
    pub size_bytes: u64,
    pub to: &'a Bucket,
    pub to_key: &'a str,
    pub lock: Option<Lock>,
    pub part_size_bytes: u64,
    /// One credential reaches both ends: [`one_credential`].
    pub server_side: bool,
}

/// Where a version lies now, and what became of its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    pub stored: Stored,
    pub tags: TagsSeen,
}

/// What became of a version's tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagsSeen {
    /// They are at the copy as at the source.
    Kept,
    /// They may not be read with this key.
    Denied,
    /// The store knows none, or does not say.
    Unknown,
}

/// Copies one version. Done twice it is done once. Where a store decides nothing, done at the same
/// time it can leave two versions with equal bytes under one key, one of which is in the manifest.
///
/// # Errors
/// `NotFound` where the source version is gone; the stores' errors.
pub async fn copy_object(task: &CopyTask<'_>) -> Result<Copied, Error> {
    if task.server_side
        && task.size_bytes <= SERVER_SIDE_MAX_BYTES
        && task.to.provider == Provider::Aws
    {
        return server_side(task).await;
    }
    if task.size_bytes <= task.part_size_bytes {
        single(task).await
    } else {
        multipart(task).await
    }
}

async fn server_side(task: &CopyTask<'_>) -> Result<Copied, Error> {
    let from = CopyFrom {
        bucket: task.source.name.as_str(),
        key: task.key,
        version: task.version,
        if_match: task.etag,
    };
    let head = task.source.head(task.key, task.version).await?;
    let put = copied(task, &from, head.etag.as_deref()).await?;
    let sha256 = put.sha256.as_deref().and_then(hex_of_base64);
    let sha256 = sha256.ok_or_else(|| {
        Error::new(
            Kind::Integrity,
            "CopyObject",
            task.to.thing(task.to_key),
            "NoDigest",
            "the service gave no SHA-256 of what it stored",
        )
    })?;
    let stored = Stored {
        key: ObjectKey::new(task.to_key),
        version: put.version.map_or_else(VersionId::null, VersionId::new),
        sha256_plain: Sha256(sha256.clone()),
        sha256_stored: Sha256(sha256),
        hashed_by: HashedBy::Service,
        content_type: head.content_type,
        metadata: head.metadata,
        tags: Default::default(),
    };
    // CopyObject takes the tags along, or refuses the copy.
    let tags = TagsSeen::Kept;
    Ok(Copied { stored, tags })
}

async fn copied(
    task: &CopyTask<'_>,
    from: &CopyFrom<'_>,
    etag: Option<&str>,
) -> Result<Put, Error> {
    let (to, key) = (task.to, task.to_key);
    let conditional = decides(to).await?;
    let there = match conditional {
        true => match to.copy_from(key, from, task.lock, true).await {
            // Ours of an attempt whose answer was lost, or a foreign one, or the source changed:
            // its bytes decide.
            Err(e) if e.kind == Kind::Exists => true,
            Err(e) if e.kind == Kind::Unsupported => {
                to.note_conditional(false).await;
                once::any(to, key).await?
            }
            other => return other,
        },
        false => once::any(to, key).await?,
    };
    if there {
        changed(task, etag)?;
        let sha256 = once::digest(task.source, task.key, task.version, task.size_bytes).await?;
        let content = Content {
            size_bytes: task.size_bytes,
            sha256: &sha256,
        };
        if let Some(put) = once::adopt(to, key, content, task.lock).await? {
            return Ok(put);
        }
        once::may_cover(to, key, task.lock)?;
    }
    to.copy_from(key, from, task.lock, false).await
}

fn copied_as(
    task: &CopyTask<'_>,
    version: Option<String>,
    sha256: String,
    (options, tags): (PutOptions, TagsSeen),
) -> Copied {
    let stored = Stored {
        key: ObjectKey::new(task.to_key),
        version: version.map_or_else(VersionId::null, VersionId::new),
        sha256_plain: Sha256(sha256.clone()),
        sha256_stored: Sha256(sha256),
        hashed_by: HashedBy::Dr,
        content_type: options.content_type,
        metadata: options.metadata,
        tags: options.tags,
    };
    Copied { stored, tags }
}

/// Tags need a right of their own; an object whose tags may not be read is still worth copying, and
/// counted. A store that does not answer is asked again: it has not said that there are none.
async fn options(
    task: &CopyTask<'_>,
    meta: crate::aws::s3::Meta,
) -> Result<(PutOptions, TagsSeen), Error> {
    let (tags, seen) = match task.source.tags(task.key, task.version).await {
        Ok(tags) => (tags, TagsSeen::Kept),
        Err(e) if matches!(e.kind, Kind::Denied | Kind::Credentials) => {
            (Default::default(), TagsSeen::Denied)
        }
        Err(e) if matches!(e.kind, Kind::Unsupported | Kind::Invalid) => {
            (Default::default(), TagsSeen::Unknown)
        }
        Err(e) => return Err(e),
    };
    let options = PutOptions {
        create_only: false,
        lock: task.lock,
        content_type: meta.content_type,
        metadata: meta.metadata,
        tags,
    };
    Ok((options, seen))
}

fn changed(task: &CopyTask<'_>, etag: Option<&str>) -> Result<(), Error> {
    match (task.version, task.etag, etag) {
        (None, Some(wanted), Some(found)) if wanted != found => Err(Error::new(
            Kind::NotFound,
            "GetObject",
            task.source.thing(task.key),
            "Changed",
            "the unversioned object was overwritten since it was listed",
        )),
        _ => Ok(()),
    }
}

async fn single(task: &CopyTask<'_>) -> Result<Copied, Error> {
    let _held = in_flight::to_move(task.size_bytes).await;
    let got = task
        .source
        .get(
            task.key,
            task.version,
            task.part_size_bytes.max(task.size_bytes),
        )
        .await?;
    changed(task, got.meta.etag.as_deref())?;
    let sha256 = hex::encode(sha2::Sha256::digest(&got.bytes));
    let options = options(task, got.meta).await?;
    let put = once::put_once(task.to, task.to_key, got.bytes, &options.0, &sha256).await?;
    Ok(copied_as(task, put.version, sha256, options))
}

async fn multipart(task: &CopyTask<'_>) -> Result<Copied, Error> {
    // S3 takes at most 10,000 parts; a margin keeps rounding out of it.
    let part_size = task.part_size_bytes.max(task.size_bytes.div_ceil(9_500));
    let head = task.source.head(task.key, task.version).await?;
    changed(task, head.etag.as_deref())?;
    let options = options(task, head).await?;
    // What a killed runner of this very step began is not needed any more.
    task.to.abort_uploads_at(task.to_key).await?;
    let upload = task.to.begin_upload(task.to_key, &options.0).await?;
    let (mut sha, mut parts, mut at, mut number) =
        (sha2::Sha256::new(), Vec::<Part>::new(), 0u64, 1);
    while at < task.size_bytes {
        let last = (at + part_size).min(task.size_bytes) - 1;
        let _held = in_flight::to_move(last + 1 - at).await;
        let got = task
            .source
            .get_range(task.key, task.version, Some((at, last)), part_size)
            .await?;
        changed(task, got.meta.etag.as_deref())?;
        sha.update(&got.bytes);
        parts.push(
            task.to
                .upload_part(task.to_key, &upload, number, got.bytes)
                .await?,
        );
        (at, number) = (last + 1, number + 1);
    }
    let sha256 = hex::encode(sha.finalize());
    let content = Content {
        size_bytes: task.size_bytes,
        sha256: &sha256,
    };
    let sent = once::Sent {
        upload: &upload,
        parts: &parts,
    };
    let put = once::complete_once(task.to, task.to_key, sent, task.lock, content).await?;
    Ok(copied_as(task, put.version, sha256, options))
}
