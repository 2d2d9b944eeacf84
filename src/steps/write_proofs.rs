//! Writes the proofs of a drill to every target.

use super::{Context, Perform, proofs};
use crate::manifest::{Document, Proof};
use crate::model::{ObjectKey, TargetName};
use crate::plan::{ProofsWritten, WriteProofs};
use crate::report::Fail;
use crate::vault::{Key, ProofOf};
use std::collections::BTreeSet;

impl Perform for WriteProofs {
    async fn perform(&self, ctx: &Context<'_>) -> Result<ProofsWritten, Fail> {
        let (mut keys, mut passed) = (Vec::new(), !self.tried.is_empty());
        let mut failed = BTreeSet::new();
        for tried in &self.tried {
            let proof = proofs::build(ctx.state, tried);
            let key = Key::Proof {
                policy: proof.policy.clone(),
                slot: proof.slot,
                run: proof.run.clone(),
                of: ProofOf::of(&proof),
            };
            passed &= proof.passed;
            let key = key.to_string();
            failed.extend(store(ctx, &key, &proof).await?);
            keys.push(ObjectKey::new(key));
        }
        Ok(ProofsWritten {
            keys,
            failed: failed.into_iter().collect(),
            passed,
        })
    }
}

/// To every target that takes it; those that do not are given back. A runner before us may have
/// written it: its bytes then count.
async fn store(ctx: &Context<'_>, key: &str, proof: &Proof) -> Result<Vec<TargetName>, Fail> {
    let (mut bytes, mut written) = (None, 0);
    let (mut failed, mut last) = (Vec::new(), None);
    for target in &ctx.plan.targets {
        let vault = ctx.vault(&target.name).await?;
        let result = async {
            match vault.oldest(key).await {
                Ok((stored, _)) => {
                    bytes.get_or_insert(stored);
                    Ok(())
                }
                Err(e) if e.not_found() => {
                    let body = bytes.get_or_insert_with(|| proof.to_bytes().into()).clone();
                    // A crash right here leaves the proof at some targets; the next runner finds
                    // its bytes there and adds the others.
                    let lock = Some(target.evidence_lock());
                    vault.create(key, body, lock).await.map(|_| ())
                }
                Err(e) => Err(e),
            }
        };
        match result.await {
            Ok(()) => written += 1,
            // A moment's trouble is worth the engine's next attempt; a target that stays away, or
            // refuses, keeps the proofs from no other one.
            Err(e) if e.transient() && ctx.attempt() < ctx.plan.step_attempts => {
                return Err(e.into());
            }
            Err(e) => {
                failed.push(target.name.clone());
                last = Some(e);
            }
        }
    }
    match last {
        Some(e) if written == 0 => Err(e.into()),
        _ => Ok(failed),
    }
}
