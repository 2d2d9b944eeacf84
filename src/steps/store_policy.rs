//! Stores a policy at one target.

use super::{Context, Perform};
use crate::model::Sha256;
use crate::plan::{PolicyStored, StorePolicy};
use crate::report::Fail;
use crate::vault::Key;

impl Perform for StorePolicy {
    async fn perform(&self, ctx: &Context<'_>) -> Result<PolicyStored, Fail> {
        let (target, vault) = (
            ctx.plan_target(&self.target)?,
            ctx.vault(&self.target).await?,
        );
        let text = ctx
            .policy
            .filter(|t| Sha256::of(t.as_bytes()) == self.policy);
        let text = text
            .ok_or_else(|| Fail::bug(format!("policy {} is not the one at hand", self.policy)))?;
        let key = Key::Policy(self.policy.clone()).to_string();
        if !vault.holds(&key).await? {
            let (bytes, lock) = (text.as_bytes().to_vec(), Some(target.evidence_lock()));
            // A crash right here leaves a policy that no run names yet: the next one is the same.
            vault.create(&key, bytes.into(), lock).await?;
        }
        let bytes = text.len() as u64;
        Ok(PolicyStored { bytes })
    }
}
