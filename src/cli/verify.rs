//! `dr verify`: reads everything that a point references, at each target, and names what is wrong.

use super::answer::{Answer, Outcome};
use super::figures::bytes;
use super::from_vault::VaultArgs;
use crate::manifest::Verified;
use crate::model::{Role, Slot, TargetName};
use crate::operations::Surroundings;
use crate::operations::verify::{VerifyRequest, verify};
use crate::plan::TargetRead;
use crate::report::Severity;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The policy file
    #[arg(long, env = "DR_POLICY", value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    vault: VaultArgs,
    /// This recovery point instead of the newest
    #[arg(long, value_name = "SLOT")]
    point: Option<Slot>,
    /// Only this target
    #[arg(long, value_name = "TARGET")]
    target: Option<TargetName>,
    /// The role whose key reads
    #[arg(long, value_name = "ROLE", default_value = "auditor")]
    role: Role,
}

pub async fn run(around: Surroundings<'_>, args: &Args) -> Outcome {
    let of = ("verify", args.role);
    let loaded = args
        .vault
        .loaded(around.world, of, args.policy.as_deref())
        .await?;
    let request = VerifyRequest {
        point: args.point,
        target: args.target.clone(),
        role: args.role,
    };
    let found = verify(around, &loaded, &request).await?;
    let mut answer = Answer::new("dr/verify/1", loaded.measured_on());
    answer.set("run", &found.run);
    if let Some(point) = found.point {
        let sum = |f: fn(&Verified) -> u64| found.targets.iter().map(|t| f(&t.verified)).sum();
        let (population, tested): (u64, u64) = (sum(|v| v.population), sum(|v| v.tested));
        let (size, lock_ok): (u64, u64) = (sum(|v| v.bytes), sum(|v| v.lock_ok));
        let unknown: u64 = sum(|v| v.unknown);
        answer.line(format!(
            "point {point}: {tested} of {population} objects read, {}, {lock_ok} locked, \
             {unknown} unknown, {} wrong",
            bytes(size),
            found
                .findings
                .iter()
                .filter(|f| f.severity == Severity::Error)
                .count()
        ));
        answer.set("point", point);
        answer.set("population", population);
        answer.set("tested", tested);
        answer.set("bytes", size);
        answer.set("lock_ok", lock_ok);
        answer.set("unknown", unknown);
        let targets: Vec<Value> = found.targets.iter().map(target_json).collect();
        answer.set("targets", targets);
    }
    answer.findings = found.findings;
    Ok(answer)
}

fn target_json(read: &TargetRead) -> Value {
    let v = &read.verified;
    json!({
        "target": read.target, "population": v.population, "tested": v.tested, "bytes": v.bytes,
        "lock_ok": v.lock_ok, "unknown": v.unknown, "retain_until_min": v.retain_until_min,
        "lock_mode": read.lock_mode,
    })
}
