//! Writing objects. Every body is in memory with its checksums computed beforehand.

use super::{Bucket, smithy};
use crate::aws::error::{Error, Kind, classify};
use crate::model::{Lock, LockMode, Provider};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ObjectLockMode, ObjectLockRetention, ObjectLockRetentionMode,
    ServerSideEncryption,
};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use md5::Md5;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub struct PutOptions {
    /// `If-None-Match: *`
    pub create_only: bool,
    pub lock: Option<Lock>,
    pub content_type: Option<String>,
    pub metadata: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
}

/// What a write left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    pub version: Option<String>,
    pub etag: Option<String>,
    /// Base64 SHA-256 as the service computed it (server-side copies).
    pub sha256: Option<String>,
}

/// Source of a server-side copy, with its version pinned.
#[derive(Clone, Debug)]
pub struct CopyFrom<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub version: Option<&'a str>,
    pub if_match: Option<&'a str>,
}

/// Checksum headers for a body: CRC64NVME where the provider is AWS, Content-MD5 elsewhere (every
/// provider takes it).
pub(super) enum Sum {
    Crc64(String),
    Md5(String),
}

pub(super) fn sum(provider: Provider, body: &[u8]) -> Sum {
    match provider {
        Provider::Aws => Sum::Crc64(crc64_base64(body)),
        Provider::Compatible => Sum::Md5(BASE64_STANDARD.encode(Md5::digest(body))),
    }
}

/// CRC64NVME in the form of `x-amz-checksum-crc64nvme`.
pub(super) fn crc64_base64(body: &[u8]) -> String {
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, body);
    BASE64_STANDARD.encode(crc.to_be_bytes())
}

pub(super) fn sha256_base64(body: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha256::digest(body))
}

/// MD5 as an ETag shows it.
pub(super) fn md5_hex(body: &[u8]) -> String {
    hex::encode(Md5::digest(body))
}

pub(super) fn tagging(tags: &BTreeMap<String, String>) -> Option<String> {
    let encode = |t: &str| {
        percent_encoding::utf8_percent_encode(t, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    (!tags.is_empty()).then(|| {
        tags.iter()
            .map(|(k, v)| format!("{}={}", encode(k), encode(v)))
            .collect::<Vec<_>>()
            .join("&")
    })
}

impl Bucket {
    /// One object in one request (at most 5 GiB).
    ///
    /// # Errors
    /// `Exists` when `create_only` lost; `Conflict` when another write is in flight; `Unsupported`
    /// where the store has no conditional writes.
    pub async fn put(&self, key: &str, body: Bytes, options: &PutOptions) -> Result<Put, Error> {
        let mut request = self.client.put_object().bucket(self.name.as_str()).key(key);
        request = match sum(self.provider, &body) {
            Sum::Crc64(crc) => request.checksum_crc64_nvme(crc),
            Sum::Md5(md5) => request.content_md5(md5),
        };
        if options.create_only {
            request = request.if_none_match("*");
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
            .body(ByteStream::from(body))
            .send()
            .await
            .map_err(|e| classify(e, "PutObject", self.thing(key)))?;
        Ok(Put {
            version: answer.version_id().map(str::to_owned),
            etag: answer.e_tag().map(str::to_owned),
            sha256: None,
        })
    }

    /// Server-side copy of one version (at most 5 GiB); the service computes SHA-256 of what it
    /// stored.
    ///
    /// # Errors
    /// `NotFound` when the source version is gone; `Exists` when the source no longer matches, or
    /// when `create_only` and the key is there.
    pub async fn copy_from(
        &self,
        key: &str,
        from: &CopyFrom<'_>,
        lock: Option<Lock>,
        create_only: bool,
    ) -> Result<Put, Error> {
        let encode = |t: &str| percent_encoding::utf8_percent_encode(t, COPY_SOURCE).to_string();
        let mut source = format!("{}/{}", from.bucket, encode(from.key));
        if let Some(version) = from.version {
            source.push_str(&format!("?versionId={version}"));
        }
        let mut request = self
            .client
            .copy_object()
            .bucket(self.name.as_str())
            .key(key)
            .copy_source(source)
            .checksum_algorithm(ChecksumAlgorithm::Sha256);
        if let Some(lock) = lock {
            request = request
                .object_lock_mode(lock_mode(lock.mode))
                .object_lock_retain_until_date(smithy(lock.retain_until));
        }
        if let Some(key) = &self.kms_key {
            request = request
                .server_side_encryption(ServerSideEncryption::AwsKms)
                .ssekms_key_id(key.as_str());
        }
        // The service is silent while it copies, which stalled-stream protection would take for a
        // dead connection.
        let quiet = aws_sdk_s3::Config::builder().stalled_stream_protection(
            aws_sdk_s3::config::StalledStreamProtectionConfig::disabled(),
        );
        let request = request
            .set_copy_source_if_match(from.if_match.map(|e| format!("\"{e}\"")))
            .set_if_none_match(create_only.then(|| "*".to_owned()))
            .customize()
            .config_override(quiet);
        let answer = request
            .send()
            .await
            .map_err(|e| classify(e, "CopyObject", self.thing(key)))?;
        Ok(Put {
            version: answer.version_id().map(str::to_owned),
            etag: answer
                .copy_object_result()
                .and_then(|r| r.e_tag())
                .map(str::to_owned),
            sha256: answer
                .copy_object_result()
                .and_then(|r| r.checksum_sha256())
                .map(str::to_owned),
        })
    }

    /// Extends the lock of a version. There is no way in this program to shorten one, the probe's
    /// apart.
    ///
    /// # Errors
    /// `Denied` when the new end is earlier than the present one.
    pub async fn extend_lock(&self, key: &str, version: &str, lock: Lock) -> Result<(), Error> {
        self.set_retention(key, version, lock, false).await
    }

    /// Sets a lock's end as given, with or without the bypass header; for the probe's own test
    /// objects.
    ///
    /// # Errors
    /// What the store says; refusal is the wanted answer.
    pub async fn set_retention(
        &self,
        key: &str,
        version: &str,
        lock: Lock,
        bypass: bool,
    ) -> Result<(), Error> {
        let mode = match lock.mode {
            LockMode::Compliance => ObjectLockRetentionMode::Compliance,
            LockMode::Governance => ObjectLockRetentionMode::Governance,
        };
        let retention = ObjectLockRetention::builder()
            .mode(mode)
            .retain_until_date(smithy(lock.retain_until))
            .build();
        // The XML body needs a digest of its own, which the SDK adds for this call.
        let request = self
            .client
            .put_object_retention()
            .bucket(self.name.as_str())
            .key(key)
            .version_id(version)
            .retention(retention);
        let request = request.set_bypass_governance_retention(bypass.then_some(true));
        request
            .send()
            .await
            .map(|_| ())
            .map_err(|e| classify(e, "PutObjectRetention", self.thing(key)))
    }

    /// Deletes one version of a probe object or of a scratch file; the caller has checked that it
    /// is one.
    ///
    /// # Errors
    /// `Denied` while it is locked.
    pub async fn delete_version(
        &self,
        key: &str,
        version: &str,
        bypass: bool,
    ) -> Result<(), Error> {
        if !(key.starts_with("probe/") || key.starts_with("dr-drill/")) {
            return Err(Error::new(
                Kind::Denied,
                "DeleteObject",
                self.thing(key),
                "Guard",
                "only probe objects and scratch files are ever deleted",
            ));
        }
        let request = self
            .client
            .delete_object()
            .bucket(self.name.as_str())
            .key(key)
            .version_id(version);
        let request = request.set_bypass_governance_retention(bypass.then_some(true));
        request
            .send()
            .await
            .map(|_| ())
            .map_err(|e| classify(e, "DeleteObject", self.thing(key)))
    }
}

/// What must be escaped in `x-amz-copy-source`; the slash stays.
const COPY_SOURCE: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

pub(super) fn lock_mode(mode: LockMode) -> ObjectLockMode {
    match mode {
        LockMode::Compliance => ObjectLockMode::Compliance,
        LockMode::Governance => ObjectLockMode::Governance,
    }
}

/// Base64 of a SHA-256 as S3 shows it, to hex as we store it.
pub fn hex_of_base64(text: &str) -> Option<String> {
    BASE64_STANDARD
        .decode(text)
        .ok()
        .filter(|b| b.len() == Sha256::output_size())
        .map(hex::encode)
}
