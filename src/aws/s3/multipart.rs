//! Multipart uploads, with the lock on the upload and a checksum on each part.

use super::write::{Sum, lock_mode, sum, tagging};
use super::{Bucket, Put, PutOptions, smithy};
use crate::aws::error::{Error, classify};
use crate::model::Provider;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, ServerSideEncryption,
};
use bytes::Bytes;

/// A part that the store has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub number: i32,
    pub etag: String,
    pub crc64: Option<String>,
}

impl Bucket {
    /// Begins an upload. A crash right here leaves an upload without parts, which the next runner
    /// of the step aborts.
    ///
    /// # Errors
    /// As the service's.
    pub async fn begin_upload(&self, key: &str, options: &PutOptions) -> Result<String, Error> {
        let mut request = self
            .client
            .create_multipart_upload()
            .bucket(self.name.as_str())
            .key(key);
        if self.provider == Provider::Aws {
            request = request
                .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
                .checksum_type(ChecksumType::FullObject);
        }
        if let Some(lock) = options.lock {
            request = request
                .object_lock_mode(lock_mode(lock.mode))
                .object_lock_retain_until_date(smithy(lock.retain_until));
        }
        if let Some(key) = &self.kms_key {
            request = request
                .server_side_encryption(ServerSideEncryption::AwsKms)
                .ssekms_key_id(key.as_str());
        }
        for (name, value) in &options.metadata {
            request = request.metadata(name, value);
        }
        let request = request
            .set_content_type(options.content_type.clone())
            .set_tagging(tagging(&options.tags));
        let answer = request
            .send()
            .await
            .map_err(|e| classify(e, "CreateMultipartUpload", self.thing(key)))?;
        Ok(answer.upload_id().unwrap_or_default().to_owned())
    }

    /// # Errors
    /// `Integrity` when the bytes arrived changed.
    pub async fn upload_part(
        &self,
        key: &str,
        upload: &str,
        number: i32,
        body: Bytes,
    ) -> Result<Part, Error> {
        let request = self
            .client
            .upload_part()
            .bucket(self.name.as_str())
            .key(key)
            .upload_id(upload)
            .part_number(number);
        let (request, crc64) = match sum(self.provider, &body) {
            Sum::Crc64(crc) => (request.checksum_crc64_nvme(crc.clone()), Some(crc)),
            Sum::Md5(md5) => (request.content_md5(md5), None),
        };
        let answer = request
            .body(ByteStream::from(body))
            .send()
            .await
            .map_err(|e| classify(e, "UploadPart", self.thing(key)))?;
        Ok(Part {
            number,
            etag: answer.e_tag().unwrap_or_default().to_owned(),
            crc64,
        })
    }

    /// Makes the parts one object.
    ///
    /// # Errors
    /// `Integrity` when a part is not what was sent, `NotFound` when the upload is gone (perhaps it
    /// was completed before),
    /// `Exists` when `create_only` and the key is there: the upload then stays open.
    pub async fn complete_upload(
        &self,
        key: &str,
        upload: &str,
        parts: &[Part],
        create_only: bool,
    ) -> Result<Put, Error> {
        let one = |p: &Part| {
            CompletedPart::builder()
                .part_number(p.number)
                .e_tag(&p.etag)
                .set_checksum_crc64_nvme(p.crc64.clone())
                .build()
        };
        let completed = CompletedMultipartUpload::builder()
            .set_parts(Some(parts.iter().map(one).collect()))
            .build();
        let mut request = self
            .client
            .complete_multipart_upload()
            .bucket(self.name.as_str())
            .key(key)
            .upload_id(upload)
            .set_if_none_match(create_only.then(|| "*".to_owned()))
            .multipart_upload(completed);
        if self.provider == Provider::Aws {
            request = request.checksum_type(ChecksumType::FullObject);
        }
        let answer = request
            .send()
            .await
            .map_err(|e| classify(e, "CompleteMultipartUpload", self.thing(key)))?;
        Ok(Put {
            version: answer.version_id().map(str::to_owned),
            etag: answer.e_tag().map(str::to_owned),
            sha256: None,
        })
    }
}
