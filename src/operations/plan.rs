//! What the next backup would do, with roles, bytes and the last unlock date. Changes nothing.

use super::{Loaded, Surroundings, planning};
use crate::aws::Clients;
use crate::inventory;
use crate::manifest::{ListRow, RowKind, StoredRow};
use crate::model::{Role, Slot, SourceId, TargetName};
use crate::plan::{BaseCopy, ListedSource, Plan};
use crate::report::{Code, Fail, Finding, Hint};
use crate::schedule;
use crate::steps::read_manifest;
use crate::targets::{self, Reached, away_findings, open_source, source_failed};
use jiff::Timestamp;

pub struct Planned {
    pub plan: Plan,
    pub targets: Vec<TargetWork>,
    pub findings: Vec<Finding>,
}

/// What would be put at a target.
pub struct TargetWork {
    pub name: TargetName,
    pub put_objects: u64,
    pub put_bytes: u64,
    pub locked_bytes: u64,
    pub last_unlock: Timestamp,
    /// The same of the run's journal, point and policy.
    pub evidence_unlock: Timestamp,
}

/// # Errors
/// The stores'.
pub async fn plan(around: Surroundings<'_>, loaded: &Loaded) -> Result<Planned, Fail> {
    let clients = loaded.clients(None);
    let targets = loaded.targets(around.world.now());
    let reached = targets::find(around.world, targets, &clients, Role::Copier).await?;
    let next = schedule::next(&loaded.policy.schedule, reached.now);
    let slot = next.unwrap_or(Slot::at(reached.now));
    let bases = planning::bases(loaded, &reached, slot).await?;
    let policy = (&loaded.policy, &loaded.sha256);
    let plan = planning::backup_plan(policy, &reached, slot, reached.now, bases.clone());
    let listed = list(loaded, &clients).await?;
    let rows = listed.iter().flat_map(|(_, rows)| rows);
    let locked_bytes: u64 = rows.map(|r| r.size_bytes).sum();
    let mut targets = Vec::new();
    for target in &plan.targets {
        let mut new = Vec::new();
        for (source, rows) in &listed {
            let base = bases.get(&(source.clone(), target.name.clone()));
            let known = known(loaded, &clients, &target.name, base, reached.now).await?;
            let (_, missing) = inventory::difference(rows, &known);
            new.extend(missing.into_iter().cloned());
        }
        targets.push(TargetWork {
            name: target.name.clone(),
            put_objects: new.iter().filter(|r| r.kind == RowKind::Object).count() as u64,
            put_bytes: new.iter().map(|r| r.size_bytes).sum(),
            locked_bytes,
            last_unlock: target.retain_until,
            evidence_unlock: target.evidence_lock().retain_until,
        });
    }
    let mut findings = loaded.warnings.clone();
    findings.extend(guards(&reached).await?);
    let away = away_findings(&reached, &loaded.policy).into_iter();
    findings.extend(away.map(|f| f.severity(crate::report::Severity::Warning)));
    Ok(Planned {
        plan,
        targets,
        findings,
    })
}

/// What each source bucket holds now.
async fn list(loaded: &Loaded, clients: &Clients) -> Result<Vec<(SourceId, Vec<ListRow>)>, Fail> {
    let mut listed = Vec::new();
    for source in loaded.policy.buckets() {
        let (id, at) = (&source.id, ListedSource::of(&loaded.policy, source));
        let bucket = open_source(clients, Role::Copier, id, &at).await;
        let rows = inventory::list(&bucket, id, &source.prefix).await;
        let rows = rows.map_err(|e| source_failed(id, &bucket, e))?;
        listed.push((id.clone(), rows));
    }
    Ok(listed)
}

async fn known(
    loaded: &Loaded,
    clients: &Clients,
    name: &TargetName,
    base: Option<&BaseCopy>,
    now: Timestamp,
) -> Result<Vec<StoredRow>, Fail> {
    let Some(base) = base else {
        return Ok(Vec::new());
    };
    let vault = loaded.vault(clients, Role::Copier, name, now).await?;
    read_manifest(&vault, base).await
}

/// What `tick` would refuse.
async fn guards(reached: &Reached) -> Result<Vec<Finding>, Fail> {
    let mut findings = Vec::new();
    for seen in &reached.seen {
        let bucket = &seen.target.bucket;
        let state = seen.vault.bucket.state().await?;
        for (rule, prefix) in &state.expiring_rules {
            if prefix.starts_with("probe/") {
                continue;
            }
            let message =
                format!("lifecycle rule `{rule}` expires what is under `{prefix}` by age");
            let look = format!("aws s3api get-bucket-lifecycle-configuration --bucket {bucket}");
            let finding = Finding::error(Code::LifecycleExpires, message);
            findings.push(finding.thing(rule).place(bucket).hint(Hint::shell(look)));
        }
    }
    Ok(findings)
}
