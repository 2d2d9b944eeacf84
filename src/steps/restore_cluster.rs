//! Makes a cluster from a snapshot's copy.

use super::cluster::{From, make};
use super::{Context, Perform};
use crate::dump;
use crate::plan::{ClusterMade, RestoreCluster, StoredAction};
use crate::report::Fail;

impl Perform for RestoreCluster {
    async fn perform(&self, ctx: &Context<'_>) -> Result<ClusterMade, Fail> {
        readable(ctx, &self.spec.engine_version).await?;
        make(ctx, &self.spec, From::Snapshot(&self.snapshot_arn)).await
    }
}

/// Where the plan dumps what is about to be restored, a program that can read it must be there
/// before anything is made.
async fn readable(ctx: &Context<'_>, engine_version: &str) -> Result<(), Fail> {
    let mut actions = ctx.plan.steps.iter().map(|s| &s.action);
    let dumps = actions.any(|a| matches!(a, StoredAction::DumpDatabase(_)));
    match engine_version.split('.').next().map(str::parse::<u32>) {
        Some(Ok(major)) if dumps => Ok(dump::readable(major).await?),
        _ => Ok(()),
    }
}
