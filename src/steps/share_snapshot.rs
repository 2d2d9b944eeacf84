//! Shares the snapshot with the accounts of the vaults.

use super::snapshot::share_until_seen;
use super::{Context, Perform};
use crate::plan::{ShareSnapshot, SnapshotShared};
use crate::report::Fail;

impl Perform for ShareSnapshot {
    async fn perform(&self, ctx: &Context<'_>) -> Result<SnapshotShared, Fail> {
        let endpoint = self.endpoint.as_deref();
        let rds = ctx.clients.rds(ctx.role, &self.region, endpoint).await;
        Ok(SnapshotShared {
            with: share_until_seen(&rds, &self.snapshot, &self.with).await?,
        })
    }
}
