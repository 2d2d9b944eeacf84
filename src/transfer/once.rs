//! Data that leaves one version however often it is put: conditional where the store was seen to
//! decide by it, compared before elsewhere. What is there already is taken where its bytes are the
//! same. Where they are not, ours goes on top in a vault, whose manifests name version ids, and
//! nowhere else: what is put without a lock goes into somebody's bucket.

use crate::aws::s3::{Bucket, Part, Put, PutOptions, hex_of_base64};
use crate::aws::{Error, Kind};
use crate::model::Lock;
use crate::vault::decides;
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

/// An upload with all of its parts sent.
#[derive(Clone, Copy)]
pub struct Sent<'a> {
    pub upload: &'a str,
    pub parts: &'a [Part],
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
    let content = Content {
        size_bytes: body.len() as u64,
        sha256,
    };
    if decides(bucket).await? {
        let once = PutOptions {
            create_only: true,
            ..options.clone()
        };
        match bucket.put(key, body.clone(), &once).await {
            Err(e) if e.kind == Kind::Exists => {
                return match adopt(bucket, key, content, options.lock).await? {
                    Some(put) => Ok(put),
                    None => {
                        may_cover(bucket, key, options.lock)?;
                        bucket.put(key, body, options).await
                    }
                };
            }
            Err(e) if e.kind == Kind::Unsupported => bucket.note_conditional(false).await,
            other => return other,
        }
    }
    match there(bucket, key, content, options.lock).await? {
        Some(put) => Ok(put),
        None => bucket.put(key, body, options).await,
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
    sent: Sent<'_>,
    lock: Option<Lock>,
    content: Content<'_>,
) -> Result<Put, Error> {
    let Sent { upload, parts } = sent;
    if decides(bucket).await? {
        match bucket.complete_upload(key, upload, parts, true).await {
            Err(e) if e.kind == Kind::Exists => {
                return match adopt(bucket, key, content, lock).await? {
                    Some(put) => taken(bucket, key, put).await,
                    None => {
                        if let Err(taken) = may_cover(bucket, key, lock) {
                            // Nobody comes to this key again: what was begun here ends here.
                            bucket.abort_uploads_at(key).await?;
                            return Err(taken);
                        }
                        bucket.complete_upload(key, upload, parts, false).await
                    }
                };
            }
            Err(e) if e.kind == Kind::Unsupported => bucket.note_conditional(false).await,
            Err(e) if e.kind == Kind::NotFound => return gone(bucket, key, content, lock).await,
            other => return other,
        }
    }
    if let Some(put) = there(bucket, key, content, lock).await? {
        return taken(bucket, key, put).await;
    }
    match bucket.complete_upload(key, upload, parts, false).await {
        Err(e) if e.kind == Kind::NotFound => gone(bucket, key, content, lock).await,
        other => other,
    }
}

/// The bytes were there, and the upload is not needed.
async fn taken(bucket: &Bucket, key: &str, put: Put) -> Result<Put, Error> {
    // A crash right here leaves an upload that nobody completes; the next run at this key aborts
    // it.
    bucket.abort_uploads_at(key).await?;
    Ok(put)
}

/// The answer to an earlier attempt was lost: the upload became the object.
async fn gone(
    bucket: &Bucket,
    key: &str,
    content: Content<'_>,
    lock: Option<Lock>,
) -> Result<Put, Error> {
    adopt(bucket, key, content, lock).await?.ok_or_else(|| {
        Error::new(
            Kind::Unavailable,
            "CompleteMultipartUpload",
            bucket.thing(key),
            "UploadGone",
            "the upload was ended by another; it is begun again",
        )
    })
}

/// Whether a key has an object, asked where its store decides nothing.
///
/// # Errors
/// The store's.
pub async fn any(bucket: &Bucket, key: &str) -> Result<bool, Error> {
    match bucket.head(key, None).await {
        Ok(_) => Ok(true),
        Err(e) if e.kind == Kind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// As [`adopt`], for the price of one HEAD where nothing is there, as nearly always.
async fn there(
    bucket: &Bucket,
    key: &str,
    content: Content<'_>,
    lock: Option<Lock>,
) -> Result<Option<Put>, Error> {
    if !any(bucket, key).await? {
        return Ok(None);
    }
    let found = adopt(bucket, key, content, lock).await?;
    if found.is_none() {
        may_cover(bucket, key, lock)?;
    }
    Ok(found)
}

/// Other bytes under a key of somebody's bucket came meanwhile; they stay the newest there.
///
/// # Errors
/// `Exists` where the key is in no vault.
pub fn may_cover(bucket: &Bucket, key: &str, lock: Option<Lock>) -> Result<(), Error> {
    match lock {
        Some(_) => Ok(()),
        None => Err(Error::new(
            Kind::Exists,
            "PutObject",
            bucket.thing(key),
            "OtherContent",
            "an object with other bytes is there; it is left as it is",
        )),
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
        .filter(|r| !r.delete_marker && r.size_bytes == content.size_bytes)
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
        let _held = super::in_flight::to_compare(last + 1 - at).await;
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
