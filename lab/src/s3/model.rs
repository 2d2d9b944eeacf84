//! What the store keeps of buckets, versions and uploads; written as JSON beside the bytes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Base64 checksums by algorithm; those that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sums {
    pub crc32: Option<String>,
    pub crc32c: Option<String>,
    pub crc64nvme: Option<String>,
    pub sha1: Option<String>,
    pub sha256: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    Crc32,
    Crc32c,
    Crc64nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub const ALL: [Algorithm; 5] = [
        Algorithm::Crc32,
        Algorithm::Crc32c,
        Algorithm::Crc64nvme,
        Algorithm::Sha1,
        Algorithm::Sha256,
    ];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|a| a.as_str().eq_ignore_ascii_case(text))
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "CRC32",
            Algorithm::Crc32c => "CRC32C",
            Algorithm::Crc64nvme => "CRC64NVME",
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
        }
    }
}

impl Sums {
    pub fn get(&self, algorithm: Algorithm) -> Option<&String> {
        match algorithm {
            Algorithm::Crc32 => self.crc32.as_ref(),
            Algorithm::Crc32c => self.crc32c.as_ref(),
            Algorithm::Crc64nvme => self.crc64nvme.as_ref(),
            Algorithm::Sha1 => self.sha1.as_ref(),
            Algorithm::Sha256 => self.sha256.as_ref(),
        }
    }

    pub fn set(&mut self, algorithm: Algorithm, value: Option<String>) {
        *match algorithm {
            Algorithm::Crc32 => &mut self.crc32,
            Algorithm::Crc32c => &mut self.crc32c,
            Algorithm::Crc64nvme => &mut self.crc64nvme,
            Algorithm::Sha1 => &mut self.sha1,
            Algorithm::Sha256 => &mut self.sha256,
        } = value;
    }

    /// Only one of them.
    pub fn only(&self, algorithm: Algorithm) -> Self {
        let mut one = Self::default();
        one.set(algorithm, self.get(algorithm).cloned());
        one
    }

    pub fn first(&self) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|a| self.get(*a).is_some())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    Governance,
    Compliance,
}

impl Mode {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "GOVERNANCE" => Some(Mode::Governance),
            "COMPLIANCE" => Some(Mode::Compliance),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Governance => "GOVERNANCE",
            Mode::Compliance => "COMPLIANCE",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    pub mode: Mode,
    pub until: Timestamp,
}

/// What a writer says about an object beside its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attributes {
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub content_disposition: Option<String>,
    pub content_language: Option<String>,
    pub cache_control: Option<String>,
    pub metadata: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub retention: Option<Retention>,
    pub legal_hold: bool,
    pub sse: Option<String>,
    pub kms_key: Option<String>,
    pub storage_class: Option<String>,
}

impl Attributes {
    /// As listings name it.
    pub fn shown_class(&self) -> String {
        self.storage_class
            .clone()
            .unwrap_or_else(|| "STANDARD".into())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub number: i32,
    pub size: u64,
    pub etag: String,
    pub sums: Sums,
    /// File of its bytes while the upload lasts.
    #[serde(default)]
    pub data: String,
    pub at: Timestamp,
}

/// One version of a key, or a delete marker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub key: String,
    pub id: String,
    /// Order of creation in its bucket.
    pub seq: u64,
    pub marker: bool,
    pub size: u64,
    pub etag: String,
    pub at: Timestamp,
    /// File of its bytes; empty for a marker.
    pub data: String,
    pub sums: Sums,
    pub composite: bool,
    #[serde(default)]
    pub parts: Vec<Part>,
    #[serde(default)]
    pub restored: bool,
    #[serde(flatten)]
    pub attributes: Attributes,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    pub id: String,
    pub key: String,
    pub initiated: Timestamp,
    pub algorithm: Algorithm,
    /// The checksum was asked for, not ours by default.
    pub asked: bool,
    pub composite: bool,
    pub parts: BTreeMap<i32, Part>,
    #[serde(flatten)]
    pub attributes: Attributes,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    #[default]
    Never,
    Enabled,
    Suspended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultRetention {
    pub mode: Mode,
    pub days: Option<i32>,
    pub years: Option<i32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BucketMeta {
    pub name: String,
    pub account: String,
    pub created: Timestamp,
    pub versioning: Versioning,
    pub object_lock: bool,
    pub default_retention: Option<DefaultRetention>,
    pub policy: Option<String>,
    /// Configurations that are stored and read back, as XML: `encryption`, `lifecycle`,
    /// `inventory/<id>`, …
    pub configurations: BTreeMap<String, String>,
}

impl Version {
    /// An empty version that has no id yet; the store gives it one.
    pub fn new(key: &str, at: Timestamp) -> Self {
        Self {
            key: key.into(),
            id: String::new(),
            seq: 0,
            marker: false,
            size: 0,
            etag: String::new(),
            at,
            data: String::new(),
            sums: Sums::default(),
            composite: false,
            parts: Vec::new(),
            restored: false,
            attributes: Attributes::default(),
        }
    }
}
