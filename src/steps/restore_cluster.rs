//! Makes a cluster from a snapshot's copy.

use super::cluster::{From, make};
use super::{Context, Perform};
use crate::plan::{ClusterMade, RestoreCluster};
use crate::report::Fail;

impl Perform for RestoreCluster {
    async fn perform(&self, ctx: &Context<'_>) -> Result<ClusterMade, Fail> {
        make(ctx, &self.spec, From::Snapshot(&self.snapshot_arn)).await
    }
}
