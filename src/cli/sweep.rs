//! What closed drills left: scratch things whose teardown failed until the deadline. Swept by a
//! tick of the driller once
//! their time is over, by the teardown that their own plan names, and only if it is the one that
//! this policy would make.

use super::exit::Exit;
use super::home::Home;
use super::output::{Answer, Fail, Finding, Severity};
use super::runs::Session;
use crate::aws::rds::ClusterInfo;
use crate::journal::{Evidence, RunState};
use crate::manifest::VaultId;
use crate::plan::{Action, Kind, RunId, Step, drill_prefix};
use crate::policy::{Drill, Role};
use crate::steps::{Context, perform};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Runs that one tick sweeps; a bug that takes everything for a leftover is caught by arithmetic.
const MAX_RUNS: usize = 5;
/// Folders of scratch files that are looked at.
const MAX_FOLDERS: usize = 1_000;

/// A cluster that a drill of this vault made and whose time is over.
fn expired(cluster: &ClusterInfo, vault: &VaultId, now: Timestamp) -> Option<RunId> {
    let tag = |name: &str| cluster.tags.get(name).map(String::as_str);
    let until: Timestamp = tag("dr:expires-at")?.parse().ok()?;
    let run = RunId(tag("dr:run")?.to_owned());
    let ours = tag("dr:vault") == Some(vault.0.as_str())
        && tag("dr:role") == Some("scratch")
        && cluster.id.starts_with(&drill_prefix(vault, &run))
        && !cluster.deletion_protection;
    (ours && until < now).then_some(run)
}

/// The teardown of a closed run, if it names what this policy's drills make and nothing else, and
/// its time is over.
fn teardown<'a>(
    state: &'a RunState,
    drill: &Drill,
    vault: &VaultId,
    now: Timestamp,
) -> Option<&'a Step> {
    let (plan, short) = (&state.plan, vault.short());
    let step = plan
        .steps
        .iter()
        .find(|s| matches!(s.action, Action::Teardown { .. }))?;
    let Action::Teardown {
        cluster_prefix,
        tags,
        bucket,
        bucket_region,
        prefix,
        ..
    } = &step.action
    else {
        return None;
    };
    let tag = |name: &str| tags.get(name).map(String::as_str);
    let named = *cluster_prefix == drill_prefix(vault, &plan.run)
        && *prefix == format!("dr-drill/{short}/{}/", plan.run)
        && *bucket == drill.scratch_bucket
        && *bucket_region == drill.scratch_region;
    let tagged = tag("dr:vault") == Some(vault.0.as_str())
        && tag("dr:role") == Some("scratch")
        && tag("dr:run") == Some(plan.run.0.as_str());
    let over = tag("dr:expires-at")?
        .parse::<Timestamp>()
        .is_ok_and(|until| until < now);
    (plan.kind == Kind::Drill && state.finished.is_some() && named && tagged && over)
        .then_some(step)
}

/// Looks for leftovers and removes them; what it removed is a warning, for it should not have been
/// there.
///
/// # Errors
/// The stores', where they do not answer at all.
pub async fn sweep(session: &Session<'_>, home: &Home, answer: &mut Answer) -> Result<(), Fail> {
    let Some(drill) = &session.loaded.policy.drill else {
        return Ok(());
    };
    let runs = left(session, home, drill).await?;
    if runs.len() > MAX_RUNS {
        let message = format!(
            "{} closed drills seem to have left scratch things, at most {MAX_RUNS} are swept at \
             once; look at them first",
            runs.len()
        );
        answer.find(
            finding(
                "too-many",
                &home.id.0,
                &home.name.to_string(),
                Severity::Error,
                message,
            ),
            Exit::Refused,
        );
        return Ok(());
    }
    for run in runs {
        let Some(read) = session.read(home, &run).await? else {
            continue;
        };
        let Some(step) = teardown(&read.state, drill, &home.id, home.now) else {
            continue;
        };
        let context = Context {
            world: session.world,
            clients: session.clients,
            plan: &read.state.plan,
            state: &read.state,
            role: Role::Driller,
            step,
            progress: session.progress,
            secrets: session.secrets.clone(),
            database: None,
        };
        // Harmless when it is done twice or broken off: each thing is looked at before it is
        // deleted.
        match perform(&context).await {
            Ok(Evidence::TornDown { deleted, .. }) if !deleted.is_empty() => {
                let message = format!(
                    "{} was left by {run} and is deleted now",
                    deleted.join(", ")
                );
                answer.find(
                    finding(
                        "swept",
                        &run.0,
                        &home.name.to_string(),
                        Severity::Warning,
                        message,
                    ),
                    Exit::Done,
                );
            }
            Ok(_) => {}
            Err(e) => {
                let (code, exit, message) = (
                    e.code,
                    Exit::from(e.kind),
                    format!("what {run} left could not be deleted: {}", e.full()),
                );
                answer.find(
                    finding(
                        code,
                        &run.0,
                        &home.name.to_string(),
                        Severity::Error,
                        message,
                    ),
                    exit,
                );
            }
        }
    }
    Ok(())
}

/// Runs that something is left of.
async fn left(session: &Session<'_>, home: &Home, drill: &Drill) -> Result<BTreeSet<RunId>, Fail> {
    let policy = &session.loaded.policy;
    let mut regions = BTreeSet::from([drill.scratch_region.clone()]);
    regions.extend(
        policy
            .targets
            .iter()
            .filter(|t| t.native.is_some())
            .map(|t| t.region.clone()),
    );
    let mut runs = BTreeSet::new();
    if policy.sources.cluster.is_some() {
        for region in &regions {
            let rds = session
                .clients
                .rds(Role::Driller, region, policy.rds_endpoint(region))
                .await;
            runs.extend(
                rds.clusters()
                    .await?
                    .iter()
                    .filter_map(|c| expired(c, &home.id, home.now)),
            );
        }
    }
    let endpoint = policy.s3_endpoint(&drill.scratch_region);
    let bucket = session
        .clients
        .bucket(
            Role::Driller,
            &crate::steps::source_place(&drill.scratch_bucket, &drill.scratch_region, endpoint),
        )
        .await;
    let folders = bucket
        .folders(&format!("dr-drill/{}/", home.id.short()), None, MAX_FOLDERS)
        .await?;
    runs.extend(folders.into_iter().map(RunId));
    Ok(runs)
}

fn finding(code: &str, thing: &str, place: &str, severity: Severity, message: String) -> Finding {
    Finding {
        code: code.into(),
        severity,
        thing: thing.into(),
        place: place.into(),
        hint: "dr status --policy FILE".into(),
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_expired_scratch_cluster_of_this_vault_is_a_leftover() {
        let (vault, run) = (
            VaultId("0123456789abcdef0123456789abcdef".into()),
            RunId("drill-20260101T000000Z".into()),
        );
        let now: Timestamp = "2026-01-02T00:00:00Z".parse().expect("an instant");
        let cluster = |change: &dyn Fn(&mut ClusterInfo)| {
            let tags = [
                ("dr:vault", vault.0.as_str()),
                ("dr:run", run.0.as_str()),
                ("dr:role", "scratch"),
                ("dr:expires-at", "2026-01-01T02:00:00Z"),
            ];
            let mut cluster = ClusterInfo {
                id: format!("{}-native", drill_prefix(&vault, &run)),
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
            expired(&cluster, &vault, now)
        };
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
    }
}
