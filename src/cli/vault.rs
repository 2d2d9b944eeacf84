//! `dr vault init|probe|policy`: making a vault, proving its lock, and the bucket policy that goes
//! with it.

use super::exit::Exit;
use super::home::skew;
use super::load::{Loaded, load};
use super::output::{Answer, Fail, Finding, Outcome, Severity};
use super::runs::compact;
use crate::aws::s3::{BucketState, Lock};
use crate::aws::{Clients, Kind};
use crate::manifest::{Document, Vault as VaultDocument, VaultId};
use crate::plan::PlanTarget;
use crate::policy::{Provider, Role, Target, TargetName};
use crate::steps::open;
use crate::vault::{ProbeRecord, Vault, VaultError, Verdict, layout};
use crate::world::World;
use jiff::Timestamp;
use serde_json::{Value, json};
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
    profile: Vec<String>,
}

pub async fn run(world: &World, verb: &Verb) -> Outcome {
    match verb {
        Verb::Init(args) => init(world, args).await,
        Verb::Probe(args) => probe(world, args).await,
        Verb::Policy(args) => bucket_policy(args),
    }
}

fn chosen<'a>(loaded: &'a Loaded, only: Option<&TargetName>) -> Result<Vec<&'a Target>, Fail> {
    match only {
        None => Ok(loaded.policy.targets.iter().collect()),
        Some(name) => Ok(vec![
            loaded
                .policy
                .target(name)
                .ok_or_else(|| loaded.no_target(name))?,
        ]),
    }
}

/// The operator's profile at a target: `TARGET=PROFILE` first, else the one without a target.
fn profile<'a>(args: &'a Common, target: &TargetName) -> Option<&'a str> {
    let own = args.profile.iter().find_map(|p| {
        p.split_once('=')
            .filter(|(t, _)| *t == target.as_str())
            .map(|(_, p)| p)
    });
    own.or_else(|| {
        args.profile
            .iter()
            .map(String::as_str)
            .find(|p| !p.contains('='))
    })
}

fn vault_at(
    loaded: &Loaded,
    args: &Common,
    target: &Target,
    now: Timestamp,
) -> Result<(PlanTarget, Clients), Fail> {
    let plan_target = loaded
        .targets(now)
        .into_iter()
        .find(|t| t.name == target.name)
        .ok_or_else(|| loaded.no_target(&target.name))?;
    Ok((plan_target, loaded.clients(profile(args, &target.name))))
}

async fn init(world: &World, args: &Common) -> Outcome {
    let loaded = load(&args.policy)?;
    let mut answer = Answer::new("dr/vault-init/1");
    answer.measured_on = loaded.measured_on();
    let mut made = Vec::new();
    let mut id: Option<VaultId> = None;
    let mut vaults = Vec::new();
    for target in chosen(&loaded, args.target.as_ref())? {
        if let Some(name) = args
            .profile
            .iter()
            .filter_map(|p| p.split_once('='))
            .map(|(t, _)| t)
            .find(|t| loaded.policy.target(&TargetName::new(*t)).is_none())
        {
            return Err(loaded.no_target(&TargetName::new(name)));
        }
        let (plan_target, clients) = vault_at(&loaded, args, target, world.now())?;
        let vault = open(&clients, Role::Copier, &plan_target).await;
        answer.line(format!(
            "target {}: bucket {} in {}, Object Lock, versioning, {} for {}",
            target.name,
            target.bucket,
            target.region,
            target.lock.mode.as_str(),
            target.lock.retention
        ));
        let created = create_bucket(&vault, target).await?;
        answer.line(if created {
            "  created"
        } else {
            "  exists, with Object Lock"
        });
        if let Some(found) = vault.find::<VaultDocument>(layout::VAULT).await? {
            if id.as_ref().is_some_and(|known| *known != found.id) {
                return Err(Fail::refused(
                    "vault-foreign",
                    format!(
                        "bucket {} already holds vault {}, the other targets hold another one",
                        target.bucket, found.id
                    ),
                )
                .hint("choose another bucket for this target"));
            }
            id = Some(found.id);
        }
        made.push(
            json!({"target": target.name, "bucket": target.bucket, "region": target.region,
        "created": created}),
        );
        vaults.push((target, plan_target, vault));
    }
    let id = id.unwrap_or_else(|| VaultId(world.random_hex(16)));
    // One document for all targets: the vault's id is the same in every bucket of the policy.
    let mut document = None;
    for (target, plan_target, vault) in &vaults {
        let now = vault.now().await?;
        skew(world, now, &target.name)?;
        if vault.find::<VaultDocument>(layout::VAULT).await?.is_none() {
            let whole = Timestamp::from_second(now.as_second()).unwrap_or(now);
            let bytes = document
                .get_or_insert_with(|| {
                    VaultDocument {
                        id: id.clone(),
                        created: whole,
                    }
                    .to_bytes()
                })
                .clone();
            vault
                .create(layout::VAULT, bytes.into(), Some(lock(plan_target)))
                .await?;
        }
    }
    let mut capable = false;
    for (target, plan_target, vault) in &vaults {
        capable |= probe_one(world, &loaded, target, plan_target, vault, &mut answer).await?;
    }
    if !capable && args.target.is_none() && answer.exit == Exit::Done {
        let finding = Finding {
            code: "no-capable-target".into(),
            severity: Severity::Error,
            thing: loaded.policy.name.to_string(),
            place: loaded.file.clone(),
            hint: format!("dr vault probe --policy {}", loaded.file),
            message: "no target decides a race of conditional writes, so none can hold the journal"
                .into(),
        };
        answer.find(finding, Exit::Refused);
    }
    answer.line(format!("vault {id}"));
    answer.set("vault", &id);
    answer.set("targets", made);
    Ok(answer)
}

fn lock(target: &PlanTarget) -> Lock {
    Lock {
        mode: target.lock_mode,
        retain_until: target.retain_until,
    }
}

/// True where the bucket was created now. A bucket without lock is refused: it cannot be given one
/// silently.
async fn create_bucket(vault: &Vault, target: &Target) -> Result<bool, Fail> {
    match vault.bucket.state().await {
        Ok(state) => guard(&state, target).map(|()| false),
        Err(e) if e.kind == Kind::NotFound => {
            match vault.bucket.create_with_lock().await {
                Ok(()) => {}
                Err(e) if e.kind == Kind::Exists => {}
                Err(e) => return Err(e.into()),
            }
            guard(&vault.bucket.state().await?, target).map(|()| true)
        }
        Err(e) => Err(e.into()),
    }
}

fn guard(state: &BucketState, target: &Target) -> Result<(), Fail> {
    if !state.object_lock || !state.versioning {
        let fail = Fail::refused(
            "target-without-lock",
            format!(
                "bucket {} of target {} has no Object Lock; copies there could be deleted",
                target.bucket, target.name
            ),
        );
        return Err(fail.hint(
            "name a bucket that does not exist yet: dr vault init creates it with Object Lock",
        ));
    }
    if let Some((rule, prefix)) = state
        .expiring_rules
        .iter()
        .find(|(_, p)| !p.starts_with("probe/"))
    {
        let fail = Fail::refused(
            "lifecycle-expires",
            format!(
                "lifecycle rule `{rule}` of bucket {} expires what is under `{prefix}` by age",
                target.bucket
            ),
        );
        return Err(fail.hint(format!(
            "aws s3api get-bucket-lifecycle-configuration --bucket {}",
            target.bucket
        )));
    }
    if let Some((mode, days)) = state.default_retention
        && days > target.lock.max_lock_days
    {
        let fail = Fail::refused(
            "default-retention-long",
            format!(
                "bucket {} locks everything for {days} days ({}) by default, more than \
                 max_lock_days: {}",
                target.bucket,
                mode.as_str(),
                target.lock.max_lock_days
            ),
        );
        return Err(fail.hint(format!(
            "aws s3api get-object-lock-configuration --bucket {}",
            target.bucket
        )));
    }
    Ok(())
}

async fn probe(world: &World, args: &Common) -> Outcome {
    let loaded = load(&args.policy)?;
    let mut answer = Answer::new("dr/vault-probe/1");
    answer.measured_on = loaded.measured_on();
    for target in chosen(&loaded, args.target.as_ref())? {
        let (plan_target, clients) = vault_at(&loaded, args, target, world.now())?;
        let vault = open(&clients, Role::Prober, &plan_target).await;
        match probe_one(world, &loaded, target, &plan_target, &vault, &mut answer).await {
            Ok(_) => {}
            // One target that is away does not keep the others from being probed.
            Err(fail) if fail.exit == Exit::Unavailable => {
                let finding = Finding {
                    code: fail.code.clone(),
                    severity: Severity::Error,
                    thing: target.name.to_string(),
                    place: loaded.file.clone(),
                    hint: fail.hints.first().cloned().unwrap_or_default(),
                    message: fail.message.clone(),
                };
                answer.find(finding, fail.exit);
            }
            Err(fail) => return Err(fail),
        }
    }
    Ok(answer)
}

/// Probes and stores what was found. True: this target can be a home.
async fn probe_one(
    world: &World,
    loaded: &Loaded,
    target: &Target,
    plan_target: &PlanTarget,
    vault: &Vault,
    answer: &mut Answer,
) -> Result<bool, Fail> {
    let outcome = vault
        .probe(
            world,
            target.lock.mode,
            loaded.policy.probe.control,
            loaded.policy.probe.lock,
        )
        .await?;
    let at = vault.now().await?;
    let record = ProbeRecord {
        target: target.name.clone(),
        at,
        mode: target.lock.mode,
        outcome: outcome.clone(),
    };
    match vault
        .create(
            &layout::probe_record(&target.name, &compact(at)),
            record.to_bytes().into(),
            Some(lock(plan_target)),
        )
        .await
    {
        Ok(_) => {}
        // Two probes in one second say the same or the next one settles it.
        Err(VaultError::Taken { .. }) => {}
        Err(e) => return Err(e.into()),
    }
    let word = match outcome.verdict {
        Verdict::Locked => "locked",
        Verdict::Open => "OPEN",
        Verdict::Unknown => "unknown",
    };
    answer.line(format!(
        "  {}: {word}; conditional writes: {}; {}",
        target.name,
        if outcome.conditional {
            "yes, can be the home"
        } else {
            "no, cannot be the home"
        },
        outcome.why
    ));
    let mut probes = answer
        .fields
        .remove("probes")
        .and_then(|p| p.as_array().cloned())
        .unwrap_or_default();
    probes.push(json!({"target": target.name, "verdict": outcome.verdict,
    "conditional": outcome.conditional, "why": outcome.why}));
    answer.set("probes", Value::Array(probes));
    if outcome.verdict != Verdict::Locked {
        let code = if outcome.verdict == Verdict::Open {
            "lock-open"
        } else {
            "lock-unknown"
        };
        let finding = Finding {
            code: code.into(),
            severity: Severity::Error,
            thing: target.bucket.to_string(),
            place: target.name.to_string(),
            hint: format!(
                "aws s3api get-object-lock-configuration --bucket {}",
                target.bucket
            ),
            message: format!("target {} is refused: {}", target.name, outcome.why),
        };
        answer.find(finding, Exit::Refused);
    }
    Ok(outcome.conditional && outcome.verdict == Verdict::Locked)
}

fn bucket_policy(args: &Common) -> Outcome {
    let loaded = load(&args.policy)?;
    let mut answer = Answer::new("dr/vault-policy/1");
    let mut all = serde_json::Map::new();
    for target in chosen(&loaded, args.target.as_ref())?
        .into_iter()
        .filter(|t| t.provider == Provider::Aws)
    {
        let text = policy_of(target);
        answer.block(serde_json::to_string_pretty(&text).unwrap_or_default());
        all.insert(target.name.to_string(), text);
    }
    if all.is_empty() {
        return Err(
            Fail::usage("bucket policies are for targets on AWS; this one is elsewhere")
                .hint("see your provider's documentation for its own policies"),
        );
    }
    answer.set("bucket_policies", all);
    Ok(answer)
}

/// Deletes under journal prefixes denied, conditional writes required there, lock lengths bounded
/// outside `probe/`
/// (Amazon S3 user guide: `s3:if-none-match`, `s3:object-lock-remaining-retention-days`).
fn policy_of(target: &Target) -> Value {
    let arn = |path: &str| format!("arn:aws:s3:::{}/{path}", target.bucket);
    let kept = ["runs/*", "points/*", "policies/*", "targets/*"].map(arn);
    let days = target.lock.retention.0.div_ceil(86_400).max(1);
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "KeepEvidence", "Effect": "Deny", "Principal": "*",
            "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"], "Resource": kept},
            {"Sid": "CreateOnlyEvidence", "Effect": "Deny", "Principal": "*",
            "Action": "s3:PutObject", "Resource": kept,
             "Condition": {"Null": {"s3:if-none-match": "true"},
             "Bool": {"s3:ObjectCreationOperation": "true"}}},
            {"Sid": "LockNotTooLong", "Effect": "Deny", "Principal": "*",
            "Action": "s3:PutObjectRetention", "NotResource": arn("probe/*"),
             "Condition": {"NumericGreaterThan": {
                 "s3:object-lock-remaining-retention-days":
                     target.lock.max_lock_days.to_string()}}},
            {"Sid": "LockNotTooShort", "Effect": "Deny", "Principal": "*",
            "Action": "s3:PutObjectRetention", "NotResource": arn("probe/*"),
             "Condition": {"NumericLessThan": {
                 "s3:object-lock-remaining-retention-days":
                     days.saturating_sub(1).max(1).to_string()}}},
            {"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [arn("*"), format!("arn:aws:s3:::{}", target.bucket)],
             "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
        ]
    })
}
