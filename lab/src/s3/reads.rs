//! Reading one version: bytes, head, attributes, tags.

use super::conditions;
use super::convert::{checksum, checksum_type, etag, shown_metadata, stamp, tag_set, whole};
use super::error::{error, io, no_such_key, no_such_version};
use super::model::Version;
use super::objects::shown_id;
use super::ops::Ops;
use super::spans::span;
use super::store::bucket;
use http::HeaderMap;
use s3s::dto::{
    GetObjectInput, GetObjectOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    HeadObjectInput, HeadObjectOutput, StreamingBlob,
};
use s3s::{S3Request, S3Response, S3Result};
use std::ops::Range;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// Bytes are read from disk in pieces of this size.
const PIECE_BYTES: usize = 256 << 10;

impl Ops {
    /// The version that a read names. A delete marker is no object: 404 for the newest, 405 by its
    /// id.
    pub(super) fn readable(&self, name: &str, key: &str, id: Option<&str>) -> S3Result<Version> {
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, name)?;
        let version = found
            .version(key, id)
            .ok_or_else(|| id.map_or_else(|| no_such_key(key), no_such_version))?;
        if !version.marker {
            return Ok(version.clone());
        }
        let mut gone = if id.is_some() {
            error(
                405,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
            )
        } else {
            no_such_key(key)
        };
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-amz-delete-marker",
            http::HeaderValue::from_static("true"),
        );
        if let Ok(id) = http::HeaderValue::from_str(&version.id) {
            headers.insert("x-amz-version-id", id);
        }
        gone.set_headers(headers);
        Err(gone)
    }

    pub(super) async fn get(
        &self,
        req: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = &req.input;
        let version = self.readable(&input.bucket, &input.key, input.version_id.as_deref())?;
        conditions::of_read(&req.headers, &version)?;
        if cold(&version) && !version.restored {
            return Err(error(
                403,
                "InvalidObjectState",
                "The operation is not valid for the object's storage class",
            ));
        }
        self.key_usable(&version.attributes)?;
        let span = span(&version, input.range, input.part_number)?;
        let part = span.as_ref().map_or(0..version.size, Clone::clone);
        let body = self.stream(&input.bucket, &version, part.clone()).await?;
        let output = got(input, &version, span.as_ref(), body);
        let status = span.map(|_| http::StatusCode::PARTIAL_CONTENT);
        Ok(S3Response {
            status,
            ..S3Response::new(output)
        })
    }

    async fn stream(
        &self,
        name: &str,
        version: &Version,
        part: Range<u64>,
    ) -> S3Result<StreamingBlob> {
        let path = self.store.data(name, &version.data);
        let mut file = tokio::fs::File::open(&path)
            .await
            .map_err(|e| io("opening bytes", &e))?;
        file.seek(std::io::SeekFrom::Start(part.start))
            .await
            .map_err(|e| io("seeking", &e))?;
        let reader = file.take(part.end - part.start);
        Ok(StreamingBlob::wrap(
            tokio_util::io::ReaderStream::with_capacity(reader, PIECE_BYTES),
        ))
    }

    pub(super) fn head(
        &self,
        req: &S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = &req.input;
        let version = self.readable(&input.bucket, &input.key, input.version_id.as_deref())?;
        conditions::of_read(&req.headers, &version)?;
        let span = span(&version, input.range, input.part_number)?;
        let length = span.as_ref().map_or(version.size, |s| s.end - s.start);
        let sums = input
            .checksum_mode
            .as_ref()
            .map(|_| checksum(&version.sums))
            .unwrap_or_default();
        let output = HeadObjectOutput {
            content_length: i64::try_from(length).ok(),
            accept_ranges: Some("bytes".into()),
            e_tag: Some(etag(&version.etag)),
            last_modified: Some(whole(version.at)),
            version_id: shown_id(&version),
            metadata: shown_metadata(&version.attributes),
            content_type: content_type(&version),
            content_encoding: version.attributes.content_encoding.clone(),
            content_disposition: version.attributes.content_disposition.clone(),
            content_language: version.attributes.content_language.clone(),
            cache_control: version.attributes.cache_control.clone(),
            checksum_type: input
                .checksum_mode
                .as_ref()
                .and_then(|_| checksum_type(&version)),
            checksum_crc32: sums.checksum_crc32,
            checksum_crc32c: sums.checksum_crc32c,
            checksum_crc64nvme: sums.checksum_crc64nvme,
            checksum_sha1: sums.checksum_sha1,
            checksum_sha256: sums.checksum_sha256,
            object_lock_mode: version
                .attributes
                .retention
                .map(|r| r.mode.as_str().to_owned().into()),
            object_lock_retain_until_date: version.attributes.retention.map(|r| stamp(r.until)),
            object_lock_legal_hold_status: version
                .attributes
                .legal_hold
                .then(|| "ON".to_owned().into()),
            server_side_encryption: version.attributes.sse.clone().map(Into::into),
            ssekms_key_id: version.attributes.kms_key.clone(),
            storage_class: version
                .attributes
                .storage_class
                .clone()
                .filter(|c| c != "STANDARD")
                .map(Into::into),
            restore: version
                .restored
                .then(|| "ongoing-request=\"false\"".to_owned()),
            parts_count: input
                .part_number
                .and_then(|_| i32::try_from(version.parts.len()).ok())
                .filter(|n| *n > 0),
            ..Default::default()
        };
        let status = span.map(|_| http::StatusCode::PARTIAL_CONTENT);
        Ok(S3Response {
            status,
            ..S3Response::new(output)
        })
    }

    pub(super) fn tagging(
        &self,
        req: &S3Request<GetObjectTaggingInput>,
    ) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        let input = &req.input;
        let version = self.readable(&input.bucket, &input.key, input.version_id.as_deref())?;
        Ok(S3Response::new(GetObjectTaggingOutput {
            tag_set: tag_set(&version.attributes.tags),
            version_id: shown_id(&version),
        }))
    }
}

fn content_type(version: &Version) -> Option<String> {
    version
        .attributes
        .content_type
        .clone()
        .or_else(|| Some("binary/octet-stream".into()))
}

fn cold(version: &Version) -> bool {
    matches!(
        version.attributes.storage_class.as_deref(),
        Some("GLACIER" | "DEEP_ARCHIVE")
    )
}

fn got(
    input: &GetObjectInput,
    version: &Version,
    span: Option<&Range<u64>>,
    body: StreamingBlob,
) -> GetObjectOutput {
    let length = span.map_or(version.size, |s| s.end - s.start);
    let sums = input
        .checksum_mode
        .as_ref()
        .filter(|_| span.is_none())
        .map(|_| checksum(&version.sums))
        .unwrap_or_default();
    GetObjectOutput {
        body: Some(body),
        content_length: i64::try_from(length).ok(),
        content_range: span.map(|s| {
            format!(
                "bytes {}-{}/{}",
                s.start,
                s.end.saturating_sub(1),
                version.size
            )
        }),
        accept_ranges: Some("bytes".into()),
        e_tag: Some(etag(&version.etag)),
        last_modified: Some(whole(version.at)),
        version_id: shown_id(version),
        metadata: shown_metadata(&version.attributes),
        content_type: input
            .response_content_type
            .clone()
            .or_else(|| content_type(version)),
        content_encoding: version.attributes.content_encoding.clone(),
        content_disposition: version.attributes.content_disposition.clone(),
        content_language: version.attributes.content_language.clone(),
        cache_control: version.attributes.cache_control.clone(),
        checksum_type: input
            .checksum_mode
            .as_ref()
            .and_then(|_| checksum_type(version)),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        object_lock_mode: version
            .attributes
            .retention
            .map(|r| r.mode.as_str().to_owned().into()),
        object_lock_retain_until_date: version.attributes.retention.map(|r| stamp(r.until)),
        object_lock_legal_hold_status: version
            .attributes
            .legal_hold
            .then(|| "ON".to_owned().into()),
        server_side_encryption: version.attributes.sse.clone().map(Into::into),
        ssekms_key_id: version.attributes.kms_key.clone(),
        parts_count: input
            .part_number
            .and_then(|_| i32::try_from(version.parts.len()).ok())
            .filter(|n| *n > 0),
        tag_count: i32::try_from(version.attributes.tags.len())
            .ok()
            .filter(|n| *n > 0),
        ..Default::default()
    }
}
