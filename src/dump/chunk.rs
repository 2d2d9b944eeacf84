//! One stored object of a dump: a zstd stream that becomes a put, or a multipart upload once it
//! outgrows a part. Compressing, digests and uploads go on beside the reading of what comes next.

use super::DumpError;
use super::aside::Aside;
use crate::aws;
use crate::aws::s3::{Bucket, Part, PutOptions};
use crate::manifest::{ChunkRow, TableDigest};
use crate::model::{Lock, ObjectKey, Sha256, VersionId};
use crate::transfer::{Content, Sent, complete_once, put_once};
use crate::vault::Vault;
use bytes::Bytes;
use sha2::Digest;
use std::io::Write;
use tokio::task::JoinSet;

/// Level 1: higher ones cost more time and, on rows, give larger output.
const LEVEL: i32 = 1;

/// What comes out of rows.
struct Press {
    encoder: zstd::Encoder<'static, Vec<u8>>,
    /// Of the lines that came in.
    digest: TableDigest,
    /// Of the parts that went out.
    sha: sha2::Sha256,
    part_size: usize,
    part: Option<Bytes>,
    failed: Option<std::io::Error>,
}

impl Press {
    fn take(&mut self, lines: &[u8]) {
        self.digest.add_lines(lines);
        if let Err(e) = self.encoder.write_all(lines) {
            self.failed.get_or_insert(e);
        }
        if self.encoder.get_ref().len() >= self.part_size {
            let part = std::mem::take(self.encoder.get_mut());
            self.sha.update(&part);
            self.part = Some(part.into());
        }
    }
}

pub(super) struct ChunkWriter {
    press: Aside<Press>,
    /// What waits to become a part.
    rest_bytes: u64,
    out: Out,
}

/// What was sent of an object.
struct Out {
    bucket: Bucket,
    key: String,
    lock: Lock,
    parts_bytes: u64,
    upload: Option<(String, Vec<Part>)>,
    /// The newest part; it ends with the writer.
    uploading: JoinSet<Result<Part, aws::Error>>,
}

impl ChunkWriter {
    pub(super) fn new(
        vault: &Vault,
        key: String,
        lock: Lock,
        part_size_bytes: u64,
    ) -> Result<Self, DumpError> {
        let encoder = zstd::Encoder::new(Vec::new(), LEVEL)
            .map_err(|e| DumpError::Compression(key.clone(), e))?;
        let press = Press {
            encoder,
            digest: TableDigest::default(),
            sha: sha2::Sha256::new(),
            part_size: usize::try_from(part_size_bytes).unwrap_or(8 << 20),
            part: None,
            failed: None,
        };
        Ok(Self {
            press: Aside::new(press, Press::take),
            rest_bytes: 0,
            out: Out {
                bucket: vault.bucket.clone(),
                key,
                lock,
                parts_bytes: 0,
                upload: None,
                uploading: JoinSet::new(),
            },
        })
    }

    /// So far, compressed, but for what is being worked on.
    pub(super) fn size_bytes(&self) -> u64 {
        self.out.parts_bytes + self.rest_bytes
    }

    pub(super) async fn write(&mut self, lines: Bytes) -> Result<(), DumpError> {
        match self.press.add(lines) {
            true => self.press_on().await,
            false => Ok(()),
        }
    }

    /// Sends the part that is ready while the next lines are pressed.
    async fn press_on(&mut self) -> Result<(), DumpError> {
        let press = self.press.settled().await?;
        self.rest_bytes = press.encoder.get_ref().len() as u64;
        if let Some(e) = press.failed.take() {
            return Err(DumpError::Compression(self.out.key.clone(), e));
        }
        let part = press.part.take();
        self.press.hand_over().await?;
        match part {
            Some(part) => self.out.send(part).await,
            None => Ok(()),
        }
    }

    /// Nothing is put. What was sent of it the vault keeps no longer.
    pub(super) async fn abandon(mut self) -> Result<(), DumpError> {
        self.out.uploading.shutdown().await;
        if self.out.upload.is_some() {
            self.out.bucket.abort_uploads_at(&self.out.key).await?;
        }
        Ok(())
    }

    /// What was put, and the digest of the lines in it.
    pub(super) async fn finish(mut self) -> Result<(ChunkRow, TableDigest), DumpError> {
        // What was added last, and then what comes of it.
        self.press_on().await?;
        self.press_on().await?;
        let (mut press, mut out) = (self.press.end().await?, self.out);
        let rest = press.encoder.finish();
        let rest = rest.map_err(|e| DumpError::Compression(out.key.clone(), e))?;
        press.sha.update(&rest);
        let sha256 = hex::encode(press.sha.finalize());
        Ok((out.end(rest.into(), sha256).await?, press.digest))
    }
}

impl Out {
    fn options(&self) -> PutOptions {
        PutOptions {
            lock: Some(self.lock),
            content_type: Some("application/zstd".into()),
            ..Default::default()
        }
    }

    async fn send(&mut self, body: Bytes) -> Result<(), DumpError> {
        self.parts_bytes += body.len() as u64;
        if self.upload.is_none() {
            // A killed runner of this step may have begun the same key; ours starts over.
            self.bucket.abort_uploads_at(&self.key).await?;
            let id = self.bucket.begin_upload(&self.key, &self.options()).await?;
            self.upload = Some((id, Vec::new()));
        }
        // One part at a time: of each stream no more are in memory.
        self.uploaded().await?;
        if let Some((id, parts)) = &self.upload {
            let number = i32::try_from(parts.len() + 1).unwrap_or(i32::MAX);
            let (bucket, key, id) = (self.bucket.clone(), self.key.clone(), id.clone());
            self.uploading
                .spawn(async move { bucket.upload_part(&key, &id, number, body).await });
        }
        Ok(())
    }

    async fn uploaded(&mut self) -> Result<(), DumpError> {
        while let Some(ended) = self.uploading.join_next().await {
            let part = ended.map_err(|_| DumpError::Aside)??;
            if let Some((_, parts)) = &mut self.upload {
                parts.push(part);
            }
        }
        Ok(())
    }

    async fn end(&mut self, rest: Bytes, sha256: String) -> Result<ChunkRow, DumpError> {
        let size_bytes = self.parts_bytes + rest.len() as u64;
        let put = if self.upload.is_some() {
            if !rest.is_empty() {
                self.send(rest).await?;
            }
            self.uploaded().await?;
            let (id, parts) = self.upload.take().unwrap_or_default();
            let content = Content {
                size_bytes,
                sha256: &sha256,
            };
            let sent = Sent {
                upload: &id,
                parts: &parts,
            };
            complete_once(&self.bucket, &self.key, sent, Some(self.lock), content).await?
        } else {
            put_once(&self.bucket, &self.key, rest, &self.options(), &sha256).await?
        };
        Ok(ChunkRow {
            key: ObjectKey::new(self.key.clone()),
            version: put.version.map_or_else(VersionId::null, VersionId::new),
            size_bytes,
            sha256: Sha256(sha256),
        })
    }
}
