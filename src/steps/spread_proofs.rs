//! Brings the proofs of a closed drill to a target that did not take them then.

use super::{Context, Perform};
use crate::manifest::{Document, Proof};
use crate::plan::{ProofsSpread, SpreadProofs};
use crate::report::{Code, Fail};
use crate::vault::{Key, ProofOf, VaultError};
use bytes::Bytes;

impl Perform for SpreadProofs {
    /// What is there already stays as it is: whether it is right is `verify`'s to say.
    async fn perform(&self, ctx: &Context<'_>) -> Result<ProofsSpread, Fail> {
        let here = ctx.vault(&self.target).await?;
        let lock = Some(ctx.plan_target(&self.target)?.evidence_lock());
        let (mut brought, mut failed) = (Vec::new(), None);
        for key in &self.keys {
            let name = &key.to_string();
            if here.holds(name).await? {
                continue;
            }
            match self.elsewhere(ctx, name).await {
                Ok(proof) => {
                    // A crash right here leaves some of them; the next runner adds the others.
                    here.create(name, proof, lock).await?;
                    brought.push(key.clone());
                }
                // One that nobody has any more keeps no other from being brought.
                Err(fail) => failed = Some(fail),
            }
        }
        failed.map_or(Ok(ProofsSpread { brought }), Err)
    }
}

impl SpreadProofs {
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
        Key::Proof {
            policy,
            slot,
            run,
            of,
        }
        .to_string()
            == key
    })
}
