//! One stored object of a dump: a zstd stream that becomes a put, or a multipart upload once it
//! outgrows a part.

use super::DumpError;
use crate::aws::s3::{Part, PutOptions};
use crate::manifest::ChunkRow;
use crate::model::{Lock, ObjectKey, Sha256, VersionId};
use crate::transfer::{Content, Sent, complete_once, put_once};
use crate::vault::Vault;
use bytes::Bytes;
use sha2::Digest;
use std::io::Write;

/// Level 1: higher ones cost more time and, on rows, give larger output.
const LEVEL: i32 = 1;

pub(super) struct ChunkWriter<'a> {
    vault: &'a Vault,
    key: String,
    lock: Lock,
    part_size: usize,
    encoder: zstd::Encoder<'static, Vec<u8>>,
    sha: sha2::Sha256,
    size_bytes: u64,
    upload: Option<(String, Vec<Part>)>,
}

impl<'a> ChunkWriter<'a> {
    pub(super) fn new(
        vault: &'a Vault,
        key: String,
        lock: Lock,
        part_size_bytes: u64,
    ) -> Result<Self, DumpError> {
        let encoder = zstd::Encoder::new(Vec::new(), LEVEL)
            .map_err(|e| DumpError::Compression(key.clone(), e))?;
        let part_size = usize::try_from(part_size_bytes).unwrap_or(8 << 20);
        Ok(Self {
            vault,
            key,
            lock,
            part_size,
            encoder,
            sha: sha2::Sha256::new(),
            size_bytes: 0,
            upload: None,
        })
    }

    fn options(&self) -> PutOptions {
        PutOptions {
            lock: Some(self.lock),
            content_type: Some("application/zstd".into()),
            ..Default::default()
        }
    }

    /// So far, compressed.
    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes + self.encoder.get_ref().len() as u64
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), DumpError> {
        self.encoder
            .write_all(bytes)
            .map_err(|e| DumpError::Compression(self.key.clone(), e))?;
        if self.encoder.get_ref().len() >= self.part_size {
            let part = std::mem::take(self.encoder.get_mut());
            self.send_part(part.into()).await?;
        }
        Ok(())
    }

    async fn send_part(&mut self, body: Bytes) -> Result<(), DumpError> {
        self.sha.update(&body);
        self.size_bytes += body.len() as u64;
        if self.upload.is_none() {
            // A killed runner of this step may have begun the same key; ours starts over.
            self.vault.bucket.abort_uploads_at(&self.key).await?;
            let id = self
                .vault
                .bucket
                .begin_upload(&self.key, &self.options())
                .await?;
            self.upload = Some((id, Vec::new()));
        }
        if let Some((id, parts)) = &mut self.upload {
            let number = i32::try_from(parts.len() + 1).unwrap_or(i32::MAX);
            parts.push(
                self.vault
                    .bucket
                    .upload_part(&self.key, id, number, body)
                    .await?,
            );
        }
        Ok(())
    }

    pub(super) async fn finish(mut self) -> Result<ChunkRow, DumpError> {
        let encoder = std::mem::replace(
            &mut self.encoder,
            zstd::Encoder::new(Vec::new(), LEVEL)
                .map_err(|e| DumpError::Compression(self.key.clone(), e))?,
        );
        let rest = encoder
            .finish()
            .map_err(|e| DumpError::Compression(self.key.clone(), e))?;
        let put = if self.upload.is_some() {
            if !rest.is_empty() {
                self.send_part(rest.into()).await?;
            }
            let (id, parts) = self.upload.take().unwrap_or_default();
            let sha256 = hex::encode(self.sha.clone().finalize());
            let content = Content {
                size_bytes: self.size_bytes,
                sha256: &sha256,
            };
            let sent = Sent {
                upload: &id,
                parts: &parts,
            };
            let lock = Some(self.lock);
            complete_once(&self.vault.bucket, &self.key, sent, lock, content).await?
        } else {
            self.sha.update(&rest);
            self.size_bytes = rest.len() as u64;
            let (options, sha256) = (self.options(), hex::encode(self.sha.clone().finalize()));
            put_once(
                &self.vault.bucket,
                &self.key,
                rest.into(),
                &options,
                &sha256,
            )
            .await?
        };
        Ok(ChunkRow {
            key: ObjectKey::new(self.key),
            version: put.version.map_or_else(VersionId::null, VersionId::new),
            size_bytes: self.size_bytes,
            sha256: Sha256(hex::encode(self.sha.finalize())),
        })
    }
}
