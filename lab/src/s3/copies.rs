//! Server-side copies: whole objects and ranges into parts, from any bucket of the partition whose
//! region is up.

use super::conditions;
use super::convert::{checksum, etag, kind, whole};
use super::convert::{encoding, instant, metadata, tags};
use super::error::{error, invalid, no_such_bucket, no_such_key, no_such_version};
use super::locking;
use super::model::{Algorithm, Attributes, Part, Version};
use super::objects::{attributes, kept, shown_id, trip};
use super::ops::Ops;
use super::store::Store;
use super::taking::range;
use http::HeaderMap;
use s3s::dto::{self, CopySource};
use s3s::{S3Request, S3Response, S3Result};
use std::path::PathBuf;
use std::sync::Arc;

/// A single copy may be this large.
const MAX_COPY_BYTES: u64 = 5 << 30;

impl Ops {
    /// The version that a copy's source names, and where its bytes are.
    fn source(&self, source: &CopySource, headers: &HeaderMap) -> S3Result<(Version, PathBuf)> {
        let CopySource::Bucket {
            bucket,
            key,
            version_id,
        } = source
        else {
            return Err(error(501, "NotImplemented", "the lab has no access points"));
        };
        let store = self.holding(bucket)?;
        let buckets = store.lock();
        let found = buckets
            .get(&**bucket)
            .ok_or_else(|| no_such_bucket(bucket))?;
        let version = found.version(key, version_id.as_deref()).ok_or_else(|| {
            version_id
                .as_deref()
                .map_or_else(|| no_such_key(key), no_such_version)
        })?;
        if version.marker {
            return Err(if version_id.is_some() {
                invalid(
                    "InvalidRequest",
                    "The source of a copy request may not specifically refer to a delete marker \
                     by version id.",
                )
            } else {
                no_such_key(key)
            });
        }
        if matches!(
            version.attributes.storage_class.as_deref(),
            Some("GLACIER" | "DEEP_ARCHIVE")
        ) && !version.restored
        {
            return Err(error(
                403,
                "InvalidObjectState",
                "Operation is not valid for the source object's storage class",
            ));
        }
        conditions::of_source(headers, version)?;
        let version = version.clone();
        drop(buckets);
        self.key_usable(&version.attributes)?;
        let path = store.data(bucket, &version.data);
        Ok((version, path))
    }

    fn holding(&self, bucket: &str) -> S3Result<Arc<Store>> {
        if self.store.lock().contains_key(bucket) {
            return Ok(self.store.clone());
        }
        match self.partition.holder(bucket) {
            Some((store, true)) => Ok(store),
            Some((_, false)) => Err(error(
                503,
                "ServiceUnavailable",
                "the source's region does not answer",
            )),
            None => Err(no_such_bucket(bucket)),
        }
    }

    pub(super) async fn copy(
        &self,
        mut req: S3Request<dto::CopyObjectInput>,
    ) -> S3Result<S3Response<dto::CopyObjectOutput>> {
        let input = &mut req.input;
        let name = input.bucket.clone();
        self.early(&name, &req.headers, &input.key)?;
        let (source, path) = self.source(&input.copy_source, &req.headers)?;
        if source.size > MAX_COPY_BYTES {
            return Err(invalid(
                "InvalidRequest",
                "The specified copy source is larger than the maximum allowable size for a copy \
                 source: 5368709120",
            ));
        }
        let asked = input
            .checksum_algorithm
            .as_ref()
            .and_then(|a| Algorithm::parse(a.as_str()));
        let given: Attributes = attributes!(input);
        let mut attributes = merged(
            given,
            &source.attributes,
            is(input.metadata_directive.as_ref().map(|d| d.as_str())),
            is(input.tagging_directive.as_ref().map(|d| d.as_str())),
        );
        self.settle(&name, &mut attributes)?;
        let trip = trip(&req.extensions);
        let (data, received) = self
            .take(
                &name,
                path,
                0..source.size,
                trip.as_ref().is_some_and(|t| t.slot.corrupts()),
            )
            .await?;
        // Without an algorithm of its own a copy keeps the source's.
        let sums = kept(
            &received.sums,
            asked.or(source.sums.first().filter(|_| !source.composite)),
        );
        let version = Version {
            data,
            size: received.size,
            etag: received.etag(),
            sums,
            attributes,
            ..Version::new(&input.key, self.now())
        };
        let version = if trip.is_some_and(|t| t.slot.lies()) {
            drop(std::fs::remove_file(self.store.data(&name, &version.data)));
            Version {
                id: crate::accounts::random_text(32),
                ..version
            }
        } else {
            self.publish(&name, &req.headers, version)?
        };
        Ok(S3Response::new(copied(&version, &source)))
    }

    pub(super) async fn copy_part(
        &self,
        req: S3Request<dto::UploadPartCopyInput>,
    ) -> S3Result<S3Response<dto::UploadPartCopyOutput>> {
        let input = &req.input;
        let upload = {
            let mut buckets = self.store.lock();
            super::store::bucket(&mut buckets, &input.bucket)?
                .upload(&input.key, &input.upload_id)?
                .clone()
        };
        let (source, path) = self.source(&input.copy_source, &req.headers)?;
        let range = match input.copy_source_range.as_deref() {
            Some(text) => range(text, source.size)?,
            None => 0..source.size,
        };
        let trip = trip(&req.extensions);
        let (data, received) = self
            .take(
                &input.bucket,
                path,
                range,
                trip.as_ref().is_some_and(|t| t.slot.corrupts()),
            )
            .await?;
        let part = Part {
            number: input.part_number,
            size: received.size,
            etag: received.etag(),
            sums: received.sums.clone(),
            data,
            at: self.now(),
        };
        if !trip.is_some_and(|t| t.slot.lies()) {
            self.keep_part(&input.bucket, &upload, part.clone())?;
        }
        let sums = checksum(&part.sums.only(upload.algorithm));
        let result = dto::CopyPartResult {
            e_tag: Some(etag(&part.etag)),
            last_modified: Some(whole(part.at)),
            checksum_crc32: sums.checksum_crc32,
            checksum_crc32c: sums.checksum_crc32c,
            checksum_crc64nvme: sums.checksum_crc64nvme,
            checksum_sha1: sums.checksum_sha1,
            checksum_sha256: sums.checksum_sha256,
        };
        Ok(S3Response::new(dto::UploadPartCopyOutput {
            copy_part_result: Some(result),
            copy_source_version_id: shown_id(&source),
            ..Default::default()
        }))
    }
}

fn copied(version: &Version, source: &Version) -> dto::CopyObjectOutput {
    let sums = checksum(&version.sums);
    let result = dto::CopyObjectResult {
        e_tag: Some(etag(&version.etag)),
        last_modified: Some(whole(version.at)),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        checksum_type: Some(kind(false)),
    };
    dto::CopyObjectOutput {
        copy_object_result: Some(result),
        version_id: shown_id(version),
        copy_source_version_id: shown_id(source),
        server_side_encryption: version.attributes.sse.clone().map(Into::into),
        ..Default::default()
    }
}

fn is(directive: Option<&str>) -> bool {
    directive == Some("REPLACE")
}

/// What the copy has: the source's, or the request's where it says REPLACE. Lock and encryption are
/// always the request's.
fn merged(given: Attributes, source: &Attributes, replace: bool, replace_tags: bool) -> Attributes {
    let tags = if replace_tags {
        given.tags.clone()
    } else {
        source.tags.clone()
    };
    let (retention, legal_hold, sse, kms_key, storage_class) = (
        given.retention,
        given.legal_hold,
        given.sse.clone(),
        given.kms_key.clone(),
        given.storage_class.clone(),
    );
    let base = if replace { given } else { source.clone() };
    Attributes {
        tags,
        retention,
        legal_hold,
        sse,
        kms_key,
        storage_class,
        ..base
    }
}
