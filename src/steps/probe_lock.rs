//! Tries the lock of one target.

use super::{Context, Perform};
use crate::plan::{LockProbed, ProbeLock};
use crate::report::{Code, Fail};
use crate::vault::{VaultError, Verdict};

impl Perform for ProbeLock {
    async fn perform(&self, ctx: &Context<'_>) -> Result<LockProbed, Fail> {
        let (target, lock) = (&self.target, ctx.lock(&self.target)?);
        let vault = ctx.vault(target).await?;
        let outcome = vault
            .probe(ctx.world, lock.mode, self.control, self.lock)
            .await?;
        let evidence = ctx.plan_target(target)?.evidence_lock();
        match vault.store_probe(&outcome, evidence).await {
            // Two probes in one second say the same, or the next one settles it.
            Ok(()) | Err(VaultError::Taken { .. }) => {}
            Err(e) => return Err(e.into()),
        }
        match outcome.verdict {
            Verdict::Locked => Ok(LockProbed {
                conditional: outcome.conditional,
                why: outcome.why,
            }),
            Verdict::Open => Err(Fail::new(
                Code::LockOpen,
                format!("target {target} is refused: {}", outcome.why),
            )),
            Verdict::Unknown => Err(Fail::new(
                Code::LockUnknown,
                format!("target {target} is refused: {}", outcome.why),
            )),
        }
    }
}
