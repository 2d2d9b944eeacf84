//! Creates or adopts the policy's buckets, under an operator's own credentials, and probes them.

use super::VaultRequest;
use super::probe::{Probed, probe_one};
use crate::aws::Kind;
use crate::aws::s3::BucketState;
use crate::manifest::{Document, Vault as VaultDocument};
use crate::model::{BucketName, Region, Role, TargetName, VaultId};
use crate::operations::{Loaded, Surroundings};
use crate::plan::PlanTarget;
use crate::policy::Target;
use crate::report::{Code, Fail, Finding, Hint};
use crate::targets::{open, skew};
use crate::vault::{Key, Vault};
use jiff::Timestamp;

pub struct Vaults {
    pub id: VaultId,
    pub made: Vec<Made>,
    pub probes: Vec<Probed>,
    pub findings: Vec<Finding>,
}

/// A bucket that is a vault now.
pub struct Made {
    pub target: TargetName,
    pub bucket: BucketName,
    pub region: Region,
    /// It was not there before.
    pub created: bool,
}

/// # Errors
/// A bucket without Object Lock or of another vault (13); the stores'.
pub async fn init(
    around: Surroundings<'_>,
    loaded: &Loaded,
    request: &VaultRequest,
) -> Result<Vaults, Fail> {
    let (mut made, mut vaults) = (Vec::new(), Vec::new());
    let mut id: Option<VaultId> = None;
    for target in request.targets(loaded)? {
        let (plan_target, clients) = request.at(loaded, target, around.world.now())?;
        let vault = open(&clients, Role::Copier, &plan_target).await;
        // A crash after it leaves an empty bucket with Object Lock, which the next one adopts.
        let created = create_bucket(&vault, target).await?;
        id = one_id(id, &vault, target).await?;
        made.push(Made {
            target: target.name.clone(),
            bucket: target.bucket.clone(),
            region: target.region.clone(),
            created,
        });
        vaults.push((plan_target, vault));
    }
    let id = id.unwrap_or_else(|| VaultId(around.world.random_hex(16)));
    describe(around, &id, &vaults).await?;
    let (mut probes, mut findings) = (Vec::new(), Vec::new());
    for (target, vault) in &vaults {
        let probed = probe_one(around, loaded, target, vault).await?;
        findings.extend(probed.finding());
        probes.push(probed);
    }
    if request.target.is_none() && findings.is_empty() && !probes.iter().any(Probed::capable) {
        let message =
            "no target decides a race of conditional writes, so none can hold the journal";
        let finding = Finding::error(Code::NoCapableTarget, message);
        findings.push(finding.thing(&loaded.policy.name).place(&loaded.file));
    }
    Ok(Vaults {
        id,
        made,
        probes,
        findings,
    })
}

/// The vault's id is the same in every bucket of the policy.
async fn one_id(
    known: Option<VaultId>,
    vault: &Vault,
    target: &Target,
) -> Result<Option<VaultId>, Fail> {
    let Some(found) = vault.find::<VaultDocument>(&Key::Vault.to_string()).await? else {
        return Ok(known);
    };
    match known {
        Some(id) if id != found.id => Err(Fail::new(
            Code::VaultForeign,
            format!(
                "bucket {} already holds vault {}, the other targets hold another one; choose \
                 another bucket for this target",
                target.bucket, found.id
            ),
        )),
        _ => Ok(Some(found.id)),
    }
}

/// `vault.json` where it is not there yet.
async fn describe(
    around: Surroundings<'_>,
    id: &VaultId,
    vaults: &[(PlanTarget, Vault)],
) -> Result<(), Fail> {
    let key = Key::Vault.to_string();
    // One document for all targets.
    let mut document: Option<Vec<u8>> = None;
    for (target, vault) in vaults {
        let now = vault.now().await?;
        skew(around.world, now, &target.name)?;
        if vault.find::<VaultDocument>(&key).await?.is_none() {
            let created = Timestamp::from_second(now.as_second()).unwrap_or(now);
            let id = id.clone();
            let new = || VaultDocument { id, created }.to_bytes();
            let bytes = document.get_or_insert_with(new).clone();
            // A crash between two of them leaves a vault whose id the next one takes.
            vault
                .create(&key, bytes.into(), Some(target.evidence_lock()))
                .await?;
        }
    }
    Ok(())
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
    let bucket = &target.bucket;
    let look = |what: &str| Hint::shell(format!("aws s3api {what} --bucket {bucket}"));
    if !state.object_lock || !state.versioning {
        return Err(Fail::new(
            Code::TargetWithoutLock,
            format!(
                "bucket {bucket} of target {} has no Object Lock; copies there could be deleted. \
                 Name a bucket that does not exist yet: `dr vault init` creates it with \
                 Object Lock",
                target.name
            ),
        ));
    }
    let mut rules = state.expiring_rules.iter();
    if let Some((rule, prefix)) = rules.find(|(_, p)| !p.starts_with("probe/")) {
        let message = format!(
            "lifecycle rule `{rule}` of bucket {bucket} expires what is under `{prefix}` by age"
        );
        let fail = Fail::new(Code::LifecycleExpires, message);
        return Err(fail.hint(look("get-bucket-lifecycle-configuration")));
    }
    if let Some((mode, days)) = state.default_retention
        && days > target.lock.max_lock_days
    {
        let message = format!(
            "bucket {bucket} locks everything for {days} days ({}) by default, more than \
             max_lock_days: {}",
            mode.as_str(),
            target.lock.max_lock_days
        );
        let fail = Fail::new(Code::DefaultRetentionLong, message);
        return Err(fail.hint(look("get-object-lock-configuration")));
    }
    Ok(())
}
