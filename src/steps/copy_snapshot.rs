//! Copies the snapshot into a target's region, under that region's key.

use super::snapshot::{adopt, share_until_seen, wait};
use super::{Context, Perform};
use crate::aws::Kind;
use crate::manifest::SnapshotState;
use crate::plan::{CopySnapshot, SnapshotCopied};
use crate::report::Fail;

impl Perform for CopySnapshot {
    async fn perform(&self, ctx: &Context<'_>) -> Result<SnapshotCopied, Fail> {
        let (copy, tags) = (&self.copy, &self.tags);
        let endpoint = self.endpoint.as_deref();
        let rds = ctx.clients.rds(ctx.role, &self.region, endpoint).await;
        match rds.snapshot(copy.as_str()).await? {
            Some(info) => adopt(&info, tags)?,
            None => {
                // The service refuses a key for a snapshot that is not encrypted.
                let encrypted = ctx.output(&self.taken)?.encrypted;
                let key = encrypted.then_some(self.kms_key.as_str());
                // A crash right here leaves a tagged copy under the planned name, which the next
                // runner adopts.
                match rds
                    .copy_snapshot(&self.source_arn, copy.as_str(), key, tags)
                    .await
                {
                    Ok(_) => {}
                    Err(e) if e.kind == Kind::Exists => {}
                    Err(e) => return Err(e.into()),
                }
            }
        }
        let info = wait(ctx, &rds, copy, "snapshot copy").await?;
        adopt(&info, tags)?;
        if !self.share_with.is_empty() {
            share_until_seen(&rds, copy, &self.share_with).await?;
        }
        Ok(SnapshotCopied {
            state: SnapshotState {
                arn: info.arn,
                kms_key: info.kms_key,
                encrypted: info.encrypted,
                immutable: false,
            },
        })
    }
}
