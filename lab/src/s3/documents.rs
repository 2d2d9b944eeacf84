//! Bodies that are documents rather than objects' bytes: which ones, and the digests claimed of
//! them.

use super::error::error;
use base64::prelude::{BASE64_STANDARD, Engine};
use http::request::Parts;
use http::{HeaderMap, Method};
use s3s::S3Result;
use s3s::crypto::{Checksum, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use std::collections::BTreeSet;

/// Sub-resources whose bodies are XML.
const DOCUMENTS: [&str; 16] = [
    "acl",
    "delete",
    "encryption",
    "inventory",
    "legal-hold",
    "lifecycle",
    "object-lock",
    "policy",
    "publicAccessBlock",
    "replication",
    "restore",
    "retention",
    "tagging",
    "versioning",
    "ownershipControls",
    "notification",
];

/// Whether the body is a document rather than an object's bytes.
pub(super) fn has_document(parts: &Parts, query: &BTreeSet<String>) -> bool {
    let on_key = parts
        .uri
        .path()
        .trim_start_matches('/')
        .split_once('/')
        .is_some_and(|(_, key)| !key.is_empty());
    match parts.method {
        Method::PUT => !on_key || DOCUMENTS.iter().any(|d| query.contains(*d)),
        Method::POST => {
            query.contains("delete") || query.contains("uploadId") || query.contains("restore")
        }
        _ => false,
    }
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

fn sum<C: Checksum>(bytes: &[u8]) -> C::Output {
    let mut sum = C::new();
    sum.update(bytes);
    sum.finalize()
}

/// What the headers claim of a document. Checksums beside `uploadId` speak of the object, not of
/// this body.
pub(super) fn digests(
    headers: &HeaderMap,
    body: &[u8],
    of_upload: bool,
    required: bool,
) -> S3Result<()> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(claimed) = text("x-amz-content-sha256").filter(|c| c.len() == 64)
        && claimed != hex::encode(sum::<Sha256>(body))
    {
        return Err(error(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ));
    }
    let mut claims = vec![("content-md5", b64(sum::<Md5>(body)))];
    if !of_upload {
        claims.extend([
            ("x-amz-checksum-crc32", b64(sum::<Crc32>(body))),
            ("x-amz-checksum-crc32c", b64(sum::<Crc32c>(body))),
            ("x-amz-checksum-crc64nvme", b64(sum::<Crc64Nvme>(body))),
            ("x-amz-checksum-sha1", b64(sum::<Sha1>(body))),
            ("x-amz-checksum-sha256", b64(sum::<Sha256>(body))),
        ]);
    }
    if let Some((name, _)) = claims
        .iter()
        .find(|(name, found)| text(name).is_some_and(|claimed| claimed != found))
    {
        return Err(error(
            400,
            "BadDigest",
            format!("The {name} you specified did not match what we received."),
        ));
    }
    if required && !claims.iter().any(|(name, _)| text(name).is_some()) {
        return Err(error(
            400,
            "InvalidRequest",
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
        ));
    }
    Ok(())
}
