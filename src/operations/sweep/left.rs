//! Where leftovers are looked for: clusters by their tags, the scratch bucket's folders, databases
//! of the scratch server.

use super::super::session::Session;
use crate::aws::rds::ClusterInfo;
use crate::database::{Database, Logins, Postgres};
use crate::model::{PolicyName, Role, RunId, VaultId};
use crate::plan::{ServerPlace, drill_databases, drill_prefix, expires_at, scratch_prefix};
use crate::policy::Drill;
use crate::report::{Fail, Finding};
use crate::targets::place_of;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Folders of scratch files that are looked at.
const MAX_FOLDERS: usize = 1_000;

/// Which drills are looked for.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    pub vault: &'a VaultId,
    pub policy: &'a PolicyName,
    pub now: Timestamp,
}

/// Runs that something is left of; a place that does not answer hides no other one's leftovers.
pub(super) async fn left(
    session: &Session<'_>,
    of: Of<'_>,
    drill: &Drill,
) -> (BTreeSet<RunId>, Vec<Finding>) {
    let (mut runs, mut findings) = (BTreeSet::new(), Vec::new());
    let mut take = |found: Result<Vec<RunId>, Fail>| match found {
        Ok(found) => runs.extend(found),
        Err(e) => findings.push(Finding::from(e).place("drill")),
    };
    for found in in_rds(session, of, drill).await {
        take(found);
    }
    take(in_bucket(session, of, drill).await);
    take(on_scratch_server(session, of, drill).await);
    (runs, findings)
}

/// Region by region.
async fn in_rds(session: &Session<'_>, of: Of<'_>, drill: &Drill) -> Vec<Result<Vec<RunId>, Fail>> {
    let policy = &session.loaded.policy;
    let copies = policy.targets.iter().filter(|t| t.snapshots.is_some());
    let mut regions = BTreeSet::from([&drill.scratch_region]);
    regions.extend(copies.map(|t| &t.region));
    let mut found = Vec::new();
    if policy.clusters().next().is_none() {
        return found;
    }
    for region in regions {
        let endpoint = policy.rds_endpoint(region);
        let rds = session.clients.rds(Role::Driller, region, endpoint).await;
        let clusters = rds.clusters().await;
        let expired = |all: Vec<ClusterInfo>| all.iter().filter_map(|c| expired(c, of)).collect();
        found.push(clusters.map(expired).map_err(Fail::from));
    }
    found
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
    let place = ServerPlace::from(server);
    let address = Logins::of(&session.loaded.policy).scratch(&place)?;
    let connection = Postgres::connect(&address, session.clients.call_timeout()).await?;
    let databases = connection.databases_commented().await?;
    Ok(databases
        .iter()
        .filter_map(|(name, comment)| made_by(name, comment, of))
        .collect())
}

/// The run that a database says made it, if it is called as that run of this policy calls its own.
fn made_by(name: &str, comment: &str, of: Of<'_>) -> Option<RunId> {
    let (_, rest) = comment.split_once("dr:run=")?;
    let run = RunId::parse(rest.split(' ').next()?).ok()?;
    name.starts_with(&drill_databases(of.vault, of.policy, &run))
        .then_some(run)
}

/// A cluster that a drill of this vault and policy made and whose time is over.
fn expired(cluster: &ClusterInfo, of: Of<'_>) -> Option<RunId> {
    let tag = |name: &str| cluster.tags.get(name).map(String::as_str);
    let until = expires_at(&cluster.tags)?;
    let run = RunId::parse(tag("dr:run")?).ok()?;
    let ours = tag("dr:vault") == Some(of.vault.0.as_str())
        && tag("dr:role") == Some("scratch")
        && cluster
            .id
            .starts_with(&drill_prefix(of.vault, of.policy, &run))
        && !cluster.deletion_protection;
    (ours && until < of.now).then_some(run)
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
            let id = format!("{}-snapshot", drill_prefix(&vault, &policy, &run));
            let mut cluster = ClusterInfo::tagged(&id, &tags);
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

    #[test]
    fn a_database_is_a_leftover_of_the_run_whose_name_it_has() {
        let vault = VaultId("0123456789abcdef0123456789abcdef".into());
        let (policy, other) = (PolicyName::new("shop"), PolicyName::new("other"));
        let run = RunId::parse("drill-20260101T000000Z").expect("a run");
        let of = |policy| Of {
            vault: &vault,
            policy,
            now: Timestamp::UNIX_EPOCH,
        };
        let name = drill_databases(&vault, &policy, &run) + "0123456789";
        let comment = format!("dr:vault={} dr:run={run} dr:role=scratch", vault.0);
        assert_eq!(made_by(&name, &comment, of(&policy)), Some(run));
        assert_eq!(made_by(&name, &comment, of(&other)), None);
        assert_eq!(made_by("staging", &comment, of(&policy)), None);
        assert_eq!(made_by(&name, "ours", of(&policy)), None);
    }
}
