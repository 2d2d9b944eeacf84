//! Takes the source's snapshot.

use super::snapshot::{adopt, wait};
use super::{Context, Perform};
use crate::aws::Kind;
use crate::plan::{SnapshotTaken, TakeSnapshot};
use crate::report::{Code, Fail};

impl Perform for TakeSnapshot {
    async fn perform(&self, ctx: &Context<'_>) -> Result<SnapshotTaken, Fail> {
        let (id, tags) = (&self.snapshot, &self.tags);
        let endpoint = self.endpoint.as_deref();
        let rds = ctx.clients.rds(ctx.role, &self.region, endpoint).await;
        match rds.snapshot(id.as_str()).await? {
            Some(info) => adopt(&info, tags)?,
            // A crash right here leaves a tagged snapshot under the planned name, which the next
            // runner adopts.
            None => match rds
                .create_snapshot(self.cluster.as_str(), id.as_str(), tags)
                .await
            {
                Ok(_) => {}
                Err(e) if e.kind == Kind::Exists => {}
                Err(e) => return Err(e.into()),
            },
        }
        let info = wait(ctx, &rds, id, "snapshot").await?;
        adopt(&info, tags)?;
        let at = info.created.ok_or_else(|| {
            Fail::new(
                Code::SnapshotFailed,
                format!("snapshot {id} has no creation time"),
            )
        })?;
        Ok(SnapshotTaken {
            arn: info.arn,
            at,
            engine: info.engine,
            engine_version: info.engine_version,
            master_user: info.master_user,
            encrypted: info.encrypted,
            kms_key: info.kms_key,
        })
    }
}
