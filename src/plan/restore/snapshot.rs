//! A cluster out of a snapshot's copy.

use super::checked::check;
use super::input::{RestoreInput, RestoreInto, Unavailable};
use crate::manifest::CapturedCluster;
use crate::model::{ClusterId, Role};
use crate::plan::names::{self, Tagged, first};
use crate::plan::step::Steps;
use crate::plan::{ClusterSpec, RestoreCluster, Restored};
use crate::policy::ClusterShape;

pub(in crate::plan) fn steps(
    input: &RestoreInput<'_>,
    steps: &mut Steps,
) -> Result<(), Unavailable> {
    let RestoreInto::Cluster {
        id,
        shape,
        rds_endpoint,
    } = &input.into
    else {
        return Err(Unavailable::Destination(input.method));
    };
    let restore = restore_cluster(input, id, shape, rds_endpoint.as_ref())?;
    let made = steps.add(Role::Restorer, restore, &[]);
    let needs = made.step().clone();
    let cluster = captured_cluster(input)?;
    let (databases, heartbeat) = (cluster.databases.clone(), cluster.heartbeat.clone());
    let check = check(input, Restored::Cluster(made), databases, heartbeat);
    steps.add(Role::Restorer, check, &[&needs]);
    Ok(())
}

fn captured_cluster<'a>(input: &RestoreInput<'a>) -> Result<&'a CapturedCluster, Unavailable> {
    let (slot, captured) = (input.point.slot, input.captured);
    let none = || Unavailable::Cluster(slot, captured.source.clone());
    captured.cluster().ok_or_else(none)
}

fn restore_cluster(
    input: &RestoreInput<'_>,
    id: &ClusterId,
    shape: &ClusterShape,
    rds_endpoint: Option<&String>,
) -> Result<RestoreCluster, Unavailable> {
    let (slot, source) = (input.point.slot, &input.captured.source);
    let cluster = captured_cluster(input)?;
    let copy = cluster
        .copies
        .iter()
        .find(|c| c.target == input.target)
        .ok_or_else(|| Unavailable::Snapshot(slot, source.clone(), input.target.clone()))?;
    let tagged = Tagged {
        vault: &input.vault,
        run: &input.run,
        source: Some(names::cluster_arn(
            &cluster.region,
            &cluster.account,
            &cluster.id,
        )),
    };
    let spec = ClusterSpec {
        id: id.clone(),
        region: copy.region.clone(),
        account: copy.account.clone(),
        endpoint: rds_endpoint.cloned(),
        engine: cluster.engine.clone(),
        engine_version: cluster.engine_version.clone(),
        shape: shape.clone(),
        deletion_protection: true,
        tags: tagged.restored(),
        master_user: cluster.master_user.clone(),
        database: first(&cluster.databases),
    };
    Ok(RestoreCluster {
        source: source.clone(),
        spec,
        snapshot_arn: copy.arn.clone(),
    })
}
