//! `dr plan`: what the next backup would do, with roles, bytes and the last unlock date. Changes
//! nothing.

use super::home;
use super::load::{Loaded, load};
use super::output::{Answer, Fail, Finding, Outcome, Severity, bytes};
use super::planning;
use crate::aws::Clients;
use crate::inventory;
use crate::manifest::{RowKind, StoredRow};
use crate::plan::{BaseCopy, Plan};
use crate::policy::{Role, TargetName};
use crate::schedule::{self, Slot};
use crate::steps::{read_manifest, source_place};
use crate::world::World;
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The policy file
    #[arg(long, env = "DR_POLICY", value_name = "FILE")]
    policy: PathBuf,
}

pub async fn run(world: &World, args: &Args) -> Outcome {
    let loaded = load(&args.policy)?;
    let clients = loaded.clients(None);
    let home = home::find(world, &loaded, &clients, Role::Copier).await?;
    let slot = schedule::next(&loaded.policy.schedule, home.now).unwrap_or(Slot(home.now));
    let bases = planning::bases(&loaded, &home, &slot.compact()).await?;
    let plan = planning::backup_plan(&loaded, &home, slot, home.now, bases.clone());
    let mut answer = Answer::new("dr/plan/1");
    answer.measured_on = loaded.measured_on();
    answer.findings.extend(loaded.warnings.clone());
    let rows = list(&loaded, &clients).await?;
    let total: u64 = rows.iter().map(|r| r.size_bytes).sum();
    answer.line(format!(
        "plan of {} (slot {}), hash {}",
        plan.run,
        plan.slot,
        plan.hash()
    ));
    for step in &plan.steps {
        answer.line(format!("  {:24} {}", step.id.0, step.role));
    }
    let mut targets = Vec::new();
    for target in &plan.targets {
        let known = known(
            &loaded,
            &clients,
            &target.name,
            bases.get(&target.name),
            home.now,
        )
        .await?;
        let (_, new) = inventory::difference(&rows, &known);
        let new_bytes: u64 = new.iter().map(|r| r.size_bytes).sum();
        let objects = new.iter().filter(|r| r.kind == RowKind::Object).count();
        answer.line(format!(
            "  target {:12} puts {objects} objects, {}; {} stay locked, the last until {}",
            target.name.as_str(),
            bytes(new_bytes),
            bytes(total),
            target.retain_until
        ));
        targets.push(
            json!({"name": target.name, "put_objects": objects, "put_bytes": new_bytes,
        "locked_bytes": total, "last_unlock": target.retain_until}),
        );
    }
    guards(&loaded, &home, &mut answer).await?;
    answer.set("hash", plan.hash());
    answer.set("run", &plan.run);
    answer.set("steps", steps(&plan));
    answer.set("targets", targets);
    Ok(answer)
}

fn steps(plan: &Plan) -> Vec<serde_json::Value> {
    plan.steps
        .iter()
        .map(|s| json!({"name": s.id, "role": s.role, "needs": s.needs}))
        .collect()
}

async fn list(loaded: &Loaded, clients: &Clients) -> Result<Vec<crate::manifest::ListRow>, Fail> {
    let mut rows = Vec::new();
    for source in &loaded.policy.sources.buckets {
        let bucket = clients
            .bucket(
                Role::Copier,
                &source_place(
                    &source.name,
                    &source.region,
                    loaded.policy.s3_endpoint(&source.region),
                ),
            )
            .await;
        rows.extend(inventory::list(&bucket, &source.prefix).await?);
    }
    Ok(rows)
}

async fn known(
    loaded: &Loaded,
    clients: &Clients,
    name: &TargetName,
    base: Option<&BaseCopy>,
    now: jiff::Timestamp,
) -> Result<Vec<StoredRow>, Fail> {
    let Some(base) = base else {
        return Ok(Vec::new());
    };
    let vault = loaded.vault(clients, Role::Copier, name, now).await?;
    Ok(read_manifest(&vault, base).await?)
}

/// What `tick` would refuse.
async fn guards(loaded: &Loaded, home: &home::Home, answer: &mut Answer) -> Result<(), Fail> {
    for seen in &home.seen {
        let state = seen.vault.bucket.state().await?;
        for (rule, prefix) in state
            .expiring_rules
            .iter()
            .filter(|(_, p)| !p.starts_with("probe/"))
        {
            let finding = Finding {
                code: "lifecycle-expires".into(),
                severity: Severity::Error,
                thing: rule.clone(),
                place: seen.target.bucket.to_string(),
                hint: format!(
                    "aws s3api get-bucket-lifecycle-configuration --bucket {}",
                    seen.target.bucket
                ),
                message: format!("lifecycle rule `{rule}` expires what is under `{prefix}` by age"),
            };
            answer.find(finding, super::exit::Exit::Refused);
        }
    }
    for (target, why) in &home.away {
        let finding = Finding {
            code: "target-unavailable".into(),
            severity: Severity::Warning,
            thing: target.to_string(),
            place: loaded.policy.name.to_string(),
            hint: format!("dr status --policy {}", loaded.file),
            message: format!("target {target} cannot be used now: {why}"),
        };
        answer.find(finding, super::exit::Exit::Unavailable);
    }
    Ok(())
}
