//! `dr vault init|probe|policy`.

mod probes;

use super::answer::{Answer, Outcome};
use crate::model::TargetName;
use crate::operations::vault::{self, OperatorProfile, VaultRequest};
use crate::operations::{Loaded, Surroundings, load};
use crate::plan::BucketFound;
use probes::show_probes;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    /// Creates or adopts the policy's buckets, under an operator's own credentials, and probes them
    Init(Common),
    /// Tries whether locked versions really resist, and whether conditional writes decide a race
    Probe(Common),
    /// Prints the bucket policy for a target
    Policy(Common),
}

#[derive(clap::Args, Debug)]
pub struct Common {
    /// The policy file
    #[arg(long, env = "DR_POLICY", value_name = "FILE")]
    policy: PathBuf,
    /// Only this target
    #[arg(long, value_name = "TARGET")]
    target: Option<TargetName>,
    /// Credentials profile of the operator, instead of the policy's roles; TARGET=PROFILE where a
    /// target needs its own
    #[arg(long, value_name = "[TARGET=]PROFILE")]
    profile: Vec<OperatorProfile>,
}

pub async fn run(around: Surroundings<'_>, verb: &Verb) -> Outcome {
    let (Verb::Init(args) | Verb::Probe(args) | Verb::Policy(args)) = verb;
    let loaded = load(&args.policy)?;
    let request = VaultRequest {
        target: args.target.clone(),
        profiles: args.profile.clone(),
    };
    match verb {
        Verb::Init(_) => init(around, &loaded, &request).await,
        Verb::Probe(_) => probe(around, &loaded, &request).await,
        Verb::Policy(_) => bucket_policy(&loaded, &request),
    }
}

async fn init(around: Surroundings<'_>, loaded: &Loaded, request: &VaultRequest) -> Outcome {
    let vaults = vault::init(around, loaded, request).await?;
    let mut answer = Answer::new("dr/vault-init/1", loaded.measured_on());
    for (made, target) in vaults.made.iter().filter_map(|m| {
        let target = loaded.policy.target(&m.target)?;
        Some((m, target))
    }) {
        answer.line(format!(
            "target {}: bucket {} in {}, Object Lock, versioning, {} for {}",
            made.target,
            made.bucket,
            made.region,
            target.lock.mode.as_str(),
            target.lock.retention
        ));
        let what = match made.was {
            BucketFound::Created => "created",
            BucketFound::Adopted => "exists, with Object Lock",
        };
        answer.line(format!("  {what}"));
    }
    show_probes(&mut answer, &vaults.probes);
    answer.line(format!("vault {}", vaults.id));
    let made = vaults.made.iter().map(|m| {
        let created = m.was == BucketFound::Created;
        json!({"target": m.target, "bucket": m.bucket, "region": m.region, "created": created})
    });
    answer.set("run", &vaults.run);
    answer.set("vault", &vaults.id);
    answer.set("targets", made.collect::<Vec<Value>>());
    answer.findings = vaults.findings;
    Ok(answer)
}

async fn probe(around: Surroundings<'_>, loaded: &Loaded, request: &VaultRequest) -> Outcome {
    let probes = vault::probe(around, loaded, request).await?;
    let mut answer = Answer::new("dr/vault-probe/1", loaded.measured_on());
    answer.set("run", &probes.run);
    show_probes(&mut answer, &probes.probes);
    answer.findings = probes.findings;
    Ok(answer)
}

fn bucket_policy(loaded: &Loaded, request: &VaultRequest) -> Outcome {
    let policies = vault::bucket_policies(loaded, request)?;
    let mut answer = Answer::new("dr/vault-policy/1", "aws");
    let mut all = Map::new();
    for (target, policy) in policies.0 {
        answer.block(serde_json::to_string_pretty(&policy).expect("a policy is text and lists"));
        all.insert(target.to_string(), policy);
    }
    answer.set("bucket_policies", all);
    Ok(answer)
}
