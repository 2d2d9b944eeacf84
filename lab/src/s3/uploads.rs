//! Multipart uploads: create, parts, complete, abort, lists.

use super::convert::{checksum, etag, kind, shown_key, whole};
use super::error::{error, invalid, io, no_such_upload};
use super::model::{Algorithm, Attributes, Part, Sums, Upload, Version};
use super::objects::{attributes, given, shown_id, trip};
use super::ops::Ops;
use super::receive::{Claims, Summing, named_algorithm, receive};
use super::store::bucket;
use super::{convert::encoding, convert::instant, convert::metadata, convert::tags, locking};
use crate::accounts::random_text;
use base64::prelude::{BASE64_STANDARD, Engine};
use s3s::crypto::{Checksum, Md5};
use s3s::dto;
use s3s::{S3Request, S3Response, S3Result};
use std::io::{Read, Write};

/// Every part but the last (Amazon S3 user guide, "Multipart upload limits").
const MIN_PART_BYTES: u64 = 5 << 20;
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

    fn upload_there(&self, name: &str, key: &str, id: &str) -> S3Result<Upload> {
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
        let sums = given(
            input.checksum_crc32.take(),
            input.checksum_crc32c.take(),
            input.checksum_crc64nvme.take(),
            input.checksum_sha1.take(),
            input.checksum_sha256.take(),
        );
        let decoded = req
            .headers
            .get("x-amz-decoded-content-length")
            .and_then(|v| v.to_str().ok()?.parse().ok());
        let claims = Claims {
            sums,
            md5: input.content_md5.take(),
            length: decoded.or(input.content_length),
            trailers: req.trailing_headers.clone(),
            algorithm: named_algorithm(&req.headers),
        };
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

    pub(super) async fn complete(
        &self,
        req: S3Request<dto::CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<dto::CompleteMultipartUploadOutput>> {
        let input = &req.input;
        let name = input.bucket.clone();
        let upload = self.upload_there(&name, &input.key, &input.upload_id)?;
        self.early(&name, &req.headers, &input.key)?;
        let listed = input
            .multipart_upload
            .as_ref()
            .and_then(|m| m.parts.clone())
            .unwrap_or_default();
        let parts = chosen(&upload, &listed)?;
        let (version, sums) = self.join(&name, &upload, parts).await?;
        let claimed = given(
            input.checksum_crc32.clone(),
            input.checksum_crc32c.clone(),
            input.checksum_crc64nvme.clone(),
            input.checksum_sha1.clone(),
            input.checksum_sha256.clone(),
        );
        let differs = Algorithm::ALL.into_iter().find(|a| {
            claimed
                .get(*a)
                .is_some_and(|c| sums.get(*a).is_some_and(|f| c != f))
        });
        if let Some(algorithm) = differs {
            drop(std::fs::remove_file(self.store.data(&name, &version.data)));
            return Err(invalid(
                "BadDigest",
                format!(
                    "The {} you specified did not match the calculated checksum.",
                    algorithm.as_str()
                ),
            ));
        }
        let version = if trip(&req.extensions).is_some_and(|t| t.slot.lies()) {
            drop(std::fs::remove_file(self.store.data(&name, &version.data)));
            Version {
                id: random_text(32),
                ..version
            }
        } else {
            self.publish(&name, &req.headers, version)?
        };
        let mut buckets = self.store.lock();
        // A crash before this leaves a completed object and its upload: aborting that one harms
        // nothing.
        self.store
            .drop_upload(bucket(&mut buckets, &name)?, &upload.id);
        drop(buckets);
        let shown = checksum(&version.sums);
        let output = dto::CompleteMultipartUploadOutput {
            bucket: Some(name),
            key: Some(version.key.clone()),
            e_tag: Some(etag(&version.etag)),
            version_id: shown_id(&version),
            checksum_crc32: shown.checksum_crc32,
            checksum_crc32c: shown.checksum_crc32c,
            checksum_crc64nvme: shown.checksum_crc64nvme,
            checksum_sha1: shown.checksum_sha1,
            checksum_sha256: shown.checksum_sha256,
            checksum_type: version.sums.first().map(|_| kind(version.composite)),
            server_side_encryption: version.attributes.sse.clone().map(Into::into),
            ..Default::default()
        };
        Ok(S3Response::new(output))
    }

    /// One file of all parts, with the sums that the service shows. Returns all sums of the whole
    /// as well.
    async fn join(
        &self,
        name: &str,
        upload: &Upload,
        parts: Vec<Part>,
    ) -> S3Result<(Version, Sums)> {
        let (data, path) = self.store.new_data(name);
        let sources: Vec<_> = parts
            .iter()
            .map(|p| self.store.data(name, &p.data))
            .collect();
        let joined = tokio::task::spawn_blocking(move || -> std::io::Result<_> {
            let mut whole = std::fs::File::create(&path)?;
            let mut summing = Summing::default();
            let mut piece = vec![0u8; 1 << 20];
            for source in sources {
                let mut part = std::fs::File::open(source)?;
                loop {
                    let n = part.read(&mut piece)?;
                    if n == 0 {
                        break;
                    }
                    summing.update(&piece[..n]);
                    whole.write_all(&piece[..n])?;
                }
            }
            Ok(summing.finish())
        });
        let received = joined
            .await
            .map_err(|e| error(500, "InternalError", e.to_string()))?
            .map_err(|e| io("joining parts", &e))?;
        let etag = format!("{}-{}", hex::encode(md5_of(&parts)), parts.len());
        let mut sums = received.sums.only(upload.algorithm);
        if upload.composite {
            sums.set(upload.algorithm, composite(upload.algorithm, &parts));
        }
        let parts = parts
            .into_iter()
            .map(|p| Part {
                data: String::new(),
                sums: p.sums.only(upload.algorithm),
                ..p
            })
            .collect();
        let attributes: Attributes = upload.attributes.clone();
        let version = Version {
            data,
            size: received.size,
            etag,
            sums: sums.clone(),
            composite: upload.composite,
            parts,
            attributes,
            ..Version::new(&upload.key, self.now())
        };
        let all = if upload.composite {
            sums
        } else {
            received.sums
        };
        Ok((version, all))
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

    pub(super) fn list_parts(
        &self,
        req: &S3Request<dto::ListPartsInput>,
    ) -> S3Result<S3Response<dto::ListPartsOutput>> {
        let input = &req.input;
        let upload = self.upload_there(&input.bucket, &input.key, &input.upload_id)?;
        let after = input.part_number_marker.unwrap_or(0);
        let most = usize::try_from(input.max_parts.unwrap_or(1_000))
            .unwrap_or(1_000)
            .min(1_000);
        let rest: Vec<&Part> = upload.parts.values().filter(|p| p.number > after).collect();
        let shown = rest.iter().take(most).map(|p| {
            let sums = checksum(&p.sums.only(upload.algorithm));
            dto::Part {
                part_number: Some(p.number),
                size: i64::try_from(p.size).ok(),
                e_tag: Some(etag(&p.etag)),
                last_modified: Some(whole(p.at)),
                checksum_crc32: sums.checksum_crc32,
                checksum_crc32c: sums.checksum_crc32c,
                checksum_crc64nvme: sums.checksum_crc64nvme,
                checksum_sha1: sums.checksum_sha1,
                checksum_sha256: sums.checksum_sha256,
            }
        });
        let truncated = rest.len() > most;
        let output = dto::ListPartsOutput {
            bucket: Some(input.bucket.clone()),
            key: Some(upload.key.clone()),
            upload_id: Some(upload.id.clone()),
            is_truncated: Some(truncated),
            max_parts: i32::try_from(most).ok(),
            part_number_marker: Some(after),
            next_part_number_marker: truncated
                .then(|| rest.iter().take(most).next_back().map(|p| p.number))
                .flatten(),
            parts: Some(shown.collect()),
            checksum_algorithm: upload
                .asked
                .then(|| upload.algorithm.as_str().to_owned().into()),
            checksum_type: upload.asked.then(|| kind(upload.composite)),
            ..Default::default()
        };
        Ok(S3Response::new(output))
    }

    pub(super) fn list_uploads(
        &self,
        req: &S3Request<dto::ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<dto::ListMultipartUploadsOutput>> {
        let input = &req.input;
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, &input.bucket)?;
        let prefix = input.prefix.clone().unwrap_or_default();
        let marker = (
            input.key_marker.clone().unwrap_or_default(),
            input.upload_id_marker.clone().unwrap_or_default(),
        );
        let most = usize::try_from(input.max_uploads.unwrap_or(1_000))
            .unwrap_or(1_000)
            .min(1_000);
        let after = |u: &&Upload| {
            if marker.1.is_empty() {
                u.key > marker.0 || marker.0.is_empty()
            } else {
                (&u.key, &u.id) > (&marker.0, &marker.1)
            }
        };
        let mut uploads: Vec<&Upload> = found
            .uploads
            .values()
            .filter(|u| u.key.starts_with(&prefix))
            .filter(after)
            .collect();
        uploads.sort_by(|a, b| (&a.key, &a.id).cmp(&(&b.key, &b.id)));
        let truncated = uploads.len() > most;
        uploads.truncate(most);
        let last = uploads.last().filter(|_| truncated);
        let key = |key: &str| shown_key(key, input.encoding_type.as_ref());
        let shown = |u: &&Upload| dto::MultipartUpload {
            key: Some(key(&u.key)),
            upload_id: Some(u.id.clone()),
            initiated: Some(whole(u.initiated)),
            ..Default::default()
        };
        let output = dto::ListMultipartUploadsOutput {
            bucket: Some(input.bucket.clone()),
            prefix: input.prefix.as_deref().map(key),
            key_marker: input.key_marker.as_deref().map(key),
            encoding_type: input.encoding_type.clone(),
            upload_id_marker: input.upload_id_marker.clone(),
            is_truncated: Some(truncated),
            max_uploads: i32::try_from(most).ok(),
            next_key_marker: last.map(|u| key(&u.key)),
            next_upload_id_marker: last.map(|u| u.id.clone()),
            uploads: Some(uploads.iter().map(shown).collect()),
            ..Default::default()
        };
        Ok(S3Response::new(output))
    }
}

/// The parts that the caller lists, each with what it claims of them, in ascending order.
fn chosen(upload: &Upload, listed: &[dto::CompletedPart]) -> S3Result<Vec<Part>> {
    if listed.is_empty() {
        return Err(invalid(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published \
             schema",
        ));
    }
    let mut parts: Vec<Part> = Vec::with_capacity(listed.len());
    for (i, wanted) in listed.iter().enumerate() {
        let number = wanted.part_number.unwrap_or(0);
        if parts.last().is_some_and(|p| p.number >= number) {
            return Err(invalid(
                "InvalidPartOrder",
                "The list of parts was not in ascending order. The parts list must be specified \
                 in order by part number.",
            ));
        }
        let missing = || {
            invalid(
                "InvalidPart",
                "One or more of the specified parts could not be found. The part may not have \
                 been uploaded, or the specified entity tag may not match the part's entity tag.",
            )
        };
        let part = upload
            .parts
            .get(&number)
            .filter(|p| wanted.e_tag.as_ref().is_some_and(|e| e.value() == p.etag))
            .ok_or_else(missing)?;
        let claimed = given(
            wanted.checksum_crc32.clone(),
            wanted.checksum_crc32c.clone(),
            wanted.checksum_crc64nvme.clone(),
            wanted.checksum_sha1.clone(),
            wanted.checksum_sha256.clone(),
        );
        if Algorithm::ALL
            .into_iter()
            .any(|a| claimed.get(a).is_some_and(|c| part.sums.get(a) != Some(c)))
        {
            return Err(missing());
        }
        if part.size < MIN_PART_BYTES && i + 1 < listed.len() {
            return Err(invalid(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
            ));
        }
        parts.push(part.clone());
    }
    if parts.is_empty() {
        Err(no_such_upload())
    } else {
        Ok(parts)
    }
}

fn md5_of(parts: &[Part]) -> [u8; 16] {
    let mut md5 = Md5::new();
    parts
        .iter()
        .for_each(|p| md5.update(&hex::decode(&p.etag).unwrap_or_default()));
    md5.finalize()
}

/// The sum of the parts' sums, with their number.
fn composite(algorithm: Algorithm, parts: &[Part]) -> Option<String> {
    let mut raw = Vec::new();
    for part in parts {
        raw.extend(BASE64_STANDARD.decode(part.sums.get(algorithm)?).ok()?);
    }
    let mut summing = Summing::default();
    summing.update(&raw);
    let sums = summing.finish().sums;
    let of_raw = sums.get(algorithm)?;
    Some(format!("{of_raw}-{}", parts.len()))
}
