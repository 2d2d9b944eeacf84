//! Makes an empty scratch cluster, for a dump to be loaded into.

use super::cluster::{From, make};
use super::{Context, Perform};
use crate::database::Postgres;
use crate::dump;
use crate::plan::{ClusterMade, CreateCluster};
use crate::report::Fail;

impl Perform for CreateCluster {
    async fn perform(&self, ctx: &Context<'_>) -> Result<ClusterMade, Fail> {
        // No cluster for a dump that no program here can take; a restored snapshot is proven all
        // the same.
        if let Some(major) = major(&self.spec.engine_version) {
            dump::readable::<Postgres>(major).await?;
        }
        make(ctx, &self.spec, From::Nothing).await
    }
}

/// `16` of `16.6`
fn major(engine_version: &str) -> Option<u32> {
    engine_version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_major_version_is_what_stands_before_the_first_dot() {
        assert_eq!(
            (major("16.6"), major("15"), major("x.1")),
            (Some(16), Some(15), None)
        );
    }
}
