//! Entering a cluster that a step of this run made.

use crate::aws::Kind;
use crate::aws::rds::ClusterInfo;
use crate::database::{Address, Secret};
use crate::model::{ClusterId, RunId, VaultId};
use crate::plan::{ClusterMade, ClusterSpec, Link, StoredAction};
use crate::report::{Code, Fail};
use crate::steps::Context;

/// A new password may take this many looks to be in force.
const PASSWORD_LOOKS: u32 = 120;

/// A database that every server is made with.
const ALWAYS_THERE: &str = "postgres";

/// The address of a cluster that a step of this run made, with a password that works. A runner that
/// took over has no password of the one before it, so it sets a new one: nothing secret is ever
/// stored. What is stored is not believed either: whose password is set, and where it is then sent,
/// is told by the service that the plan names.
pub(in crate::steps) async fn enter(
    ctx: &Context<'_>,
    link: &Link<ClusterMade>,
) -> Result<Address, Fail> {
    let (made, spec) = (ctx.output(link)?, planned(ctx, link)?);
    as_planned(made, spec, &ctx.plan.run)?;
    address_of(ctx, made, spec).await
}

pub(super) async fn address_of(
    ctx: &Context<'_>,
    made: &ClusterMade,
    spec: &ClusterSpec,
) -> Result<Address, Fail> {
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
    let endpoint = spec.endpoint.as_deref();
    let rds = ctx.clients.rds(ctx.role, &spec.region, endpoint).await;
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

/// What the plan says of the cluster behind a link.
fn planned<'a>(ctx: &Context<'a>, link: &Link<ClusterMade>) -> Result<&'a ClusterSpec, Fail> {
    let step = ctx.plan.step(link.step());
    match step.map(|s| &s.action) {
        Some(StoredAction::RestoreCluster(a)) => Ok(&a.spec),
        Some(StoredAction::CreateCluster(a)) => Ok(&a.spec),
        _ => Err(Fail::bug(format!("step {} makes no cluster", link.step()))),
    }
}

/// Evidence that names another service, or another cluster than one of the step's attempts, was
/// not left by this program: entries of a journal are written by several keys.
fn as_planned(made: &ClusterMade, spec: &ClusterSpec, run: &RunId) -> Result<(), Fail> {
    let place = (&made.region, &made.endpoint) == (&spec.region, &spec.endpoint);
    let attempt = made.id.as_str().strip_prefix(spec.id.as_str());
    let attempt = attempt.is_some_and(|rest| {
        let number = rest.strip_prefix('-').map(str::parse::<u32>);
        rest.is_empty() || matches!(number, Some(Ok(_)))
    });
    let entered = (&made.master_user, &made.database) == (&spec.master_user, &spec.database);
    if place && attempt && entered {
        return Ok(());
    }
    Err(Fail::new(
        Code::PlanNotOurs,
        format!(
            "the journal of run {run} says that cluster {} was made in {} at {}, where its plan \
             makes {} in {}; it is not entered",
            made.id,
            made.region,
            made.endpoint
                .as_deref()
                .unwrap_or("the service's own endpoint"),
            spec.id,
            spec.region
        ),
    ))
}

pub(super) fn no_endpoint(id: &ClusterId) -> Fail {
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
    let beside = address.with_database(ALWAYS_THERE);
    let mut looks = 0;
    loop {
        let Err(mut e) = ctx.connect(&address).await else {
            return Ok(address);
        };
        // One database that is shut, full or gone is not its server.
        if !e.denied() && address.database != ALWAYS_THERE {
            match ctx.connect(&beside).await {
                Ok(_) => return Ok(beside),
                Err(other) if other.transient() || other.denied() => e = other,
                Err(_) => {}
            }
        }
        if looks >= PASSWORD_LOOKS || !(e.transient() || e.denied()) {
            return Err(e.into());
        }
        looks += 1;
        ctx.pause().await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::cluster_id_of_attempt;

    #[test]
    fn only_a_cluster_that_this_run_made_gets_another_password() {
        let vault = VaultId("v".into());
        let run = RunId::parse("drill-20261124T020000Z").unwrap();
        let judged = |tags: &[(&str, &str)]| {
            let info = ClusterInfo::tagged("shop", tags);
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

    #[test]
    fn evidence_of_another_service_or_cluster_than_the_plans_is_not_entered() {
        let plan = crate::plan::tests::drill_of(&crate::plan::tests::policy());
        let (_, restore) = plan
            .actions::<crate::plan::RestoreCluster>()
            .next()
            .unwrap();
        let spec = &restore.spec;
        let made = ClusterMade {
            id: spec.id.clone(),
            region: spec.region.clone(),
            endpoint: spec.endpoint.clone(),
            host: "h".into(),
            port: 5432,
            master_user: spec.master_user.clone(),
            database: spec.database.clone(),
            took_s: 1.0,
        };
        let judged = |change: &dyn Fn(&mut ClusterMade)| {
            let mut made = made.clone();
            change(&mut made);
            as_planned(&made, spec, &plan.run).map_err(|e| e.code)
        };
        assert_eq!(judged(&|_| {}), Ok(()));
        assert_eq!(
            judged(&|m| m.id = cluster_id_of_attempt(&m.id, 3)),
            Ok(()),
            "a later attempt"
        );
        let changes: [&dyn Fn(&mut ClusterMade); 5] = [
            &|m| m.endpoint = Some("https://thief.example.com".into()),
            &|m| m.region = crate::model::Region::new("us-east-1"),
            &|m| m.id = ClusterId::new("shop-prod"),
            &|m| m.id = ClusterId::new(format!("{}-x", m.id)),
            &|m| m.master_user = "someone".into(),
        ];
        for change in changes {
            assert_eq!(judged(change), Err(Code::PlanNotOurs));
        }
    }
}
