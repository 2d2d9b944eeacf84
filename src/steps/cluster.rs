//! Clusters made from a snapshot copy, or empty: created under planned names, adopted by tags,
//! entered with a password of our own.

mod enter;

pub(super) use enter::enter;

use super::Context;
use crate::aws::Kind;
use crate::aws::rds::{ClusterInfo, NewCluster, Phase, Rds, phase};
use crate::database::{Database, Secret};
use crate::model::{ClusterId, Name};
use crate::plan::{ClusterMade, ClusterSpec, cluster_id_of_attempt};
use crate::report::{Code, Fail};

/// What a new cluster begins with.
pub(super) enum From<'a> {
    Snapshot(&'a str),
    Nothing,
}

/// A cluster as it is asked for: with one instance, available, and answering.
pub(super) async fn make(
    ctx: &Context<'_>,
    spec: &ClusterSpec,
    from: From<'_>,
) -> Result<ClusterMade, Fail> {
    let start = ctx.world.monotonic();
    let id = id_of_attempt(ctx, spec);
    let endpoint = spec.endpoint.as_deref();
    let rds = ctx.clients.rds(ctx.role, &spec.region, endpoint).await;
    match rds.cluster(id.as_str()).await? {
        Some(info) => adopt(&info, spec)?,
        // A crash right after it leaves a tagged cluster under the planned name, which the next
        // runner adopts.
        None => match create(ctx, &rds, spec, &id, from).await {
            Err(e) if e.kind == Kind::Exists => {}
            other => other?,
        },
    }
    wait(ctx, &rds, spec, &id).await?;
    instance(ctx, &rds, spec, &id).await?;
    let info = wait(ctx, &rds, spec, &id).await?;
    let (Some(host), Some(port)) = (info.endpoint, info.port) else {
        return Err(enter::no_endpoint(&id));
    };
    let mut made = ClusterMade {
        id,
        region: spec.region.clone(),
        endpoint: spec.endpoint.clone(),
        host,
        port,
        master_user: spec.master_user.clone(),
        database: spec.database.clone(),
        took_s: 0.0,
    };
    let address = enter::address_of(ctx, &made, spec).await?;
    ctx.connect(&address).await?.answers().await?;
    made.took_s = start.elapsed().as_secs_f64();
    Ok(made)
}

/// A scratch cluster that failed is left to the teardown and the next attempt has a name of its
/// own; a restored one has the name that was asked for.
fn id_of_attempt(ctx: &Context<'_>, spec: &ClusterSpec) -> ClusterId {
    if spec.tags.get("dr:role").is_some_and(|r| r == "scratch") {
        cluster_id_of_attempt(&spec.id, ctx.attempt())
    } else {
        spec.id.clone()
    }
}

async fn create(
    ctx: &Context<'_>,
    rds: &Rds,
    spec: &ClusterSpec,
    id: &ClusterId,
    from: From<'_>,
) -> Result<(), crate::aws::Error> {
    let shape = &spec.shape;
    let new = NewCluster {
        id: id.as_str(),
        engine: &spec.engine,
        engine_version: &spec.engine_version,
        subnet_group: shape.subnet_group.as_ref().map(Name::as_str),
        security_groups: shape
            .security_groups
            .iter()
            .map(ToString::to_string)
            .collect(),
        parameter_group: shape.parameter_group.as_ref().map(Name::as_str),
        acu: shape.capacity(),
        deletion_protection: spec.deletion_protection,
        tags: &spec.tags,
    };
    match from {
        From::Snapshot(arn) => rds.restore_cluster(&new, arn).await,
        From::Nothing => {
            let password = ctx.world.random_hex(16);
            rds.create_cluster(&new, &spec.database, &spec.master_user, &password)
                .await?;
            ctx.secrets.set(id, Secret(password));
            Ok(())
        }
    }
}

/// Adopted only if every tag is equal: the same name with other tags is someone else's, and is left
/// alone.
fn adopt(info: &ClusterInfo, spec: &ClusterSpec) -> Result<(), Fail> {
    let mut tags = spec.tags.iter();
    match tags.find(|(k, v)| info.tags.get(*k) != Some(*v)) {
        None => Ok(()),
        Some((key, _)) => Err(Fail::new(
            Code::NotOurs,
            format!(
                "cluster {} exists with another `{key}` than this run's; it is left alone, \
                 choose another name",
                info.arn
            ),
        )),
    }
}

async fn wait(
    ctx: &Context<'_>,
    rds: &Rds,
    spec: &ClusterSpec,
    id: &ClusterId,
) -> Result<ClusterInfo, Fail> {
    loop {
        let Some(info) = rds.cluster(id.as_str()).await? else {
            return Err(Fail::new(
                Code::Missing,
                format!("cluster {id} in {} is gone", rds.region),
            ));
        };
        adopt(&info, spec)?;
        ctx.report(0, 1, &info.status);
        match phase(&info.status) {
            Phase::Ready => return Ok(info),
            Phase::Failed => {
                return Err(Fail::new(
                    Code::ClusterFailed,
                    format!("cluster {id} in {} is `{}`", rds.region, info.status),
                ));
            }
            Phase::Working => ctx.pause().await?,
        }
    }
}

/// The cluster's one instance, available.
async fn instance(
    ctx: &Context<'_>,
    rds: &Rds,
    spec: &ClusterSpec,
    cluster: &ClusterId,
) -> Result<(), Fail> {
    let id = format!("{cluster}-1");
    if rds.instance(&id).await?.is_none() {
        let class = spec.shape.instance_class.as_str();
        // A crash right after it leaves a tagged instance, which the next runner waits for.
        match rds
            .create_instance(&id, cluster.as_str(), class, &spec.engine, &spec.tags)
            .await
        {
            Err(e) if e.kind == Kind::Exists => {}
            other => other?,
        }
    }
    loop {
        let Some(info) = rds.instance(&id).await? else {
            return Err(Fail::new(
                Code::Missing,
                format!("instance {id} in {} is gone", rds.region),
            ));
        };
        match phase(&info.status) {
            Phase::Ready => return Ok(()),
            Phase::Failed => {
                return Err(Fail::new(
                    Code::ClusterFailed,
                    format!("instance {id} in {} is `{}`", rds.region, info.status),
                ));
            }
            Phase::Working => ctx.pause().await?,
        }
    }
}
