//! The vaults that a restore can read: one named by its URL, or those of a policy.

use super::place::{Place, place};
use super::request::{FromVault, RestoreRequest, RestoreSource};
use crate::aws::{Clients, Credential, Keys, Tuning};
use crate::manifest::Point;
use crate::model::{
    LockMode, PolicyName, Provider, Role, Seconds, Sha256, TargetName, on_loopback,
};
use crate::operations::{Loaded, policy_copy};
use crate::plan::PlanTarget;
use crate::policy::{Policy, parse};
use crate::report::{Code, Exit, Fail, Hint, full};
use crate::targets::{Away, open};
use crate::vault::{Key, PointDocument, Vault};
use crate::world::World;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Newest points that are tried until one says which target this vault is.
const MOST_LOOKED_AT: usize = 200;
/// Ten years. The lock of a restore's journal is as long as that of the point that names the vault,
/// and a planted point may say anything.
const MOST_KEPT: SignedDuration = SignedDuration::from_hours(24 * 3653);
/// Where the vault's policy cannot be asked.
const TUNING: Tuning = Tuning {
    connect: Seconds(3),
    call: Seconds(60),
    attempts: 4,
};

pub struct Places {
    pub clients: Clients,
    pub places: Vec<Place>,
    pub away: Vec<Away>,
}

impl Places {
    pub fn measured_on(&self) -> &'static str {
        let mut endpoints = self
            .places
            .iter()
            .filter_map(|p| p.target.endpoint.as_deref());
        if endpoints.any(on_loopback) {
            "lab"
        } else {
            "aws"
        }
    }
}

/// # Errors
/// 12 where nothing answers; 2 for a vault that is not what it was called.
pub async fn reach(world: &World, request: &RestoreRequest) -> Result<Places, Fail> {
    match &request.source {
        RestoreSource::Vault(from) => from_vault(world, request, from).await,
        RestoreSource::Policy(loaded) => from_policy(world, request, loaded).await,
    }
}

async fn from_policy(
    world: &World,
    request: &RestoreRequest,
    loaded: &Loaded,
) -> Result<Places, Fail> {
    if let Some(name) = &request.target
        && loaded.policy.target(name).is_none()
    {
        return Err(loaded.no_target(name));
    }
    let clients = for_destination(loaded.clients(request.profile.as_deref()), request);
    let (mut places, mut away) = (Vec::new(), Vec::new());
    for target in loaded.targets(world.now()) {
        if request.target.as_ref().is_some_and(|t| t != &target.name) {
            continue;
        }
        let vault = open(&clients, Role::Restorer, &target).await;
        let (name, policy) = (target.name.clone(), Some(loaded.policy.clone()));
        match place(vault, target, &loaded.policy.name, policy, request).await {
            Ok(place) => places.push(place),
            Err(fail) => away.push(Away {
                name,
                why: full(&fail),
            }),
        }
    }
    if places.is_empty() {
        let why: Vec<String> = away
            .iter()
            .map(|a| format!("{}: {}", a.name, a.why))
            .collect();
        let message = format!("no target can be read: {}", why.join("; "));
        return Err(another_vault(Fail::new(Code::TargetUnavailable, message)));
    }
    Ok(Places {
        clients,
        places,
        away,
    })
}

fn another_vault(fail: Fail) -> Fail {
    let hint = Hint::dr("restore").arg("--from", "s3://BUCKET");
    fail.hint(hint.arg("--region", "REGION"))
}

/// The bucket that files go to can be another account's, with a key of its own.
fn for_destination(clients: Clients, request: &RestoreRequest) -> Clients {
    match (&request.bucket.bucket, &request.bucket.profile) {
        (Some(bucket), Some(profile)) => clients.with_bucket_profile(bucket, profile),
        _ => clients,
    }
}

/// Clients without a policy: one key for everything.
fn clients_alone(request: &RestoreRequest, from: &FromVault) -> Clients {
    let only = request.profile.as_ref().map(|name| Credential::Profile {
        name: name.clone(),
        file: None,
    });
    let keys = Keys {
        file: None,
        profiles: BTreeMap::new(),
        by_target: BTreeMap::new(),
        only,
    };
    let sts = request.endpoints.of("sts");
    let sts = sts.map(|url| (from.region.clone(), url)).into_iter();
    let ca_file = request.postgres_ca_file.clone();
    Clients::new(keys, TUNING, sts.collect(), ca_file)
}

async fn from_vault(
    world: &World,
    request: &RestoreRequest,
    from: &FromVault,
) -> Result<Places, Fail> {
    let clients = for_destination(clients_alone(request, from), request);
    let now = world.now();
    let guess = |name: TargetName, provider, lock_mode, retain_until| PlanTarget {
        name,
        region: from.region.clone(),
        bucket: from.bucket.clone(),
        account: None,
        provider,
        endpoint: request.endpoints.of("s3"),
        kms_key: None,
        lock_mode,
        retain_until,
    };
    let first = guess(
        TargetName::new("vault"),
        Provider::Aws,
        LockMode::Compliance,
        now,
    );
    let vault = open(&clients, Role::Restorer, &first).await;
    let name = policy_name(&vault, from).await?;
    let (point, at) = own_point(&vault, &name, from).await?;
    // The vault itself says which of its policy's targets it is.
    let own = &point.targets[at];
    let kept = now + kept_for(own.retain_until, point.at);
    let until = Timestamp::from_second(kept.as_second()).unwrap_or(now);
    let target = guess(own.name.clone(), own.provider, own.lock_mode, until);
    let vault = open(&clients, Role::Restorer, &target).await;
    let policy = stored_policy(&vault, &point.policy_sha256).await;
    let place = place(vault, target, &name, policy, request).await?;
    Ok(Places {
        clients,
        places: vec![place],
        away: Vec::new(),
    })
}

/// The newest point that says which of its targets this vault is, and which.
async fn own_point(
    vault: &Vault,
    name: &PolicyName,
    from: &FromVault,
) -> Result<(Point, usize), Fail> {
    let (mut other, mut unread) = (None, None);
    let (bucket, region) = (&from.bucket, &from.region);
    for slot in vault.slots(name).await?.into_iter().take(MOST_LOOKED_AT) {
        let key = Key::point(name, slot, PointDocument::Point).to_string();
        let point = match vault.find::<Point>(&key).await {
            Ok(Some(point)) => point,
            Ok(None) => continue,
            Err(e) if e.transient() => return Err(e.into()),
            // Whoever can write one point must not be able to hide the others, not by a key of KMS
            // that nobody may use either.
            Err(e) => {
                unread.get_or_insert_with(|| e.into());
                continue;
            }
        };
        let mut targets = point.targets.iter();
        if let Some(at) = targets.position(|t| t.bucket == *bucket && t.region == *region) {
            return Ok((point, at));
        }
        other.get_or_insert_with(|| {
            let known: Vec<String> = point
                .targets
                .iter()
                .map(|t| format!("s3://{} --region {}", t.bucket, t.region))
                .collect();
            Fail::usage(format!(
                "this vault calls its buckets {}, not s3://{bucket} --region {region}",
                known.join(", ")
            ))
        });
    }
    Err(other.or(unread).unwrap_or_else(|| {
        let message = format!("vault s3://{bucket} holds no recovery point of policy {name}");
        another_vault(Fail::new(Code::NoPoint, message))
    }))
}

/// How long a restore's journal is locked: as the point is, within bounds.
fn kept_for(retain_until: Timestamp, at: Timestamp) -> SignedDuration {
    retain_until
        .duration_since(at)
        .clamp(SignedDuration::from_hours(1), MOST_KEPT)
}

async fn policy_name(vault: &Vault, from: &FromVault) -> Result<PolicyName, Fail> {
    let names = vault.policies().await?;
    match (&from.of, &names[..]) {
        (Some(name), _) if names.contains(name) => Ok(name.clone()),
        (None, [one]) => Ok(one.clone()),
        (_, []) => {
            let message = format!("bucket {} holds no recovery point", vault.bucket.name);
            Err(another_vault(
                Fail::new(Code::NoPoint, message).exit(Exit::Findings),
            ))
        }
        (wanted, [first, ..]) => {
            let all: Vec<String> = names.iter().map(ToString::to_string).collect();
            let what = wanted.as_ref().map_or_else(
                || "several policies".to_owned(),
                |w| format!("no policy {w}"),
            );
            let message = format!("the vault holds {what}: {}", all.join(", "));
            Err(Fail::usage(message).hint(Hint::again("restore").arg("--of", first)))
        }
    }
}

/// The policy as the vault keeps it: shapes of clusters come from it. Absence is no obstacle to a
/// restore.
async fn stored_policy(vault: &Vault, sha256: &Sha256) -> Option<Policy> {
    let text = policy_copy::read(vault, sha256).await.ok()??;
    parse("policy", &text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_point_locks_no_journal_for_ever() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(
            kept_for(at("2026-12-24T00:00:00Z"), at("2026-11-24T00:00:00Z")),
            SignedDuration::from_hours(24 * 30)
        );
        assert_eq!(
            kept_for(at("9999-12-30T00:00:00Z"), at("2000-01-01T00:00:00Z")),
            MOST_KEPT
        );
        assert_eq!(
            kept_for(at("2000-01-01T00:00:00Z"), at("2026-11-24T00:00:00Z")),
            SignedDuration::from_hours(1)
        );
    }
}
