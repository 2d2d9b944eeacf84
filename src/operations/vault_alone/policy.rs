//! Which point of a vault names it, and the policy that it was made by.

use super::{FromVault, MOST_KEPT, MOST_LOOKED_AT, Own};
use crate::manifest::Point;
use crate::model::{PolicyName, Role, Seconds, Sha256};
use crate::operations::policy_file::stored_policy;
use crate::operations::{Loaded, policy_copy};
use crate::policy::{Endpoints as PolicyEndpoints, Policy, Source};
use crate::report::{Code, Exit, Fail};
use crate::vault::{Key, PointDocument, Vault};
use crate::world::World;
use std::collections::{BTreeMap, BTreeSet};

impl FromVault {
    /// The policy that the newest point was made by, cut down to this vault: it names no other
    /// target, endpoint or key.
    ///
    /// # Errors
    /// As [`FromVault::own`]; 3 where the policy is not there or cannot be read.
    pub async fn loaded(&self, world: &World, role: Role) -> Result<Loaded, Fail> {
        let own = self.own(world, &self.clients(None), role).await?;
        let (text, sha256, policy) = self.readable(&own).await?;
        Ok(Loaded {
            file: format!("s3://{}", self.bucket),
            sha256,
            text,
            policy,
            profile: self.profile.clone(),
            warnings: Vec::new(),
        })
    }

    /// The policy of the newest point that has one which can be read and names this vault: whoever
    /// can write one point must not be able to hide the others.
    async fn readable(&self, own: &Own) -> Result<(String, Sha256, Policy), Fail> {
        let (vault, newest) = (&own.vault, own.point.slot);
        let mut tried: BTreeSet<Sha256> = BTreeSet::new();
        for slot in vault
            .slots(&own.policy)
            .await?
            .into_iter()
            .take(MOST_LOOKED_AT)
        {
            if slot > newest {
                continue;
            }
            let key = Key::point(&own.policy, slot, PointDocument::Point).to_string();
            let point = match vault.find::<Point>(&key).await {
                Ok(Some(point)) => point,
                Err(e) if e.transient() => return Err(e.into()),
                Ok(None) | Err(_) => continue,
            };
            let sha256 = point.policy_sha256;
            if !tried.insert(sha256.clone()) {
                continue;
            }
            let Some(text) = policy_copy::read(vault, &sha256).await? else {
                continue;
            };
            let policy = stored_policy(&text).filter(|p| p.name == own.policy);
            if let Some(policy) = policy.and_then(|p| self.narrowed(p, own)) {
                return Ok((text, sha256, policy));
            }
        }
        let place = format!(
            "s3://{}/{}",
            self.bucket,
            Key::Policy(own.point.policy_sha256.clone())
        );
        let message = format!(
            "{place}, the policy of the newest point, cannot be read or does not name target {}, \
             and no older point has one that does",
            own.target.name
        );
        Err(Fail::new(Code::Missing, message)
            .exit(Exit::Findings)
            .at(&place))
    }

    fn narrowed(&self, mut policy: Policy, own: &Own) -> Option<Policy> {
        policy.targets.retain(|t| t.name == own.target.name);
        let target = policy.targets.first_mut()?;
        target.bucket = self.bucket.clone();
        target.region = self.region.clone();
        target.provider = own.target.provider;
        target.profiles.clear();
        // Whoever stored it may have written anything, and a journal is locked by it.
        let most = Seconds(MOST_KEPT.as_secs().unsigned_abs());
        target.lock.retention = target.lock.retention.min(most);
        if let Some(evidence) = &mut policy.evidence {
            evidence.retention = evidence.retention.min(most);
        }
        for source in &mut policy.sources {
            if let Source::Bucket(bucket) = source {
                bucket.endpoint = None;
                bucket.profiles.clear();
            }
        }
        let endpoints = PolicyEndpoints {
            s3: self.endpoints.of("s3"),
            rds: self.endpoints.of("rds"),
            sts: self.endpoints.of("sts"),
            kms: None,
        };
        policy.endpoints = BTreeMap::from([(self.region.clone(), endpoints)]);
        policy.credentials.file = None;
        policy.credentials.profiles.clear();
        policy.credentials.postgres_ca_file = None;
        Some(policy)
    }

    /// The newest point that says which of its targets this vault is, and which.
    pub(super) async fn own_point(
        &self,
        vault: &Vault,
        name: &PolicyName,
    ) -> Result<(Point, usize), Fail> {
        let (mut other, mut unread) = (None, None);
        let (bucket, region) = (&self.bucket, &self.region);
        for slot in vault.slots(name).await?.into_iter().take(MOST_LOOKED_AT) {
            let key = Key::point(name, slot, PointDocument::Point).to_string();
            let point = match vault.find::<Point>(&key).await {
                Ok(Some(point)) => point,
                Ok(None) => continue,
                Err(e) if e.transient() => return Err(e.into()),
                // Whoever can write one point must not be able to hide the others, not by a key
                // of KMS that nobody may use either.
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
            self.another_vault(Fail::new(Code::NoPoint, message))
        }))
    }
}
