//! Multipart uploads: begun, filled with parts, aborted.

use super::convert::{checksum, encoding, etag, instant, kind, metadata, tags};
use super::error::{error, invalid};
use super::locking;
use super::model::{Algorithm, Attributes, Part, Upload};
use super::objects::{attributes, claims, given, trip};
use super::ops::Ops;
use super::receive::{Claims, named_algorithm, receive};
use super::store::bucket;
use crate::accounts::random_text;
use s3s::dto;
use s3s::{S3Request, S3Response, S3Result};

const MAX_PARTS: i32 = 10_000;
/// Unfinished uploads in one bucket; the service has no limit, a lab's disk has.
const MAX_UPLOADS: usize = 10_000;

impl Ops {
    pub(super) fn create_upload(
        &self,
        mut req: S3Request<dto::CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<dto::CreateMultipartUploadOutput>> {
        let input = &mut req.input;
        let name = input.bucket.clone();
        let asked = input.checksum_algorithm.as_ref().map(|a| {
            Algorithm::parse(a.as_str()).ok_or_else(|| {
                invalid(
                    "InvalidRequest",
                    "Checksum algorithm provided is unsupported.",
                )
            })
        });
        let asked = asked.transpose()?;
        let algorithm = asked.unwrap_or(Algorithm::Crc64nvme);
        let composite = match input.checksum_type.as_ref().map(|t| t.as_str()) {
            Some("COMPOSITE") if algorithm == Algorithm::Crc64nvme => {
                return Err(invalid(
                    "InvalidRequest",
                    "The COMPOSITE checksum type cannot be used with the crc64nvme checksum \
                     algorithm.",
                ));
            }
            Some("FULL_OBJECT") if matches!(algorithm, Algorithm::Sha1 | Algorithm::Sha256) => {
                return Err(invalid(
                    "InvalidRequest",
                    "The FULL_OBJECT checksum type cannot be used with the SHA algorithms.",
                ));
            }
            Some(given) => given == "COMPOSITE",
            None => asked.is_some() && algorithm != Algorithm::Crc64nvme,
        };
        let mut attributes = attributes!(input);
        self.settle(&name, &mut attributes)?;
        let upload = Upload {
            id: random_text(48),
            key: input.key.clone(),
            initiated: self.now(),
            algorithm,
            asked: asked.is_some(),
            composite,
            parts: std::collections::BTreeMap::new(),
            attributes,
        };
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, &name)?;
        if found.uploads.len() >= MAX_UPLOADS {
            return Err(error(
                503,
                "SlowDown",
                "the lab holds too many unfinished uploads in this bucket",
            ));
        }
        self.store.save_upload(&name, &upload)?;
        let output = dto::CreateMultipartUploadOutput {
            bucket: Some(name),
            key: Some(upload.key.clone()),
            upload_id: Some(upload.id.clone()),
            checksum_algorithm: asked.map(|a| a.as_str().to_owned().into()),
            checksum_type: asked.map(|_| kind(composite)),
            server_side_encryption: upload.attributes.sse.clone().map(Into::into),
            ..Default::default()
        };
        found.uploads.insert(upload.id.clone(), upload);
        Ok(S3Response::new(output))
    }

    pub(super) fn upload_there(&self, name: &str, key: &str, id: &str) -> S3Result<Upload> {
        let mut buckets = self.store.lock();
        bucket(&mut buckets, name)?.upload(key, id).cloned()
    }

    pub(super) async fn part(
        &self,
        mut req: S3Request<dto::UploadPartInput>,
    ) -> S3Result<S3Response<dto::UploadPartOutput>> {
        let input = &mut req.input;
        let name = input.bucket.clone();
        let upload = self.upload_there(&name, &input.key, &input.upload_id)?;
        let claims = claims!(input, req);
        let trip = trip(&req.extensions);
        let (data, path) = self.store.new_data(&name);
        let (received, _) = receive(
            input.body.take(),
            &path,
            claims,
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
            self.keep_part(&name, &upload, part.clone())?;
        }
        let sums = if upload.asked {
            checksum(&part.sums.only(upload.algorithm))
        } else {
            checksum(&part.sums.only(Algorithm::Crc64nvme))
        };
        let output = dto::UploadPartOutput {
            e_tag: Some(etag(&part.etag)),
            checksum_crc32: sums.checksum_crc32,
            checksum_crc32c: sums.checksum_crc32c,
            checksum_crc64nvme: sums.checksum_crc64nvme,
            checksum_sha1: sums.checksum_sha1,
            checksum_sha256: sums.checksum_sha256,
            server_side_encryption: upload.attributes.sse.map(Into::into),
            ..Default::default()
        };
        Ok(S3Response::new(output))
    }

    /// A crash between the upload's file and the old part's bytes leaves bytes without a name,
    /// which the next start removes.
    pub(super) fn keep_part(&self, name: &str, upload: &Upload, part: Part) -> S3Result<()> {
        if !(1..=MAX_PARTS).contains(&part.number) {
            drop(std::fs::remove_file(self.store.data(name, &part.data)));
            return Err(invalid(
                "InvalidArgument",
                "Part number must be an integer between 1 and 10000, inclusive",
            ));
        }
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, name)?;
        let kept = found
            .upload(&upload.key, &upload.id)
            .map(|u| u.parts.insert(part.number, part.clone()));
        match kept {
            Ok(old) => {
                let upload = found.upload(&upload.key, &upload.id)?;
                self.store.save_upload(name, upload)?;
                if let Some(old) = old {
                    drop(std::fs::remove_file(self.store.data(name, &old.data)));
                }
                Ok(())
            }
            Err(e) => {
                drop(std::fs::remove_file(self.store.data(name, &part.data)));
                Err(e)
            }
        }
    }

    pub(super) fn abort(
        &self,
        req: &S3Request<dto::AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<dto::AbortMultipartUploadOutput>> {
        let input = &req.input;
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, &input.bucket)?;
        found.upload(&input.key, &input.upload_id)?;
        self.store.drop_upload(found, &input.upload_id);
        Ok(S3Response::with_status(
            dto::AbortMultipartUploadOutput::default(),
            http::StatusCode::NO_CONTENT,
        ))
    }
}
