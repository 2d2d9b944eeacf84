//! Brings proofs of a closed drill to a target that did not take them then.

use super::{Context, Perform};
use crate::manifest::{Document, Proof};
use crate::model::{Lock, ObjectKey};
use crate::plan::{ProofsSpread, SpreadProofs};
use crate::report::{Code, Fail, Failure};
use crate::vault::{Key, ProofOf, Vault, VaultError};
use bytes::Bytes;

impl Perform for SpreadProofs {
    /// Each for itself. What is there already stays as it is: whether it is right is `verify`'s to
    /// say.
    async fn perform(&self, ctx: &Context<'_>) -> Result<ProofsSpread, Fail> {
        let here = ctx.vault(&self.target).await?;
        let lock = ctx.plan_target(&self.target)?.evidence_lock();
        let (mut brought, mut failed, mut moment) = (Vec::new(), Vec::new(), None);
        for key in &self.keys {
            match self.bring(ctx, &here, lock, key).await {
                Ok(true) => brought.push(key.clone()),
                Ok(false) => {}
                Err(e) => {
                    failed.push(key.clone());
                    if e.failure() == Failure::Unavailable {
                        moment.get_or_insert(e);
                    }
                }
            }
        }
        match moment {
            // A moment's trouble is worth the engine's next attempt; what a target refuses for
            // good is told, and tried again by a later run.
            Some(e) if ctx.attempt() < ctx.plan.step_attempts => Err(e),
            _ => Ok(ProofsSpread { brought, failed }),
        }
    }
}

impl SpreadProofs {
    /// False: it is there.
    async fn bring(
        &self,
        ctx: &Context<'_>,
        here: &Vault,
        lock: Lock,
        key: &ObjectKey,
    ) -> Result<bool, Fail> {
        if here.holds(key.as_str()).await? {
            return Ok(false);
        }
        let proof = self.elsewhere(ctx, key.as_str()).await?;
        // A crash right here leaves some of them; the next runner adds the others.
        here.create(key.as_str(), proof, Some(lock)).await?;
        Ok(true)
    }

    /// Its bytes at the first target that has them whole.
    async fn elsewhere(&self, ctx: &Context<'_>, key: &str) -> Result<Bytes, Fail> {
        let mut away = None;
        let others = ctx.plan.targets.iter().filter(|t| t.name != self.target);
        for other in others {
            match ctx.vault(&other.name).await?.oldest(key).await {
                Ok((bytes, _)) if is_named(key, &bytes) => return Ok(bytes),
                Ok(_) => {}
                Err(e) if e.not_found() => {}
                Err(e) => away = Some(e),
            }
        }
        Err(away.map_or_else(
            || Fail::new(Code::ObjectMissing, format!("no target has {key} whole")),
            |e: VaultError| e.into(),
        ))
    }
}

/// Whether a proof says of itself what its key says of it.
fn is_named(key: &str, bytes: &[u8]) -> bool {
    Proof::from_bytes(bytes).is_ok_and(|proof| {
        let of = ProofOf::of(&proof);
        let (policy, slot, run) = (proof.policy, proof.slot, proof.run);
        let named = Key::Proof {
            policy,
            slot,
            run,
            of,
        };
        named.to_string() == key
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROOF: &[u8] = include_bytes!("../../docs/formats/golden/proof.json");

    #[test]
    fn a_proof_of_something_else_or_damaged_is_not_brought() {
        let proof = Proof::from_bytes(PROOF).unwrap();
        let key = Key::Proof {
            of: ProofOf::of(&proof),
            policy: proof.policy,
            slot: proof.slot,
            run: proof.run,
        };
        let key = key.to_string();
        assert!(is_named(&key, PROOF));
        assert!(!is_named(&key.replace("central", "other"), PROOF));
        assert!(!is_named(&key, &PROOF[..PROOF.len() - 9]));
    }
}
