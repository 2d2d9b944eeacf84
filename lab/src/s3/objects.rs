//! Putting one object, and what every new version is made of.

use super::conditions::{self, Conditional};
use super::convert::{checksum, encoding, etag, instant, kind, metadata, tags};
use super::error::invalid;
use super::locking;
use super::model::{Algorithm, Attributes, Sums, Version};
use super::ops::Ops;
use super::partition::Trip;
use super::receive::{Claims, named_algorithm, receive};
use super::store::bucket;
use http::HeaderMap;
use s3s::dto::{self, PutObjectInput, PutObjectOutput};
use s3s::{S3Request, S3Response, S3Result};
use std::sync::Arc;

/// Single requests may carry this much (Amazon S3 user guide, "Uploading objects").
const MAX_PUT_BYTES: i64 = 5 << 30;

/// Fields that put, copy and create-upload have alike.
macro_rules! attributes {
    ($input:expr) => {
        Attributes {
            content_type: $input.content_type.take().map(|t| t.to_string()),
            content_encoding: encoding($input.content_encoding.take()),
            content_disposition: $input.content_disposition.take(),
            content_language: $input.content_language.take(),
            cache_control: $input.cache_control.take(),
            metadata: metadata($input.metadata.take()),
            tags: tags($input.tagging.as_deref())?,
            retention: locking::parse(
                $input.object_lock_mode.as_ref().map(|m| m.as_str()),
                $input
                    .object_lock_retain_until_date
                    .as_ref()
                    .and_then(instant),
            )?,
            legal_hold: $input
                .object_lock_legal_hold_status
                .as_ref()
                .is_some_and(|s| s.as_str() == "ON"),
            sse: $input
                .server_side_encryption
                .as_ref()
                .map(|s| s.as_str().to_owned()),
            kms_key: $input.ssekms_key_id.take(),
            storage_class: $input.storage_class.as_ref().map(|s| s.as_str().to_owned()),
        }
    };
}
pub(super) use attributes;

/// What a request says of its body; of two types that have nothing else in common.
macro_rules! claims {
    ($input:expr, $req:expr) => {{
        let decoded = $req
            .headers
            .get("x-amz-decoded-content-length")
            .and_then(|v| v.to_str().ok()?.parse().ok());
        Claims {
            sums: given(
                $input.checksum_crc32.take(),
                $input.checksum_crc32c.take(),
                $input.checksum_crc64nvme.take(),
                $input.checksum_sha1.take(),
                $input.checksum_sha256.take(),
            ),
            md5: $input.content_md5.take(),
            length: decoded.or($input.content_length),
            trailers: $req.trailing_headers.clone(),
            algorithm: named_algorithm(&$req.headers),
        }
    }};
}
pub(super) use claims;

pub(super) fn trip(extensions: &http::Extensions) -> Option<Arc<Trip>> {
    extensions.get::<Arc<Trip>>().cloned()
}

/// The checksums to keep: the ones asked for, else the CRC64NVME that the service adds on its own.
pub(super) fn kept(sums: &Sums, asked: Option<Algorithm>) -> Sums {
    sums.only(asked.unwrap_or(Algorithm::Crc64nvme))
}

pub(super) fn given(
    crc32: Option<String>,
    crc32c: Option<String>,
    crc64nvme: Option<String>,
    sha1: Option<String>,
    sha256: Option<String>,
) -> Sums {
    Sums {
        crc32,
        crc32c,
        crc64nvme,
        sha1,
        sha256,
    }
}

impl Ops {
    /// Lock, encryption and key of a new version, from its own headers or the bucket's defaults.
    pub(super) fn settle(&self, name: &str, attributes: &mut Attributes) -> S3Result<()> {
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, name)?;
        locking::of_new(&found.meta, attributes, self.now())?;
        if attributes.sse.is_none()
            && let Some((sse, key)) = super::configs::default_encryption(&found.meta)
        {
            attributes.sse = Some(sse);
            attributes.kms_key = key;
        }
        drop(buckets);
        self.key_usable(attributes)
    }

    pub(super) fn key_usable(&self, attributes: &Attributes) -> S3Result<()> {
        match attributes.kms_key.as_deref() {
            Some(key) if key.starts_with("arn:") && !self.kms.usable(key) => {
                let code = if self.kms.state(key) == crate::kms::KeyState::Absent {
                    "KMS.NotFoundException"
                } else {
                    "KMS.DisabledException"
                };
                Err(invalid(
                    code,
                    format!("{key} is disabled or does not exist."),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Puts a version that is whole on disk; conditions are looked at under the lock that the write
    /// takes. On refusal its bytes go.
    pub(super) fn publish(
        &self,
        name: &str,
        headers: &HeaderMap,
        version: Version,
    ) -> S3Result<Version> {
        let data = version.data.clone();
        let mut buckets = self.store.lock();
        let result = bucket(&mut buckets, name).and_then(|found| {
            if self.store.conditional() != Conditional::Ignore {
                conditions::of_write(headers, found.latest(&version.key), &version.key)?;
            }
            self.store.push(found, version)
        });
        drop(buckets);
        if result.is_err() {
            drop(std::fs::remove_file(self.store.data(name, &data)));
        }
        result
    }

    /// Refused before the body is read where it is clear already, as the service does.
    pub(super) fn early(&self, name: &str, headers: &HeaderMap, key: &str) -> S3Result<()> {
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, name)?;
        if self.store.conditional() == Conditional::Ignore {
            return Ok(());
        }
        conditions::of_write(headers, found.latest(key), key)
    }

    pub(super) async fn put(
        &self,
        mut req: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let input = &mut req.input;
        let name = input.bucket.clone();
        if input.content_length.is_some_and(|l| l > MAX_PUT_BYTES) {
            return Err(invalid(
                "EntityTooLarge",
                "Your proposed upload exceeds the maximum allowed size",
            ));
        }
        self.early(&name, &req.headers, &input.key)?;
        let mut attributes = attributes!(input);
        self.settle(&name, &mut attributes)?;
        let claims = claims!(input, req);
        let trip = trip(&req.extensions);
        let (data, path) = self.store.new_data(&name);
        let flip = trip.as_ref().is_some_and(|t| t.slot.corrupts());
        let (received, asked) = receive(input.body.take(), &path, claims, flip).await?;
        let sums = kept(&received.sums, asked);
        let version = Version {
            data,
            size: received.size,
            etag: received.etag(),
            sums,
            attributes,
            ..Version::new(&input.key, self.now())
        };
        let version = if trip.is_some_and(|t| t.slot.lies()) {
            drop(std::fs::remove_file(path));
            Version {
                id: crate::accounts::random_text(32),
                ..version
            }
        } else {
            self.publish(&name, &req.headers, version)?
        };
        Ok(S3Response::new(answer(&version)))
    }
}

fn answer(version: &Version) -> PutObjectOutput {
    let sums: dto::Checksum = checksum(&version.sums);
    PutObjectOutput {
        e_tag: Some(etag(&version.etag)),
        version_id: shown_id(version),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        checksum_type: Some(kind(version.composite)),
        server_side_encryption: version.attributes.sse.clone().map(Into::into),
        ssekms_key_id: version.attributes.kms_key.clone(),
        ..Default::default()
    }
}

/// Answers name no version where the bucket has no versioning.
pub(super) fn shown_id(version: &Version) -> Option<String> {
    (version.id != "null").then(|| version.id.clone())
}
