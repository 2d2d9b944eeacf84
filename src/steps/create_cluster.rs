//! Makes an empty scratch cluster.

use super::cluster::{From, make};
use super::{Context, Perform};
use crate::plan::{ClusterMade, CreateCluster};
use crate::report::Fail;

impl Perform for CreateCluster {
    async fn perform(&self, ctx: &Context<'_>) -> Result<ClusterMade, Fail> {
        make(ctx, &self.spec, From::Nothing).await
    }
}
