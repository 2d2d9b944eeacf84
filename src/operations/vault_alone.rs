//! A vault without its policy file: its URL, a key, and what it says of itself. What is stored
//! leads nowhere else: of the policy that lies there no endpoint, no key and no other target is
//! used.

mod policy;

use crate::aws::{Clients, Credential, Keys, Tuning};
use crate::manifest::Point;
use crate::model::{
    BucketName, Lock, LockMode, PolicyName, Provider, Region, Role, Seconds, TargetName,
    endpoint_allowed,
};
use crate::plan::{PlanTarget, plan_targets};
use crate::policy::Policy;
use crate::report::{Code, Exit, Fail, Hint};
use crate::targets::open;
use crate::vault::Vault;
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

/// A vault alone, and what it is read with.
#[derive(Clone, Debug)]
pub struct FromVault {
    pub bucket: BucketName,
    pub region: Region,
    /// Which policy's points, where the vault holds several.
    pub of: Option<PolicyName>,
    /// Credentials profile; absent: the platform's own chain.
    pub profile: Option<String>,
    pub endpoints: Endpoints,
    /// What was typed, for hints.
    pub verb: &'static str,
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
            endpoint_allowed(url)
                .map_err(|why| Fail::usage(format!("--endpoint {service}: {why}")))?;
            endpoints.insert(service.to_owned(), url.trim_end_matches('/').to_owned());
        }
        Ok(Self(endpoints))
    }

    pub fn of(&self, service: &str) -> Option<String> {
        self.0.get(service).cloned()
    }
}

/// What a vault says of itself.
pub struct Own {
    /// The newest point that names this vault.
    pub point: Point,
    pub policy: PolicyName,
    /// Which of the point's targets it is.
    pub target: PlanTarget,
    pub vault: Vault,
}

impl Own {
    /// The bucket's policy may demand for a journal what the stored policy gives; within bounds,
    /// for whoever stored it may have written anything.
    pub fn keep_evidence_by(&mut self, policy: &Policy, now: Timestamp) {
        let given = plan_targets(policy, now).into_iter();
        let mine = given.filter(|t| t.name == self.target.name);
        let until = mine.filter_map(|t| t.evidence_until).next();
        let most = Timestamp::from_second((now + MOST_KEPT).as_second()).unwrap_or(now);
        // Never less than what the point itself is locked for.
        self.target.evidence_until = until.map(|t| t.max(self.target.retain_until).min(most));
    }
}

impl FromVault {
    /// One key for everything.
    pub fn clients(&self, postgres_ca_file: Option<String>) -> Clients {
        let only = self.profile.as_ref().map(|name| Credential::Profile {
            name: name.clone(),
            file: None,
        });
        let keys = Keys {
            file: None,
            profiles: BTreeMap::new(),
            by_target: BTreeMap::new(),
            by_source: BTreeMap::new(),
            only,
        };
        let sts = self.endpoints.of("sts");
        let sts = sts.map(|url| (self.region.clone(), url)).into_iter();
        Clients::new(keys, TUNING, sts.collect(), postgres_ca_file)
    }

    fn target(&self, name: TargetName, provider: Provider, lock: Lock) -> PlanTarget {
        PlanTarget {
            name,
            region: self.region.clone(),
            bucket: self.bucket.clone(),
            account: None,
            provider,
            endpoint: self.endpoints.of("s3"),
            kms_key: None,
            lock_mode: lock.mode,
            retain_until: lock.retain_until,
            evidence_until: None,
        }
    }

    /// Asks the vault itself which of its policy's targets it is.
    ///
    /// # Errors
    /// 2 for a vault that is not what it was called, or that holds several policies; the store's.
    pub async fn own(&self, world: &World, clients: &Clients, role: Role) -> Result<Own, Fail> {
        let now = world.now();
        let lock = |mode, retain_until| Lock { mode, retain_until };
        let first = self.target(
            TargetName::new("vault"),
            Provider::Aws,
            lock(LockMode::Compliance, now),
        );
        let vault = open(clients, role, &first).await;
        let policy = self.policy_name(&vault).await?;
        let (point, at) = self.own_point(&vault, &policy).await?;
        let own = &point.targets[at];
        let kept = now + kept_for(own.retain_until, point.slot.time().max(point.opened_at));
        let until = Timestamp::from_second(kept.as_second()).unwrap_or(now);
        let target = self.target(own.name.clone(), own.provider, lock(own.lock_mode, until));
        let vault = open(clients, role, &target).await;
        Ok(Own {
            point,
            policy,
            target,
            vault,
        })
    }

    async fn policy_name(&self, vault: &Vault) -> Result<PolicyName, Fail> {
        let names = vault.policies().await?;
        match (&self.of, &names[..]) {
            (Some(name), _) if names.contains(name) => Ok(name.clone()),
            (None, [one]) => Ok(one.clone()),
            (_, []) => {
                let message = format!("bucket {} holds no recovery point", vault.bucket.name);
                Err(self.another_vault(Fail::new(Code::NoPoint, message).exit(Exit::Findings)))
            }
            (wanted, [first, ..]) => {
                let all: Vec<String> = names.iter().map(ToString::to_string).collect();
                let what = wanted.as_ref().map_or_else(
                    || "several policies".to_owned(),
                    |w| format!("no policy {w}"),
                );
                let message = format!("the vault holds {what}: {}", all.join(", "));
                Err(Fail::usage(message).hint(Hint::again(self.verb).arg("--of", first)))
            }
        }
    }

    /// Another one may hold what this one does not.
    fn another_vault(&self, fail: Fail) -> Fail {
        let hint = Hint::dr(self.verb).arg("--from", "s3://BUCKET");
        fail.hint(hint.arg("--region", "REGION"))
    }
}

/// How long a restore's journal is locked: as the point is, within bounds.
fn kept_for(retain_until: Timestamp, at: Timestamp) -> SignedDuration {
    retain_until
        .duration_since(at)
        .clamp(SignedDuration::from_hours(1), MOST_KEPT)
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
