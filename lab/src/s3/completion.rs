//! Making one object of parts.

use super::convert::{checksum, etag, kind};
use super::error::{error, invalid, io, no_such_upload};
use super::model::{Algorithm, Attributes, Part, Sums, Upload, Version};
use super::objects::{given, shown_id, trip};
use super::ops::Ops;
use super::receive::Summing;
use super::store::bucket;
use crate::accounts::random_text;
use base64::prelude::{BASE64_STANDARD, Engine};
use s3s::crypto::{Checksum, Md5};
use s3s::dto;
use s3s::{S3Request, S3Response, S3Result};
use std::io::{Read, Write};

/// Every part but the last (Amazon S3 user guide, "Multipart upload limits").
const MIN_PART_BYTES: u64 = 5 << 20;

impl Ops {
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
