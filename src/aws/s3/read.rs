//! Reading objects and their locks.

use super::{Bucket, timestamp};
use crate::aws::error::{Error, Kind, classify};
use crate::policy::LockMode;
use aws_sdk_s3::types::{ChecksumMode, ObjectLockRetentionMode};
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What the store says of one version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    pub size_bytes: u64,
    pub version: Option<String>,
    pub etag: Option<String>,
    pub last_modified: Option<Timestamp>,
    pub content_type: Option<String>,
    pub metadata: BTreeMap<String, String>,
    /// Base64 of the whole object's CRC64NVME and SHA-256, where the store keeps them.
    pub crc64: Option<String>,
    pub sha256: Option<String>,
    pub lock: Option<(LockMode, Timestamp)>,
}

pub type Head = Meta;

/// An object's bytes and metadata.
#[derive(Clone, Debug)]
pub struct Got {
    pub bytes: Bytes,
    pub meta: Meta,
}

/// A lock as `GetObjectRetention` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockState {
    Until(LockMode, Timestamp),
    /// The store says that there is none.
    None,
    /// We may not look, so we do not know: a finding, never "none".
    Unknown(String),
}

pub(super) fn mode(text: &str) -> Option<LockMode> {
    match text {
        "COMPLIANCE" => Some(LockMode::Compliance),
        "GOVERNANCE" => Some(LockMode::Governance),
        _ => None,
    }
}

impl Bucket {
    /// The whole object, which must not be larger than `cap_bytes`.
    ///
    /// # Errors
    /// `NotFound`; `Integrity` where it is larger than the cap or arrives cut.
    pub async fn get(&self, key: &str, version: Option<&str>, cap_bytes: u64) -> Result<Got, Error> {
        self.get_range(key, version, None, cap_bytes).await
    }

    /// Bytes `range` (first, last), or all.
    ///
    /// # Errors
    /// As [`Bucket::get`].
    pub async fn get_range(&self, key: &str, version: Option<&str>, range: Option<(u64, u64)>, cap_bytes: u64) -> Result<Got, Error> {
        let thing = self.thing(key);
        let answer = self
            .client
            .get_object()
            .bucket(self.name.as_str())
            .key(key)
            .set_version_id(version.map(str::to_owned))
            .set_range(range.map(|(a, b)| format!("bytes={a}-{b}")))
            .send()
            .await
            .map_err(|e| classify(e, "GetObject", &thing))?;
        let length = answer.content_length().and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        if length > cap_bytes {
            return Err(Error::new(
                Kind::Integrity,
                "GetObject",
                thing,
                "TooLarge",
                format!("{length} bytes, at most {cap_bytes} are read"),
            ));
        }
        let meta = Meta {
            size_bytes: length,
            version: answer.version_id().map(str::to_owned),
            etag: answer.e_tag().map(|e| e.trim_matches('"').to_owned()),
            last_modified: answer.last_modified().map(timestamp),
            content_type: answer.content_type().map(str::to_owned),
            metadata: answer
                .metadata()
                .map(|m| m.iter().map(|(k, v)| (k.clone(), v.clone())).collect())
                .unwrap_or_default(),
            crc64: None,
            sha256: None,
            lock: lock_of(
                answer.object_lock_mode().map(|m| m.as_str()),
                answer.object_lock_retain_until_date(),
            ),
        };
        let cut = |e| Error {
            source: Some(e),
            ..Error::new(Kind::Unavailable, "GetObject", &thing, "BodyCut", String::new())
        };
        // Gathered in one buffer of the announced size: no second copy, and no more than was announced.
        let (mut body, mut bytes) = (answer.body, BytesMut::with_capacity(usize::try_from(length).unwrap_or(0)));
        while let Some(piece) = body.next().await {
            bytes.extend_from_slice(&piece.map_err(|e| cut(Box::new(e)))?);
            if bytes.len() as u64 > length {
                return Err(cut("more arrived than was announced".into()));
            }
        }
        let bytes = bytes.freeze();
        if bytes.len() as u64 != length {
            return Err(Error::new(
                Kind::Unavailable,
                "GetObject",
                thing,
                "BodyCut",
                format!("{} of {length} bytes arrived", bytes.len()),
            ));
        }
        Ok(Got { bytes, meta })
    }

    /// # Errors
    /// `NotFound`, `Denied`.
    pub async fn head(&self, key: &str, version: Option<&str>) -> Result<Head, Error> {
        let answer = self
            .client
            .head_object()
            .bucket(self.name.as_str())
            .key(key)
            .set_version_id(version.map(str::to_owned))
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await
            .map_err(|e| classify(e, "HeadObject", self.thing(key)))?;
        Ok(Meta {
            size_bytes: answer.content_length().and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
            version: answer.version_id().map(str::to_owned),
            etag: answer.e_tag().map(|e| e.trim_matches('"').to_owned()),
            last_modified: answer.last_modified().map(timestamp),
            content_type: answer.content_type().map(str::to_owned),
            metadata: answer
                .metadata()
                .map(|m| m.iter().map(|(k, v)| (k.clone(), v.clone())).collect())
                .unwrap_or_default(),
            crc64: answer.checksum_crc64_nvme().map(str::to_owned),
            sha256: answer.checksum_sha256().map(str::to_owned),
            lock: lock_of(
                answer.object_lock_mode().map(|m| m.as_str()),
                answer.object_lock_retain_until_date(),
            ),
        })
    }

    /// HEAD leaves lock fields out for a caller without the right to see them, so this asks for the lock itself.
    ///
    /// # Errors
    /// Only where the store does not answer; a refusal is [`LockState::Unknown`].
    pub async fn lock_of(&self, key: &str, version: &str) -> Result<LockState, Error> {
        let answer = self
            .client
            .get_object_retention()
            .bucket(self.name.as_str())
            .key(key)
            .version_id(version)
            .send()
            .await;
        match answer.map_err(|e| classify(e, "GetObjectRetention", self.thing(key))) {
            Ok(answer) => {
                let retention = answer.retention();
                let found = retention.and_then(|r| lock_of(r.mode().map(ObjectLockRetentionMode::as_str), r.retain_until_date()));
                Ok(found.map_or(LockState::None, |(mode, until)| LockState::Until(mode, until)))
            }
            Err(e) if e.code == "NoSuchObjectLockConfiguration" => Ok(LockState::None),
            Err(e) if e.kind.transient() || e.kind == Kind::NotFound => Err(e),
            Err(e) => Ok(LockState::Unknown(e.to_string())),
        }
    }

    /// # Errors
    /// `NotFound`, `Denied`, `Unsupported`.
    pub async fn tags(&self, key: &str, version: &str) -> Result<BTreeMap<String, String>, Error> {
        let answer = self
            .client
            .get_object_tagging()
            .bucket(self.name.as_str())
            .key(key)
            .version_id(version)
            .send()
            .await;
        let answer = answer.map_err(|e| classify(e, "GetObjectTagging", self.thing(key)))?;
        Ok(answer
            .tag_set()
            .iter()
            .map(|t| (t.key().to_owned(), t.value().to_owned()))
            .collect())
    }
}

fn lock_of(text: Option<&str>, until: Option<&aws_smithy_types::DateTime>) -> Option<(LockMode, Timestamp)> {
    Some((mode(text?)?, timestamp(until?)))
}
