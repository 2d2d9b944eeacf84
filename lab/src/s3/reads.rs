//! Reading one version: bytes, head, attributes, tags.

use super::conditions;
use super::convert::{checksum, checksum_type, etag, shown_metadata, stamp, tag_set, whole};
use super::error::{error, io, no_such_key, no_such_version};
use super::model::Version;
use super::objects::shown_id;
use super::ops::Ops;
use super::store::bucket;
use http::HeaderMap;
use s3s::dto::{
    self, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectInput, GetObjectOutput,
    GetObjectTaggingInput, GetObjectTaggingOutput, HeadObjectInput, HeadObjectOutput,
    StreamingBlob,
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
        let length = i64::try_from(part.end - part.start).ok();
        let sums = input
            .checksum_mode
            .as_ref()
            .filter(|_| span.is_none())
            .map(|_| checksum(&version.sums))
            .unwrap_or_default();
        let output = GetObjectOutput {
            body: Some(body),
            content_length: length,
            content_range: span.as_ref().map(|s| {
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
            version_id: shown_id(&version),
            metadata: shown_metadata(&version.attributes),
            content_type: input
                .response_content_type
                .clone()
                .or_else(|| content_type(&version)),
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
            parts_count: input
                .part_number
                .and_then(|_| i32::try_from(version.parts.len()).ok())
                .filter(|n| *n > 0),
            tag_count: i32::try_from(version.attributes.tags.len())
                .ok()
                .filter(|n| *n > 0),
            ..Default::default()
        };
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

    pub(super) fn attributes(
        &self,
        req: &S3Request<GetObjectAttributesInput>,
    ) -> S3Result<S3Response<GetObjectAttributesOutput>> {
        let input = &req.input;
        let version = self.readable(&input.bucket, &input.key, input.version_id.as_deref())?;
        // The protocol crate does not split the header's list.
        let wanted: Vec<String> = input
            .object_attributes
            .iter()
            .flat_map(|a| {
                a.as_str()
                    .split(',')
                    .map(|p| p.trim().to_owned())
                    .collect::<Vec<_>>()
            })
            .collect();
        let wants = |name: &str| wanted.iter().any(|w| w == name);
        let mut sums = checksum(&version.sums);
        sums.checksum_type = checksum_type(&version);
        let parts =
            (wants("ObjectParts") && !version.parts.is_empty()).then(|| parts(&version, input));
        let output = GetObjectAttributesOutput {
            e_tag: wants("ETag").then(|| etag(&version.etag)),
            checksum: wants("Checksum").then_some(sums),
            object_size: wants("ObjectSize")
                .then(|| i64::try_from(version.size).unwrap_or(i64::MAX)),
            storage_class: wants("StorageClass").then(|| {
                version
                    .attributes
                    .storage_class
                    .clone()
                    .unwrap_or_else(|| "STANDARD".into())
                    .into()
            }),
            object_parts: parts,
            last_modified: Some(whole(version.at)),
            version_id: shown_id(&version),
            ..Default::default()
        };
        Ok(S3Response::new(output))
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

/// The bytes that a range or a part number names; `None`: all.
fn span(
    version: &Version,
    range: Option<dto::Range>,
    part: Option<i32>,
) -> S3Result<Option<Range<u64>>> {
    if let Some(number) = part {
        if version.parts.is_empty() && number == 1 {
            return Ok(Some(0..version.size));
        }
        let before = version
            .parts
            .iter()
            .filter(|p| p.number < number)
            .map(|p| p.size)
            .sum();
        let part = version
            .parts
            .iter()
            .find(|p| p.number == number)
            .ok_or_else(|| {
                error(
                    416,
                    "InvalidPartNumber",
                    "The requested partnumber is not satisfiable",
                )
            })?;
        return Ok(Some(before..before + part.size));
    }
    let outside = |_| {
        error(
            416,
            "InvalidRange",
            "The requested range is not satisfiable",
        )
    };
    range
        .map(|r| r.check(version.size).map_err(outside))
        .transpose()
}

fn parts(version: &Version, input: &GetObjectAttributesInput) -> dto::GetObjectAttributesParts {
    let after = input.part_number_marker.unwrap_or(0);
    let most = usize::try_from(input.max_parts.unwrap_or(1_000)).unwrap_or(1_000);
    let rest: Vec<_> = version.parts.iter().filter(|p| p.number > after).collect();
    let shown = rest.iter().take(most).map(|p| {
        let sums = checksum(&p.sums);
        dto::ObjectPart {
            part_number: Some(p.number),
            size: i64::try_from(p.size).ok(),
            checksum_crc32: sums.checksum_crc32,
            checksum_crc32c: sums.checksum_crc32c,
            checksum_crc64nvme: sums.checksum_crc64nvme,
            checksum_sha1: sums.checksum_sha1,
            checksum_sha256: sums.checksum_sha256,
        }
    });
    // Without an additional checksum the service counts the parts and lists none.
    let listed = version.composite.then(|| shown.collect());
    dto::GetObjectAttributesParts {
        total_parts_count: i32::try_from(version.parts.len()).ok(),
        parts: listed,
        is_truncated: Some(rest.len() > most),
        part_number_marker: Some(after),
        next_part_number_marker: rest.iter().take(most).next_back().map(|p| p.number),
        max_parts: i32::try_from(most).ok(),
    }
}
