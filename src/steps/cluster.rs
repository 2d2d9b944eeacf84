//! Clusters made from a snapshot copy, or empty: created under planned names, adopted by tags,
//! entered with a password of our own.

use super::{Context, StepError};
use crate::aws::Kind;
use crate::aws::rds::{ClusterInfo, NewCluster, Phase, Rds, phase};
use crate::database::{Address, Secret};
use crate::journal::Evidence;
use crate::plan::{Action, ClusterSpec, StepRef, drill_cluster_id};
use crate::policy::ClusterId;

/// A new password may take this many looks to be in force.
const PASSWORD_LOOKS: u32 = 120;

pub(super) async fn restore(
    ctx: &Context<'_>,
    spec: &ClusterSpec,
    snapshot_arn: &str,
) -> Result<Evidence, StepError> {
    super::dumping::readable(ctx, &spec.engine_version).await?;
    make(ctx, spec, Some(snapshot_arn)).await
}

pub(super) async fn create_empty(
    ctx: &Context<'_>,
    spec: &ClusterSpec,
) -> Result<Evidence, StepError> {
    make(ctx, spec, None).await
}

fn scratch(spec: &ClusterSpec) -> bool {
    spec.tags.get("dr:role").is_some_and(|r| r == "scratch")
}

/// A scratch cluster that failed is left to the teardown and the next attempt has a name of its
/// own; a restored one has the name that was asked for.
fn id_of_attempt(ctx: &Context<'_>, spec: &ClusterSpec) -> ClusterId {
    if scratch(spec) {
        drill_cluster_id(&spec.id, ctx.state.attempt(&ctx.step.id))
    } else {
        spec.id.clone()
    }
}

async fn make(
    ctx: &Context<'_>,
    spec: &ClusterSpec,
    snapshot_arn: Option<&str>,
) -> Result<Evidence, StepError> {
    let start = ctx.world.monotonic();
    let id = id_of_attempt(ctx, spec);
    let rds = ctx
        .clients
        .rds(ctx.role, &spec.region, spec.endpoint.as_deref())
        .await;
    match rds.cluster(id.as_str()).await? {
        Some(info) => adopt(&info, spec)?,
        // A crash right after it leaves a tagged cluster under the planned name, which the next
        // runner adopts.
        None => match create(ctx, &rds, spec, &id, snapshot_arn).await {
            Err(e) if e.kind == Kind::Exists => {}
            other => other?,
        },
    }
    wait(ctx, &rds, spec, &id).await?;
    let instance = format!("{id}-1");
    if rds.instance(&instance).await?.is_none() {
        match rds
            .create_instance(
                &instance,
                id.as_str(),
                spec.instance_class.as_str(),
                &spec.engine,
                &spec.tags,
            )
            .await
        {
            Err(e) if e.kind == Kind::Exists => {}
            other => other?,
        }
    }
    wait_instance(ctx, &rds, &instance).await?;
    let info = wait(ctx, &rds, spec, &id).await?;
    let (Some(host), Some(port)) = (info.endpoint, info.port) else {
        return Err(StepError::stuck(
            "no-endpoint",
            format!("cluster {id} is available but names no endpoint"),
        ));
    };
    let database = if snapshot_arn.is_some() || spec.database != "postgres" {
        spec.database.clone()
    } else {
        "postgres".into()
    };
    let made = Evidence::Cluster {
        id,
        host,
        port,
        master_user: spec.master_user.clone(),
        database,
        took_s: 0.0,
    };
    let address = enter_made(ctx, spec, &made).await?;
    address
        .connect(ctx.clients.call_timeout())
        .await?
        .value("SELECT 1")
        .await?;
    Ok(with_time(made, start.elapsed().as_secs_f64()))
}

fn with_time(evidence: Evidence, seconds: f64) -> Evidence {
    match evidence {
        Evidence::Cluster {
            id,
            host,
            port,
            master_user,
            database,
            ..
        } => Evidence::Cluster {
            id,
            host,
            port,
            master_user,
            database,
            took_s: seconds,
        },
        other => other,
    }
}

async fn create(
    ctx: &Context<'_>,
    rds: &Rds,
    spec: &ClusterSpec,
    id: &ClusterId,
    snapshot_arn: Option<&str>,
) -> Result<(), crate::aws::Error> {
    let new = NewCluster {
        id: id.as_str(),
        engine: &spec.engine,
        engine_version: &spec.engine_version,
        subnet_group: spec.subnet_group.as_ref().map(crate::policy::Name::as_str),
        security_groups: spec
            .security_groups
            .iter()
            .map(ToString::to_string)
            .collect(),
        parameter_group: spec
            .parameter_group
            .as_ref()
            .map(crate::policy::Name::as_str),
        acu: spec.min_acu.zip(spec.max_acu),
        deletion_protection: spec.deletion_protection,
        tags: &spec.tags,
    };
    match snapshot_arn {
        Some(arn) => rds.restore_cluster(&new, arn).await,
        None => {
            let password = ctx.world.random_hex(16);
            rds.create_cluster(&new, &spec.database, &spec.master_user, &password)
                .await?;
            ctx.secrets.set(id.as_str(), Secret(password));
            Ok(())
        }
    }
}

/// Adopted only if every tag is equal: the same name with other tags is someone else's, and is left
/// alone.
fn adopt(info: &ClusterInfo, spec: &ClusterSpec) -> Result<(), StepError> {
    match spec
        .tags
        .iter()
        .find(|(k, v)| info.tags.get(*k) != Some(*v))
    {
        None => Ok(()),
        Some((key, _)) => Err(StepError::refused(
            "not-ours",
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
) -> Result<ClusterInfo, StepError> {
    loop {
        let Some(info) = rds.cluster(id.as_str()).await? else {
            return Err(StepError::stuck(
                "missing",
                format!("cluster {id} in {} is gone", rds.region),
            ));
        };
        adopt(&info, spec)?;
        ctx.report(0, 1, &info.status);
        match phase(&info.status) {
            Phase::Ready => return Ok(info),
            Phase::Failed => {
                return Err(StepError::stuck(
                    "cluster-failed",
                    format!("cluster {id} in {} is `{}`", rds.region, info.status),
                ));
            }
            Phase::Working => ctx.pause().await?,
        }
    }
}

async fn wait_instance(ctx: &Context<'_>, rds: &Rds, id: &str) -> Result<(), StepError> {
    loop {
        let Some(info) = rds.instance(id).await? else {
            return Err(StepError::stuck(
                "missing",
                format!("instance {id} in {} is gone", rds.region),
            ));
        };
        match phase(&info.status) {
            Phase::Ready => return Ok(()),
            Phase::Failed => {
                return Err(StepError::stuck(
                    "cluster-failed",
                    format!("instance {id} in {} is `{}`", rds.region, info.status),
                ));
            }
            Phase::Working => ctx.pause().await?,
        }
    }
}

/// The address of a cluster that a step of this run made, with a password that works.
pub(super) async fn enter(ctx: &Context<'_>, step: &StepRef) -> Result<Address, StepError> {
    let made = ctx
        .state
        .evidence(step)
        .ok_or_else(|| StepError::bug(format!("step {step} made no cluster")))?;
    let spec = ctx.plan.step(step).and_then(|s| match &s.action {
        Action::RestoreScratch { spec, .. }
        | Action::RestoreCluster { spec, .. }
        | Action::CreateEmpty { spec } => Some(spec),
        _ => None,
    });
    enter_made(
        ctx,
        spec.ok_or_else(|| StepError::bug(format!("step {step} makes no cluster")))?,
        made,
    )
    .await
}

/// A runner that took over has no password of the one before it, so it sets a new one: nothing
/// secret is ever stored.
async fn enter_made(
    ctx: &Context<'_>,
    spec: &ClusterSpec,
    made: &Evidence,
) -> Result<Address, StepError> {
    let Evidence::Cluster {
        id,
        host,
        port,
        master_user,
        database,
        ..
    } = made
    else {
        return Err(StepError::bug("not a cluster"));
    };
    let address = |password: Secret| Address {
        host: host.clone(),
        port: *port,
        database: database.clone(),
        user: master_user.clone(),
        password,
        ca_file: ctx.clients.postgres_ca_file.clone(),
    };
    if let Some(known) = ctx.secrets.get(id.as_str()) {
        return answer(ctx, address(known)).await;
    }
    let password = ctx
        .secrets
        .wished()
        .unwrap_or_else(|| Secret(ctx.world.random_hex(16)));
    let rds = ctx
        .clients
        .rds(ctx.role, &spec.region, spec.endpoint.as_deref())
        .await;
    loop {
        match rds.set_password(id.as_str(), &password.0).await {
            Ok(()) => break,
            Err(e) if e.kind == Kind::State => ctx.pause().await?,
            Err(e) => return Err(e.into()),
        }
    }
    ctx.secrets.set(id.as_str(), password.clone());
    answer(ctx, address(password)).await
}

/// Waits until the server lets us in: a new password is in force some seconds after the service
/// took it.
async fn answer(ctx: &Context<'_>, address: Address) -> Result<Address, StepError> {
    let mut looks = 0;
    loop {
        match address.connect(ctx.clients.call_timeout()).await {
            Ok(_) => return Ok(address),
            Err(e)
                if looks < PASSWORD_LOOKS
                    && (e.transient()
                        || e.code.as_deref().is_some_and(|c| c.starts_with("28"))) =>
            {
                looks += 1;
                ctx.pause().await?;
            }
            Err(e) => return Err(e.into()),
        }
    }
}
