//! What closed drills left: scratch things whose teardown failed until the deadline. Swept by a
//! tick of the driller once their time is over, by the teardown that their own plan names, and only
//! if it is the one that this policy would make.

use super::session::Session;
use crate::aws::rds::ClusterInfo;
use crate::database::Logins;
use crate::journal::RunState;
use crate::model::{PolicyName, Role, RunId, RunKind, StepId, VaultId};
use crate::plan::{Evidence, ServerPlace, StoredAction, Teardown, drill_prefix, scratch_prefix};
use crate::policy::Drill;
use crate::report::{Code, Fail, Finding, full};
use crate::steps::{Context, Secrets, perform};
use crate::targets::{Reached, place_of};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Runs that one tick sweeps; a bug that takes everything for a leftover is caught by arithmetic.
const MAX_RUNS: usize = 5;
/// Folders of scratch files that are looked at.
const MAX_FOLDERS: usize = 1_000;

/// Which drills are looked for.
#[derive(Clone, Copy)]
struct Of<'a> {
    vault: &'a VaultId,
    policy: &'a PolicyName,
    now: Timestamp,
}

/// A cluster that a drill of this vault and policy made and whose time is over.
fn expired(cluster: &ClusterInfo, of: Of<'_>) -> Option<RunId> {
    let tag = |name: &str| cluster.tags.get(name).map(String::as_str);
    let until: Timestamp = tag("dr:expires-at")?.parse().ok()?;
    let run = RunId::parse(tag("dr:run")?).ok()?;
    let ours = tag("dr:vault") == Some(of.vault.0.as_str())
        && tag("dr:role") == Some("scratch")
        && cluster
            .id
            .starts_with(&drill_prefix(of.vault, of.policy, &run))
        && !cluster.deletion_protection;
    (ours && until < of.now).then_some(run)
}

/// The teardown of a closed run, if it names what this policy's drills make and nothing else, and
/// its time is over.
fn teardown<'a>(
    state: &'a RunState,
    drill: &Drill,
    of: Of<'_>,
) -> Option<(&'a StepId, &'a Teardown)> {
    let plan = &state.plan;
    let (step, action) = plan.actions::<Teardown>().next()?;
    let tag = |name: &str| action.tags.get(name).map(String::as_str);
    let prefix = format!("{}{}/", scratch_prefix(of.vault, of.policy), plan.run);
    let named = action.cluster_prefix == drill_prefix(of.vault, of.policy, &plan.run)
        && action.prefix == prefix
        && action.bucket == drill.scratch_bucket
        && action.bucket_region == drill.scratch_region;
    let tagged = tag("dr:vault") == Some(of.vault.0.as_str())
        && tag("dr:role") == Some("scratch")
        && tag("dr:run") == Some(plan.run.as_str());
    let until: Timestamp = tag("dr:expires-at")?.parse().ok()?;
    let closed = plan.kind == RunKind::Drill && state.finished.is_some();
    (closed && named && tagged && until < of.now).then_some((&step.id, action))
}

/// Looks for leftovers and removes them; what it removed is a warning, for it should not have been
/// there.
pub(super) async fn sweep(session: &Session<'_>, reached: &Reached) -> Vec<Finding> {
    let Some(drill) = &session.loaded.policy.drill else {
        return Vec::new();
    };
    let of = Of {
        vault: &reached.id,
        policy: &session.loaded.policy.name,
        now: reached.now,
    };
    let (runs, mut findings) = left(session, of, drill).await;
    if runs.len() > MAX_RUNS {
        let message = format!(
            "{} closed drills seem to have left scratch things, at most {MAX_RUNS} are swept at \
             once; look at them first",
            runs.len()
        );
        let finding = Finding::error(Code::TooMany, message);
        findings.push(finding.thing(&reached.id).place(&reached.name));
        return findings;
    }
    for run in runs {
        let read = match session.read_anywhere(reached, &run).await {
            Ok(Some(read)) => read,
            Ok(None) => {
                let message = format!(
                    "{run} left scratch things, and no target that answers has its journal; they \
                     are left alone"
                );
                let finding = Finding::warning(Code::RunMissing, message);
                findings.push(finding.thing(&run).place(&reached.name));
                continue;
            }
            // Its journal says nothing; what the others left is swept all the same.
            Err(fail) => {
                findings.push(Finding::from(fail).thing(&run).place(&reached.name));
                continue;
            }
        };
        if let Some((step, action)) = teardown(&read.state, drill, of) {
            let told = tear_down(session, &read.state, step, action).await;
            findings.extend(told.map(|f| f.thing(&run).place(&reached.name)));
        }
    }
    findings
}

/// Harmless when it is done twice or broken off: each thing is looked at before it is deleted.
async fn tear_down(
    session: &Session<'_>,
    state: &RunState,
    step: &StepId,
    action: &Teardown,
) -> Option<Finding> {
    let run = &state.plan.run;
    let logins = Logins::of(&session.loaded.policy);
    let context = Context {
        world: session.around.world,
        clients: session.clients,
        plan: &state.plan,
        state,
        role: Role::Driller,
        step,
        progress: session.around.progress,
        secrets: Secrets::default(),
        logins: &logins,
        database: None,
    };
    match perform(&StoredAction::Teardown(action.clone()), &context).await {
        Ok(Evidence::Teardown(torn)) if !torn.deleted.is_empty() || !torn.left.is_empty() => {
            let deleted = match &torn.deleted[..] {
                [] => format!("nothing more of {run} could be deleted"),
                deleted => format!(
                    "{} was left by {run} and is deleted now",
                    deleted.join(", ")
                ),
            };
            let left = match &torn.left[..] {
                [] => String::new(),
                left => format!("; still there: {}", left.join(", ")),
            };
            Some(Finding::warning(Code::Swept, deleted + &left))
        }
        Ok(_) => None,
        Err(e) => {
            let message = format!("what {run} left could not be deleted: {}", full(&e));
            Some(Finding::error(e.code, message))
        }
    }
}

/// Runs that something is left of; a place that does not answer hides no other one's leftovers.
async fn left(session: &Session<'_>, of: Of<'_>, drill: &Drill) -> (BTreeSet<RunId>, Vec<Finding>) {
    let (mut runs, mut findings) = (BTreeSet::new(), Vec::new());
    let mut take = |found: Result<Vec<RunId>, Fail>| match found {
        Ok(found) => runs.extend(found),
        Err(e) => findings.push(Finding::from(e).place("drill")),
    };
    take(in_rds(session, of, drill).await);
    take(in_bucket(session, of, drill).await);
    take(on_scratch_server(session, of, drill).await);
    (runs, findings)
}

async fn in_rds(session: &Session<'_>, of: Of<'_>, drill: &Drill) -> Result<Vec<RunId>, Fail> {
    let policy = &session.loaded.policy;
    let copies = policy.targets.iter().filter(|t| t.snapshots.is_some());
    let mut regions = BTreeSet::from([&drill.scratch_region]);
    regions.extend(copies.map(|t| &t.region));
    let mut runs = Vec::new();
    if policy.clusters().next().is_none() {
        return Ok(runs);
    }
    for region in regions {
        let endpoint = policy.rds_endpoint(region);
        let rds = session.clients.rds(Role::Driller, region, endpoint).await;
        let clusters = rds.clusters().await?;
        runs.extend(clusters.iter().filter_map(|c| expired(c, of)));
    }
    Ok(runs)
}

async fn in_bucket(session: &Session<'_>, of: Of<'_>, drill: &Drill) -> Result<Vec<RunId>, Fail> {
    let endpoint = session.loaded.policy.s3_endpoint(&drill.scratch_region);
    let place = place_of(&drill.scratch_bucket, &drill.scratch_region, endpoint);
    let bucket = session.clients.bucket(Role::Driller, &place).await;
    let prefix = scratch_prefix(of.vault, of.policy);
    let folders = bucket.folders(&prefix, None, MAX_FOLDERS).await?;
    Ok(folders
        .iter()
        .filter_map(|f| RunId::parse(f).ok())
        .collect())
}

/// Runs that a database on the scratch server says made it.
async fn on_scratch_server(
    session: &Session<'_>,
    of: Of<'_>,
    drill: &Drill,
) -> Result<Vec<RunId>, Fail> {
    let Some(server) = &drill.scratch_server else {
        return Ok(Vec::new());
    };
    let place = ServerPlace {
        host: server.host.clone(),
        port: server.port,
        user: server.user.clone(),
    };
    let address = Logins::of(&session.loaded.policy).scratch(&place)?;
    let connection = address.connect(session.clients.call_timeout()).await?;
    let vault = format!("dr:vault={} ", of.vault.0);
    let comments = connection.database_comments().await?;
    let ours = comments.iter().filter(|c| c.contains(&vault));
    let run = |c: &String| {
        let (_, rest) = c.split_once("dr:run=")?;
        RunId::parse(rest.split(' ').next()?).ok()
    };
    Ok(ours.filter_map(run).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_expired_scratch_cluster_of_this_vault_is_a_leftover() {
        let vault = VaultId("0123456789abcdef0123456789abcdef".into());
        let policy = PolicyName::new("shop");
        let run = RunId::parse("drill-20260101T000000Z").expect("a run");
        let now: Timestamp = "2026-01-02T00:00:00Z".parse().expect("an instant");
        let of = Of {
            vault: &vault,
            policy: &policy,
            now,
        };
        let named = |change: &dyn Fn(&mut ClusterInfo)| {
            let tags = [
                ("dr:vault", vault.0.as_str()),
                ("dr:run", run.as_str()),
                ("dr:role", "scratch"),
                ("dr:expires-at", "2026-01-01T02:00:00Z"),
            ];
            let mut cluster = ClusterInfo {
                id: format!("{}-snapshot", drill_prefix(&vault, &policy, &run)),
                arn: String::new(),
                status: "available".into(),
                endpoint: None,
                port: None,
                master_user: "m".into(),
                members: Vec::new(),
                deletion_protection: false,
                tags: tags.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            };
            change(&mut cluster);
            cluster
        };
        let cluster = |change: &dyn Fn(&mut ClusterInfo)| expired(&named(change), of);
        assert_eq!(cluster(&|_| {}), Some(run.clone()));
        let set = |name: &'static str, value: &'static str| {
            move |c: &mut ClusterInfo| drop(c.tags.insert(name.into(), value.into()))
        };
        assert_eq!(cluster(&set("dr:role", "restored")), None);
        assert_eq!(cluster(&set("dr:vault", "other")), None);
        assert_eq!(
            cluster(&set("dr:run", "drill-20260201T000000Z")),
            None,
            "the name belongs to its run"
        );
        assert_eq!(cluster(&set("dr:expires-at", "2026-01-03T00:00:00Z")), None);
        assert_eq!(cluster(&|c| c.tags.clear()), None);
        assert_eq!(cluster(&|c| c.id = "shop".into()), None);
        assert_eq!(cluster(&|c| c.deletion_protection = true), None);
        let other = PolicyName::new("other");
        let of = Of {
            policy: &other,
            ..of
        };
        let named = named(&|_| {});
        assert_eq!(expired(&named, of), None, "another policy's drill");
    }
}
