//! Lists of unfinished uploads and of their parts.

use super::convert::{checksum, etag, kind, shown_key, whole};
use super::model::{Part, Upload};
use super::ops::Ops;
use super::store::bucket;
use s3s::dto;
use s3s::{S3Request, S3Response, S3Result};

impl Ops {
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
