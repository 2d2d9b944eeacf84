//! Makes a bucket with Object Lock, or adopts one, and says in it which vault it is.

use super::{Context, Perform};
use crate::aws::Kind;
use crate::aws::s3::BucketState;
use crate::manifest::{Document, Vault as VaultDocument};
use crate::model::VaultId;
use crate::plan::{BucketFound, MakeVault, PlanTarget, VaultMade};
use crate::report::{Code, Fail, Hint};
use crate::targets::skew;
use crate::vault::{Key, Vault};

impl Perform for MakeVault {
    async fn perform(&self, ctx: &Context<'_>) -> Result<VaultMade, Fail> {
        let (target, vault) = (
            ctx.plan_target(&self.target)?,
            ctx.vault(&self.target).await?,
        );
        // A crash after it leaves an empty bucket with Object Lock, which the next one adopts.
        let bucket = create_bucket(&vault, target, self.max_lock_days).await?;
        skew(ctx.world, vault.now().await?, &self.target)?;
        let key = Key::Vault.to_string();
        self.same_elsewhere(ctx).await?;
        match vault.find::<VaultDocument>(&key).await? {
            Some(found) if found.id != self.vault => {
                return Err(self.foreign(target, &found.id));
            }
            Some(_) => {}
            None => {
                let (id, created) = (self.vault.clone(), self.created);
                let bytes = VaultDocument { id, created }.to_bytes();
                // A crash between two targets leaves a vault whose id the next one takes.
                let lock = Some(target.evidence_lock());
                vault.create(&key, bytes.into(), lock).await?;
            }
        }
        Ok(VaultMade { bucket })
    }
}

impl MakeVault {
    /// Two commands at once would each give the buckets that they come to first an id of their own.
    async fn same_elsewhere(&self, ctx: &Context<'_>) -> Result<(), Fail> {
        for other in ctx.plan.targets.iter().filter(|t| t.name != self.target) {
            let vault = ctx.vault(&other.name).await?;
            // One that cannot be read says nothing; whoever planned this has asked them all.
            let found = vault.find::<VaultDocument>(&Key::Vault.to_string()).await;
            if let Ok(Some(found)) = found
                && found.id != self.vault
            {
                return Err(self.foreign(other, &found.id));
            }
        }
        Ok(())
    }

    fn foreign(&self, target: &PlanTarget, found: &VaultId) -> Fail {
        Fail::new(
            Code::VaultForeign,
            format!(
                "bucket {} of target {} already holds vault {found}, not {}; type the same again \
                 if another one was at work, else choose another bucket for this target",
                target.bucket, target.name, self.vault
            ),
        )
    }
}

/// A bucket without lock is refused: it cannot be given one silently.
async fn create_bucket(vault: &Vault, target: &PlanTarget, days: u32) -> Result<BucketFound, Fail> {
    match vault.bucket.state().await {
        Ok(state) => guard(&state, target, days).map(|()| BucketFound::Adopted),
        Err(e) if e.kind == Kind::NotFound => {
            match vault.bucket.create_with_lock().await {
                Ok(()) => {}
                Err(e) if e.kind == Kind::Exists => {}
                Err(e) => return Err(e.into()),
            }
            let state = vault.bucket.state().await?;
            guard(&state, target, days).map(|()| BucketFound::Created)
        }
        Err(e) => Err(e.into()),
    }
}

fn guard(state: &BucketState, target: &PlanTarget, most_days: u32) -> Result<(), Fail> {
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
        && days > most_days
    {
        let message = format!(
            "bucket {bucket} locks everything for {days} days ({}) by default, more than \
             max_lock_days: {most_days}",
            mode.as_str()
        );
        let fail = Fail::new(Code::DefaultRetentionLong, message);
        return Err(fail.hint(look("get-object-lock-configuration")));
    }
    Ok(())
}
