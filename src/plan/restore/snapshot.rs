//! A cluster out of a snapshot's copy.

use super::checked::check;
use super::input::{RestoreInput, RestoreInto, Unavailable};
use crate::manifest::CapturedCluster;
use crate::model::{ClusterId, Role};
use crate::plan::new_cluster::{Life, NewCluster};
use crate::plan::step::Steps;
use crate::plan::{RestoreCluster, Restored};
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
    let new = NewCluster {
        captured: cluster,
        copy,
        id: id.clone(),
        account: &copy.account,
        endpoint: rds_endpoint.map(String::as_str),
        shape,
        life: Life::Restored,
    };
    Ok(RestoreCluster {
        source: source.clone(),
        spec: new.spec(&input.vault, &input.run),
        snapshot_arn: copy.arn.clone(),
    })
}
