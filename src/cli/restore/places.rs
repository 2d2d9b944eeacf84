//! The vaults that a restore can read: one named by its URL, or those of a policy.

use super::Args;
use crate::aws::{Clients, Credential, Keys, Tuning};
use crate::cli::load::{Loaded, load};
use crate::cli::output::Fail;
use crate::manifest::VaultId;
use crate::plan::PlanTarget;
use crate::policy::{
    BucketName, LockMode, Policy, PolicyName, Provider, Role, Seconds, TargetName, parse,
};
use crate::steps::open;
use crate::vault::{PointRef, Vault, layout};
use crate::world::World;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Newest points that are read whole, and newest ones with proofs.
const NEWEST: usize = 10;
/// Newest points that are tried until one says which target this vault is.
const MOST_LOOKED_AT: usize = 200;
const NEWEST_WITH_PROOFS: usize = 10;
/// Ten years. The lock of a restore's journal is as long as that of the point that names the vault,
/// and a planted point may say anything.
const MOST_KEPT: SignedDuration = SignedDuration::from_hours(24 * 3653);

/// One target that answers, with its points.
pub struct Place {
    pub target: PlanTarget,
    pub vault: Vault,
    pub name: PolicyName,
    pub id: VaultId,
    pub points: Vec<PointRef>,
    pub capable: bool,
    pub policy: Option<Policy>,
    pub now: Timestamp,
}

pub struct Places {
    pub clients: Clients,
    pub places: Vec<Place>,
    pub away: Vec<(TargetName, String)>,
    pub endpoints: Endpoints,
}

/// `--endpoint URL` is the vault's S3; `--endpoint rds=URL` and so on name others.
#[derive(Clone, Debug, Default)]
pub struct Endpoints(BTreeMap<String, String>);

impl Endpoints {
    /// # Errors
    /// Exit 2: not a URL, plain HTTP to another host, an unknown service.
    pub fn parse(flags: &[String]) -> Result<Self, Fail> {
        let mut endpoints = BTreeMap::new();
        for flag in flags {
            let (service, url) = match flag.split_once('=') {
                Some((service, url)) if !service.contains(':') => (service, url),
                _ => ("s3", flag.as_str()),
            };
            if !["s3", "rds", "sts"].contains(&service) {
                return Err(Fail::usage(format!(
                    "--endpoint {flag}: no service `{service}`; services are s3, rds and sts"
                )));
            }
            crate::policy::endpoint_allowed(url)
                .map_err(|why| Fail::usage(format!("--endpoint {service}: {why}")))?;
            endpoints.insert(service.to_owned(), url.trim_end_matches('/').to_owned());
        }
        Ok(Self(endpoints))
    }

    pub fn of(&self, service: &str) -> Option<String> {
        self.0.get(service).cloned()
    }
}

/// # Errors
/// 12 where nothing answers; 2 for flags that contradict each other.
pub async fn find(world: &World, args: &Args) -> Result<Places, Fail> {
    match (&args.from, &args.policy) {
        (Some(url), None) => from_vault(world, args, url).await,
        (None, Some(file)) => from_policy(world, args, &load(file)?).await,
        _ => Err(
            Fail::usage("say where to restore from: a vault or a policy, not both")
                .hint("dr restore --from s3://BUCKET --region REGION"),
        ),
    }
}

async fn from_policy(world: &World, args: &Args, loaded: &Loaded) -> Result<Places, Fail> {
    let clients = loaded.clients(args.profile.as_deref());
    let (mut places, mut away) = (Vec::new(), Vec::new());
    for target in loaded.targets(world.now()) {
        if args.target.as_ref().is_some_and(|t| t != &target.name) {
            continue;
        }
        let vault = open(&clients, Role::Restorer, &target).await;
        let name = target.name.clone();
        match place(
            vault,
            target,
            loaded.policy.name.clone(),
            Some(loaded.policy.clone()),
            args,
        )
        .await
        {
            Ok(place) => places.push(place),
            Err(fail) => away.push((name, fail.message)),
        }
    }
    if let Some(name) = args
        .target
        .as_ref()
        .filter(|t| loaded.policy.target(t).is_none())
    {
        return Err(loaded.no_target(name));
    }
    ready(clients, places, away, Endpoints::parse(&args.endpoint)?)
}

fn ready(
    clients: Clients,
    places: Vec<Place>,
    away: Vec<(TargetName, String)>,
    endpoints: Endpoints,
) -> Result<Places, Fail> {
    if places.is_empty() {
        let why: Vec<String> = away.iter().map(|(t, w)| format!("{t}: {w}")).collect();
        return Err(Fail::new(
            crate::cli::Exit::Unavailable,
            "target-unavailable",
            format!("no target can be read: {}", why.join("; ")),
        )
        .hint("dr restore --from s3://BUCKET --region REGION   (another vault)"));
    }
    Ok(Places {
        clients,
        places,
        away,
        endpoints,
    })
}

/// `s3://BUCKET`
fn bucket_of(url: &str) -> Result<BucketName, Fail> {
    let name = url
        .strip_prefix("s3://")
        .map(|b| b.trim_end_matches('/'))
        .filter(|b| !b.is_empty() && !b.contains('/'));
    name.map(BucketName::new)
        .ok_or_else(|| Fail::usage(format!("--from {url}: write it like s3://BUCKET")))
}

async fn from_vault(world: &World, args: &Args, url: &str) -> Result<Places, Fail> {
    let bucket = bucket_of(url)?;
    let region = args.region.clone().ok_or_else(|| {
        Fail::usage("--from needs --region, the region of the vault")
            .hint(format!("dr restore --from {url} --region REGION"))
    })?;
    let endpoints = Endpoints::parse(&args.endpoint)?;
    let only = args.profile.as_ref().map(|p| Credential::Profile {
        name: p.clone(),
        file: None,
    });
    let keys = Keys {
        file: None,
        profiles: BTreeMap::new(),
        by_target: BTreeMap::new(),
        only,
    };
    let tuning = Tuning {
        connect: Seconds(3),
        call: Seconds(60),
        attempts: 4,
    };
    let sts = endpoints
        .of("sts")
        .map(|url| (region.clone(), url))
        .into_iter()
        .collect();
    let clients = Clients::new(keys, tuning, sts, args.postgres_ca_file.clone());
    let now = world.now();
    let guess = |name: &str, provider, lock_mode, retain_until| PlanTarget {
        name: TargetName::new(name),
        region: region.clone(),
        bucket: bucket.clone(),
        account: None,
        provider,
        endpoint: endpoints.of("s3"),
        kms_key: None,
        lock_mode,
        retain_until,
    };
    let first = guess("vault", Provider::Aws, LockMode::Compliance, now);
    let vault = open(&clients, Role::Restorer, &first).await;
    let name = policy_name(&vault, args).await?;
    // The vault itself says which of its policy's targets it is.
    let slots = vault.slots(&name, "").await?;
    let (mut other, mut unread) = (None, None);
    for slot in slots.iter().take(MOST_LOOKED_AT) {
        let point = match vault
            .find::<crate::manifest::Point>(&layout::point(&name, slot))
            .await
        {
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
        let Some(own) = point
            .targets
            .iter()
            .find(|t| t.bucket == bucket && t.region == region)
        else {
            let known: Vec<String> = point
                .targets
                .iter()
                .map(|t| format!("s3://{} --region {}", t.bucket, t.region))
                .collect();
            other.get_or_insert_with(|| {
                Fail::usage(format!(
                    "this vault calls its buckets {}, not {url} --region {region}",
                    known.join(", ")
                ))
            });
            continue;
        };
        let until =
            Timestamp::from_second((now + kept_for(own.retain_until, point.at)).as_second())
                .unwrap_or(now);
        let target = guess(own.name.as_str(), own.provider, own.lock_mode, until);
        let vault = open(&clients, Role::Restorer, &target).await;
        let policy = stored_policy(&vault, &point.policy_sha256.0).await;
        let place = place(vault, target, name, policy, args).await?;
        return ready(clients, vec![place], Vec::new(), endpoints);
    }
    Err(other.or(unread).unwrap_or_else(|| {
        Fail::new(
            crate::cli::Exit::Findings,
            "no-point",
            format!("vault {url} holds no recovery point of policy {name}"),
        )
        .hint("dr restore --from s3://BUCKET --region REGION   (another vault)")
    }))
}

/// How long a restore's journal is locked: as the point is, within bounds.
fn kept_for(retain_until: Timestamp, at: Timestamp) -> SignedDuration {
    retain_until
        .duration_since(at)
        .clamp(SignedDuration::from_hours(1), MOST_KEPT)
}

async fn policy_name(vault: &Vault, args: &Args) -> Result<PolicyName, Fail> {
    let names = vault.policies().await?;
    match (&args.of, &names[..]) {
        (Some(name), _) if names.contains(name) => Ok(name.clone()),
        (None, [one]) => Ok(one.clone()),
        (_, []) => Err(Fail::new(
            crate::cli::Exit::Findings,
            "no-point",
            format!("bucket {} holds no recovery point", vault.bucket.name),
        )
        .hint("dr restore --from s3://BUCKET --region REGION   (another vault)")),
        (wanted, _) => {
            let all: Vec<String> = names.iter().map(ToString::to_string).collect();
            let what = wanted.as_ref().map_or_else(
                || "several policies".to_owned(),
                |w| format!("no policy {w}"),
            );
            Err(
                Fail::usage(format!("the vault holds {what}: {}", all.join(", ")))
                    .hint(format!("dr restore … --of {}", all[0])),
            )
        }
    }
}

/// The policy as the vault keeps it: shapes of clusters come from it. Absence is no obstacle to a
/// restore.
async fn stored_policy(vault: &Vault, sha256: &str) -> Option<Policy> {
    let (bytes, _) = vault.oldest(&layout::policy(sha256)).await.ok()?;
    let text = String::from_utf8(bytes.to_vec()).ok()?;
    (crate::manifest::sha256_hex(text.as_bytes()).0 == sha256)
        .then(|| parse("policy", &text).ok())?
}

async fn place(
    vault: Vault,
    target: PlanTarget,
    name: PolicyName,
    policy: Option<Policy>,
    args: &Args,
) -> Result<Place, Fail> {
    let now = vault.now().await?;
    let index = vault.point_index(&name).await?;
    let mut wanted: BTreeSet<&String> = BTreeSet::new();
    match &args.point {
        Some(slot) => wanted.extend(index.iter().map(|(s, _)| s).filter(|s| *s == slot)),
        None => {
            let early_enough = |slot: &str| {
                args.before.is_none_or(|b| {
                    crate::schedule::Slot::from_compact(slot).is_none_or(|s| s.0 < b)
                })
            };
            let fitting = || index.iter().filter(|(s, _)| early_enough(s));
            wanted.extend(fitting().take(NEWEST).map(|(s, _)| s));
            wanted.extend(
                fitting()
                    .filter(|(_, proofs)| *proofs)
                    .take(NEWEST_WITH_PROOFS)
                    .map(|(s, _)| s),
            );
        }
    }
    let mut points = Vec::new();
    for slot in wanted.into_iter().rev() {
        // One point that is damaged must not hide the others.
        match vault.point(&name, slot).await {
            Ok(found) => points.extend(found),
            Err(e) if e.transient() => return Err(e.into()),
            Err(_) => {}
        }
    }
    let probe = vault.newest_probe(&target.name).await.ok().flatten();
    let capable = probe.is_some_and(|p| p.outcome.conditional);
    // A vault.json that is damaged is no obstacle: the id only names what is made.
    let document = vault
        .find::<crate::manifest::Vault>(layout::VAULT)
        .await
        .ok()
        .flatten();
    let id = document.map_or_else(|| VaultId("unknown".into()), |d| d.id);
    Ok(Place {
        target,
        vault,
        name,
        id,
        points,
        capable,
        policy,
        now,
    })
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
