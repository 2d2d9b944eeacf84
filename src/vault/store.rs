//! Create-only writes and whole reads of our own documents.

use crate::aws::s3::{Bucket, Listed, Put, PutOptions};
use crate::aws::{Error, Kind};
use crate::manifest::{Document, FormatError, MAX_DOCUMENT_BYTES};
use crate::model::{Lock, TargetName};
use crate::report::{Code, Fail};
use bytes::Bytes;

/// Why a vault could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error(transparent)]
    Store(#[from] Error),
    #[error("{key} at {target} is damaged: {why}")]
    Damaged {
        target: TargetName,
        key: String,
        why: String,
    },
    #[error("{key} at {target} cannot be read")]
    Format {
        target: TargetName,
        key: String,
        #[source]
        source: FormatError,
    },
    /// Someone else wrote other bytes under this name first.
    #[error("{key} at {target} exists already with other content")]
    Taken { target: TargetName, key: String },
}

impl VaultError {
    pub fn not_found(&self) -> bool {
        matches!(self, VaultError::Store(e) if e.kind == Kind::NotFound)
    }
    /// Written by another version of this program: waiting will not cure it, and nothing is
    /// damaged.
    pub fn unknown_version(&self) -> bool {
        matches!(
            self,
            VaultError::Format {
                source: FormatError::Version { .. },
                ..
            }
        )
    }
    pub fn transient(&self) -> bool {
        matches!(self, VaultError::Store(e) if e.kind.transient())
    }
}

impl From<VaultError> for Fail {
    fn from(e: VaultError) -> Self {
        let code = match &e {
            VaultError::Store(_) => None,
            VaultError::Taken { .. } => Some(Code::NameTaken),
            VaultError::Format { source, .. } => Some(source.code()),
            VaultError::Damaged { .. } => Some(Code::Damaged),
        };
        match (code, e) {
            (None, VaultError::Store(e)) => e.into(),
            (code, e) => Fail::caused(code.unwrap_or(Code::Damaged), e),
        }
    }
}

/// One target's bucket as one role sees it.
#[derive(Clone)]
pub struct Vault {
    pub bucket: Bucket,
    pub target: TargetName,
}

impl Vault {
    /// Writes a document that must not exist with other bytes. Done twice with the same bytes it is
    /// done once.
    ///
    /// Where no probe saw conditional writes decide, versions are compared instead, whatever the
    /// store would answer: equal duplicates are tolerated, the oldest counts.
    ///
    /// # Errors
    /// [`VaultError::Taken`] where other bytes are there; the store's errors.
    pub async fn create(
        &self,
        key: &str,
        body: Bytes,
        lock: Option<Lock>,
    ) -> Result<String, VaultError> {
        if !super::create::decides(&self.bucket).await? {
            return self.create_by_comparing(key, body, lock).await;
        }
        let options = PutOptions {
            create_only: true,
            lock,
            content_type: Some(content_type(key).into()),
            ..Default::default()
        };
        match self.bucket.put(key, body.clone(), &options).await {
            Ok(put) => Ok(version_of(&put)),
            Err(e) if e.kind == Kind::Exists => self.same_or_taken(key, &body).await,
            Err(e) if e.kind == Kind::Unsupported => {
                self.bucket.note_conditional(false).await;
                self.create_by_comparing(key, body, lock).await
            }
            // No answer: it may have been written. Observe before saying that it failed.
            Err(e) if e.kind.transient() => match self.oldest(key).await {
                Ok((stored, version)) if stored == body => Ok(version),
                _ => Err(e.into()),
            },
            Err(e) => Err(e.into()),
        }
    }

    async fn same_or_taken(&self, key: &str, body: &Bytes) -> Result<String, VaultError> {
        let (stored, version) = self.oldest(key).await?;
        if stored == *body {
            Ok(version)
        } else {
            Err(VaultError::Taken {
                target: self.target.clone(),
                key: key.into(),
            })
        }
    }

    async fn create_by_comparing(
        &self,
        key: &str,
        body: Bytes,
        lock: Option<Lock>,
    ) -> Result<String, VaultError> {
        match self.oldest(key).await {
            Ok((stored, version)) if stored == body => return Ok(version),
            Ok(_) => {
                return Err(VaultError::Taken {
                    target: self.target.clone(),
                    key: key.into(),
                });
            }
            Err(e) if e.not_found() => {}
            Err(e) => return Err(e),
        }
        // A crash right here, or a second writer, leaves two versions with equal bytes; the oldest
        // counts.
        let options = PutOptions {
            lock,
            content_type: Some(content_type(key).into()),
            ..Default::default()
        };
        self.bucket.put(key, body.clone(), &options).await?;
        self.same_or_taken(key, &body).await
    }

    /// Versions of exactly this key, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn versions_of(&self, key: &str) -> Result<Vec<Listed>, VaultError> {
        let mut rows = self.bucket.versions_of(key).await?;
        rows.reverse();
        Ok(rows)
    }

    /// Whether a key is there: under a delete marker it is there all the same.
    ///
    /// # Errors
    /// The store's.
    pub async fn holds(&self, key: &str) -> Result<bool, VaultError> {
        let versions = self.versions_of(key).await?;
        Ok(versions.iter().any(|v| !v.delete_marker))
    }

    /// Bytes and version id of the oldest version: what was created, whatever was put over it
    /// since.
    ///
    /// # Errors
    /// `NotFound`; the store's.
    pub async fn oldest(&self, key: &str) -> Result<(Bytes, String), VaultError> {
        self.oldest_within(key, MAX_DOCUMENT_BYTES).await
    }

    /// As [`Vault::oldest`], of something that may be larger than a document.
    ///
    /// # Errors
    /// As [`Vault::oldest`]; also where it has more bytes.
    pub async fn oldest_within(
        &self,
        key: &str,
        most_bytes: u64,
    ) -> Result<(Bytes, String), VaultError> {
        let versions = self.versions_of(key).await?;
        let Some(first) = versions.iter().find(|v| !v.delete_marker) else {
            return Err(Error::new(
                Kind::NotFound,
                "ListObjectVersions",
                self.bucket.thing(key),
                "NoSuchKey",
                "no version of it exists",
            )
            .into());
        };
        let got = self
            .bucket
            .get(key, Some(&first.version), most_bytes)
            .await?;
        Ok((got.bytes, first.version.clone()))
    }

    /// A document by the all-versions rule.
    ///
    /// # Errors
    /// `NotFound`; not a document of this kind.
    pub async fn read<D: Document>(&self, key: &str) -> Result<D, VaultError> {
        let (bytes, _) = self.oldest(key).await?;
        D::from_bytes(&bytes).map_err(|source| VaultError::Format {
            target: self.target.clone(),
            key: key.into(),
            source,
        })
    }

    /// A document at the version that a listing showed.
    ///
    /// # Errors
    /// The store's; not a document of this kind.
    pub async fn read_version<D: Document>(&self, row: &Listed) -> Result<D, VaultError> {
        let got = self
            .bucket
            .get(&row.key, Some(&row.version), MAX_DOCUMENT_BYTES)
            .await?;
        D::from_bytes(&got.bytes).map_err(|source| VaultError::Format {
            target: self.target.clone(),
            key: row.key.clone(),
            source,
        })
    }

    /// As [`Vault::read`]; absence is `None`.
    ///
    /// # Errors
    /// As [`Vault::read`].
    pub async fn find<D: Document>(&self, key: &str) -> Result<Option<D>, VaultError> {
        match self.read(key).await {
            Ok(document) => Ok(Some(document)),
            Err(e) if e.not_found() => Ok(None),
            Err(e) => Err(e),
        }
    }

    pub fn damaged(&self, key: &str, why: impl Into<String>) -> VaultError {
        VaultError::Damaged {
            target: self.target.clone(),
            key: key.into(),
            why: why.into(),
        }
    }

    /// The store's clock, asked now.
    ///
    /// # Errors
    /// The store did not answer at all.
    pub async fn now(&self) -> Result<jiff::Timestamp, VaultError> {
        match self.bucket.head("vault.json", None).await {
            Ok(_) => {}
            Err(e) if self.bucket.clock.last().is_some() && !e.kind.transient() => {}
            Err(e) => return Err(e.into()),
        }
        self.bucket
            .clock
            .last()
            .ok_or_else(|| self.damaged("", "the store's answers carry no Date"))
    }
}

fn version_of(put: &Put) -> String {
    put.version.clone().unwrap_or_else(|| "null".into())
}

fn content_type(key: &str) -> &'static str {
    match key.rsplit_once('.').map(|(_, e)| e) {
        Some("json") => "application/json",
        Some("yaml") => "application/yaml",
        Some("zst") => "application/zstd",
        _ => "application/json",
    }
}
