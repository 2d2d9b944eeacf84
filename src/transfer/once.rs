//! Data that leaves one version however often it is put: conditional where the store has that, and
//! what is there already
//! is taken where its bytes are the same. Where they are not, ours goes on top: a manifest names
//! version ids.

use crate::aws::s3::{Bucket, Part, Put, PutOptions, hex_of_base64};
use crate::aws::{Error, Kind};
use crate::model::Lock;
use bytes::Bytes;
use sha2::{Digest, Sha256};

/// Bytes are read back in pieces of this size.
const PIECE_BYTES: u64 = 8 << 20;

/// What was put, by its size and digest.
#[derive(Clone, Copy)]
pub struct Content<'a> {
    pub size_bytes: u64,
    pub sha256: &'a str,
}

/// One object in one request.
///
/// # Errors
/// The store's.
pub async fn put_once(
    bucket: &Bucket,
    key: &str,
    body: Bytes,
    options: &PutOptions,
    sha256: &str,
) -> Result<Put, Error> {
    if !bucket.conditional() {
        return bucket.put(key, body, options).await;
    }
    let content = Content {
        size_bytes: body.len() as u64,
        sha256,
    };
    let once = PutOptions {
        create_only: true,
        ..options.clone()
    };
    match bucket.put(key, body.clone(), &once).await {
        Err(e) if e.kind == Kind::Exists => {
            match adopt(bucket, key, content, options.lock).await? {
                Some(put) => Ok(put),
                None => bucket.put(key, body, options).await,
            }
        }
        Err(e) if e.kind == Kind::Unsupported => {
            bucket.note_unconditional();
            bucket.put(key, body, options).await
        }
        other => other,
    }
}

/// Makes parts one object. On success the upload is gone, whether it became the object or one that
/// was there was taken.
///
/// # Errors
/// The store's.
pub async fn complete_once(
    bucket: &Bucket,
    key: &str,
    upload: &str,
    parts: &[Part],
    lock: Option<Lock>,
    content: Content<'_>,
) -> Result<Put, Error> {
    match bucket
        .complete_upload(key, upload, parts, bucket.conditional())
        .await
    {
        Err(e) if e.kind == Kind::Exists => match adopt(bucket, key, content, lock).await? {
            Some(put) => {
                // A crash right here leaves an upload that nobody completes; the next run at this
                // key aborts it.
                bucket.abort_uploads_at(key).await?;
                Ok(put)
            }
            None => bucket.complete_upload(key, upload, parts, false).await,
        },
        Err(e) if e.kind == Kind::Unsupported && bucket.conditional() => {
            bucket.note_unconditional();
            bucket.complete_upload(key, upload, parts, false).await
        }
        // The answer to an earlier attempt was lost: the upload became the object.
        Err(e) if e.kind == Kind::NotFound => match adopt(bucket, key, content, lock).await? {
            Some(put) => Ok(put),
            None => Err(Error::new(
                Kind::Unavailable,
                "CompleteMultipartUpload",
                bucket.thing(key),
                "UploadGone",
                "the upload was ended by another; it is begun again",
            )),
        },
        other => other,
    }
}

/// The oldest version of a key with these bytes, its lock extended where it ends early.
///
/// # Errors
/// The store's.
pub async fn adopt(
    bucket: &Bucket,
    key: &str,
    content: Content<'_>,
    lock: Option<Lock>,
) -> Result<Option<Put>, Error> {
    let rows = bucket.versions_of(key).await?;
    for row in rows
        .iter()
        .rev()
        .filter(|r| r.key == key && !r.delete_marker && r.size_bytes == content.size_bytes)
    {
        let head = bucket.head(key, Some(&row.version)).await?;
        let stored = match head.sha256.as_deref().and_then(hex_of_base64) {
            Some(sha256) => sha256,
            None => match digest(bucket, key, Some(&row.version), row.size_bytes).await {
                // The store lost a part of it: not ours any more.
                Err(e) if e.kind == Kind::Integrity => continue,
                other => other?,
            },
        };
        if stored == content.sha256 {
            if let Some(lock) = lock {
                hold(bucket, key, &row.version, lock).await?;
            }
            return Ok(Some(Put {
                version: Some(row.version.clone()),
                etag: row.etag.clone(),
                sha256: head.sha256,
            }));
        }
    }
    Ok(None)
}

/// A version's lock ends no earlier than this one. `true` where it had to be extended.
///
/// # Errors
/// The store's; `NotFound` where the version is gone.
pub async fn hold(bucket: &Bucket, key: &str, version: &str, lock: Lock) -> Result<bool, Error> {
    if bucket.lock_of(key, version).await?.meets(lock) {
        return Ok(false);
    }
    bucket.extend_lock(key, version, lock).await?;
    Ok(true)
}

/// SHA-256 of a version, read in pieces of bounded size.
///
/// # Errors
/// The store's.
pub async fn digest(
    bucket: &Bucket,
    key: &str,
    version: Option<&str>,
    size_bytes: u64,
) -> Result<String, Error> {
    let (mut sha, mut at) = (Sha256::new(), 0);
    while at < size_bytes {
        let last = (at + PIECE_BYTES).min(size_bytes) - 1;
        let _room = super::room::to_compare(last + 1 - at).await;
        let range = (size_bytes > PIECE_BYTES).then_some((at, last));
        sha.update(
            &bucket
                .get_range(key, version, range, PIECE_BYTES)
                .await?
                .bytes,
        );
        at = last + 1;
    }
    Ok(hex::encode(sha.finalize()))
}
