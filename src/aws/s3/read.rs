//! Reading objects.

use super::locks::lock_of;
use super::{Bucket, timestamp};
use crate::aws::error::{Error, Kind, classify};
use crate::model::{LockMode, Provider};
use aws_sdk_s3::types::ChecksumMode;
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A call's timeout is meant for so many bytes of a body at most; larger ones have as many times
/// longer.
const BYTES_PER_CALL: u64 = 16 << 20;

/// What both answers say of a version: types of the SDK that have nothing else in common. A part of
/// an object has no checksum of the whole.
macro_rules! meta {
    ($answer:expr, $size_bytes:expr) => {
        Meta {
            size_bytes: $size_bytes,
            version: $answer.version_id().map(str::to_owned),
            etag: $answer.e_tag().map(|e| e.trim_matches('"').to_owned()),
            last_modified: $answer.last_modified().map(timestamp),
            content_type: $answer.content_type().map(str::to_owned),
            metadata: $answer
                .metadata()
                .map(|m| m.iter().map(|(k, v)| (k.clone(), v.clone())).collect())
                .unwrap_or_default(),
            crc64: None,
            sha256: None,
            lock: lock_of(
                $answer.object_lock_mode().map(|m| m.as_str()),
                $answer.object_lock_retain_until_date(),
            ),
        }
    };
}

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

impl Bucket {
    /// The whole object, which must not be larger than `cap_bytes`.
    ///
    /// # Errors
    /// `NotFound`; `Integrity` where it is larger than the cap, or where the store has it and does
    /// not deliver it whole.
    pub async fn get(
        &self,
        key: &str,
        version: Option<&str>,
        cap_bytes: u64,
    ) -> Result<Got, Error> {
        self.get_range(key, version, None, cap_bytes).await
    }

    /// Bytes `range` (first, last), or all.
    ///
    /// # Errors
    /// As [`Bucket::get`].
    pub async fn get_range(
        &self,
        key: &str,
        version: Option<&str>,
        range: Option<(u64, u64)>,
        cap_bytes: u64,
    ) -> Result<Got, Error> {
        let mut head_answered = false;
        loop {
            let why = match self.body_of(key, version, range, cap_bytes).await {
                Ok(Got { bytes, meta }) if bytes.len() as u64 == meta.size_bytes => {
                    return Ok(Got { bytes, meta });
                }
                Ok(Got { bytes, meta }) => Error::new(
                    Kind::Unavailable,
                    "GetObject",
                    self.thing(key),
                    "BodyCut",
                    format!("{} of {} bytes arrived", bytes.len(), meta.size_bytes),
                ),
                Err(e) if e.code == "NoConnection" => e,
                Err(e) => return Err(e),
            };
            if head_answered {
                let why = format!(
                    "the store has it, and twice did not deliver it whole: {}",
                    why.full()
                );
                return Err(Error::new(
                    Kind::Integrity,
                    "GetObject",
                    self.thing(key),
                    "Undelivered",
                    why,
                ));
            }
            // The way to the store, or this object? A store that answers for it is there.
            if self.head(key, version).await.is_err() {
                return Err(why);
            }
            head_answered = true;
        }
    }

    /// What arrives of a body; it may be cut.
    async fn body_of(
        &self,
        key: &str,
        version: Option<&str>,
        range: Option<(u64, u64)>,
        cap_bytes: u64,
    ) -> Result<Got, Error> {
        let thing = self.thing(key);
        let request = self
            .client
            .get_object()
            .bucket(self.name.as_str())
            .key(key)
            .set_version_id(version.map(str::to_owned));
        let mut answer = request
            .set_range(range.map(|(a, b)| format!("bytes={a}-{b}")))
            .send()
            .await
            .map_err(|e| classify(e, "GetObject", &thing))?;
        let length = answer
            .content_length()
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(0);
        if length > cap_bytes {
            return Err(Error::new(
                Kind::Integrity,
                "GetObject",
                thing,
                "TooLarge",
                format!("{length} bytes, at most {cap_bytes} are read"),
            ));
        }
        let mut bytes = BytesMut::with_capacity(usize::try_from(length).unwrap_or(0));
        let reading = async {
            // In one buffer of the announced size, and no more than was announced.
            while let (true, Some(Ok(piece))) =
                (bytes.len() as u64 <= length, answer.body.next().await)
            {
                bytes.extend_from_slice(&piece);
            }
        };
        // The SDK's timeouts end with the headers; a body that trickles would hold a run until its
        // deadline.
        let within = self.settings.tuning.call.as_duration()
            * u32::try_from(length.div_ceil(BYTES_PER_CALL).max(1)).unwrap_or(u32::MAX);
        if tokio::time::timeout(within, reading).await.is_err() {
            let why = format!(
                "{} of {length} bytes came in {} s",
                bytes.len(),
                within.as_secs()
            );
            return Err(Error::new(
                Kind::Unavailable,
                "GetObject",
                thing,
                "Timeout",
                why,
            ));
        }
        let meta = meta!(answer, length);
        Ok(Got {
            bytes: bytes.freeze(),
            meta,
        })
    }

    /// A whole version, its bytes compared with the checksum that the store keeps of it: CRC64NVME
    /// or SHA-256, elsewhere the MD5 that is its ETag.
    ///
    /// # Errors
    /// As [`Bucket::get`]; `Integrity` where they differ.
    pub async fn get_checked(
        &self,
        key: &str,
        version: &str,
        cap_bytes: u64,
    ) -> Result<Got, Error> {
        let wrong = |why: String| {
            Error::new(
                Kind::Integrity,
                "GetObject",
                self.thing(key),
                "ChecksumMismatch",
                why,
            )
        };
        let head = self.head(key, Some(version)).await?;
        let got = self.get(key, Some(version), cap_bytes).await?;
        let md5 = head
            .etag
            .filter(|e| self.provider == Provider::Compatible && e.len() == 32 && !e.contains('-'));
        let pairs = [
            (
                "CRC64NVME",
                head.crc64,
                super::write::crc64_base64 as fn(&[u8]) -> String,
            ),
            (
                "SHA-256",
                head.sha256.filter(|s| !s.contains('-')),
                super::write::sha256_base64,
            ),
            ("MD5", md5, super::write::md5_hex),
        ];
        for (name, wanted, of) in pairs {
            let found = of(&got.bytes);
            if wanted.as_ref().is_some_and(|w| *w != found) {
                return Err(wrong(format!(
                    "its {name} is {found}, the store recorded {}",
                    wanted.unwrap_or_default()
                )));
            }
        }
        Ok(got)
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
        let size_bytes = answer.content_length().and_then(|n| u64::try_from(n).ok());
        Ok(Meta {
            crc64: answer.checksum_crc64_nvme().map(str::to_owned),
            sha256: answer.checksum_sha256().map(str::to_owned),
            ..meta!(answer, size_bytes.unwrap_or(0))
        })
    }
}
