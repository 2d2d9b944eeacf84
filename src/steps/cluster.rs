//! Clusters made from a snapshot copy, or empty: created under planned names, adopted by tags,
//! entered with a password of our own.

use super::Context;
use crate::aws::Kind;
use crate::aws::rds::{ClusterInfo, NewCluster, Phase, Rds, phase};
use crate::database::{Address, Secret};
use crate::model::{ClusterId, Name, RunId, VaultId};
use crate::plan::{ClusterMade, ClusterSpec, cluster_id_of_attempt};
use crate::report::{Code, Fail};

/// A new password may take this many looks to be in force.
const PASSWORD_LOOKS: u32 = 120;

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
        return Err(no_endpoint(&id));
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
    let address = enter(ctx, &made).await?;
    address
        .connect(ctx.clients.call_timeout())
        .await?
        .value("SELECT 1")
        .await?;
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

/// The address of a cluster that a step of this run made, with a password that works. A runner that
/// took over has no password of the one before it, so it sets a new one: nothing secret is ever
/// stored. What is stored is not believed either: whose password is set, and where it is then sent,
/// is told by the service.
pub(super) async fn enter(ctx: &Context<'_>, made: &ClusterMade) -> Result<Address, Fail> {
    let address = |host: String, port: u16, password: Secret| Address {
        host,
        port,
        database: made.database.clone(),
        user: made.master_user.clone(),
        password,
        ca_file: ctx.clients.postgres_ca_file.clone(),
    };
    // Known: this process made it, or has been through what follows.
    if let Some(known) = ctx.secrets.get(&made.id) {
        return answer(ctx, address(made.host.clone(), made.port, known)).await;
    }
    let endpoint = made.endpoint.as_deref();
    let rds = ctx.clients.rds(ctx.role, &made.region, endpoint).await;
    let id = made.id.as_str();
    let info = rds.cluster(id).await?.ok_or_else(|| {
        Fail::new(
            Code::Missing,
            format!("cluster {id} in {} is gone", rds.region),
        )
    })?;
    of_this_run(&info, &ctx.plan.vault, &ctx.plan.run)?;
    let (Some(host), Some(port)) = (info.endpoint, info.port) else {
        return Err(no_endpoint(&made.id));
    };
    let password = ctx
        .secrets
        .requested()
        .unwrap_or_else(|| Secret(ctx.world.random_hex(16)));
    loop {
        match rds.set_password(id, &password.0).await {
            Ok(()) => break,
            Err(e) if e.kind == Kind::State => ctx.pause().await?,
            Err(e) => return Err(e.into()),
        }
    }
    ctx.secrets.set(&made.id, password.clone());
    answer(ctx, address(host, port, password)).await
}

fn no_endpoint(id: &ClusterId) -> Fail {
    Fail::new(
        Code::NoEndpoint,
        format!("cluster {id} is available but names no endpoint"),
    )
}

/// A journal that names another cluster must not get that one's password changed.
fn of_this_run(info: &ClusterInfo, vault: &VaultId, run: &RunId) -> Result<(), Fail> {
    let tag = |name: &str| info.tags.get(name).map(String::as_str);
    let ours = tag("dr:vault") == Some(vault.0.as_str())
        && tag("dr:run") == Some(run.as_str())
        && matches!(tag("dr:role"), Some("scratch" | "restored"));
    if ours {
        return Ok(());
    }
    Err(Fail::new(
        Code::NotOurs,
        format!(
            "the journal of run {run} names cluster {}, whose tags are not this run's; its \
             password is left as it is",
            info.arn
        ),
    ))
}

/// Waits until the server lets us in: a new password is in force some seconds after the service
/// took it.
async fn answer(ctx: &Context<'_>, address: Address) -> Result<Address, Fail> {
    let mut looks = 0;
    loop {
        let denied = |code: &str| code.starts_with("28");
        match address.connect(ctx.clients.call_timeout()).await {
            Ok(_) => return Ok(address),
            Err(e)
                if looks < PASSWORD_LOOKS
                    && (e.transient() || e.code.as_deref().is_some_and(denied)) =>
            {
                looks += 1;
                ctx.pause().await?;
            }
            Err(e) => return Err(e.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cluster_that_this_run_made_gets_another_password() {
        let vault = VaultId("v".into());
        let run = RunId::parse("drill-20261124T020000Z").unwrap();
        let judged = |tags: &[(&str, &str)]| {
            let info = ClusterInfo {
                id: "shop".into(),
                arn: "arn:aws:rds:eu-west-3:1:cluster:shop".into(),
                status: "available".into(),
                endpoint: None,
                port: None,
                master_user: "m".into(),
                members: Vec::new(),
                deletion_protection: false,
                tags: tags
                    .iter()
                    .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                    .collect(),
            };
            of_this_run(&info, &vault, &run).map_err(|e| e.code)
        };
        let (v, r) = (("dr:vault", "v"), ("dr:run", "drill-20261124T020000Z"));
        assert_eq!(judged(&[v, r, ("dr:role", "scratch")]), Ok(()));
        assert_eq!(judged(&[v, r, ("dr:role", "restored")]), Ok(()));
        for foreign in [
            &[][..],
            &[("team", "shop")],
            &[v, r],
            &[v, r, ("dr:role", "snapshot")],
            &[
                v,
                ("dr:run", "drill-20261125T020000Z"),
                ("dr:role", "scratch"),
            ],
            &[("dr:vault", "w"), r, ("dr:role", "restored")],
        ] {
            assert_eq!(judged(foreign), Err(Code::NotOurs), "{foreign:?}");
        }
    }
}
