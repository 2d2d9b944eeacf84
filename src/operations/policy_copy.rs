//! The policy beside what is made by it: a vault describes itself.

use crate::model::Sha256;
use crate::plan::Plan;
use crate::report::Fail;
use crate::targets::{Reached, open};
use crate::vault::{Key, Vault, VaultError};
use bytes::Bytes;

use super::session::Session;

/// Stores the policy that a run is made by at every target that answers, before the run is opened.
///
/// # Errors
/// The journal target cannot be read or written. Another target's trouble is told by the steps that
/// meet it.
pub(super) async fn store(
    session: &Session<'_>,
    reached: &Reached,
    plan: &Plan,
) -> Result<(), Fail> {
    let key = Key::Policy(plan.policy_sha256.clone()).to_string();
    let text: Bytes = if plan.policy_sha256 == session.loaded.sha256 {
        session.loaded.text.clone().into_bytes().into()
    } else {
        reached.vault.oldest(&key).await?.0
    };
    let role = session.reader(plan.kind);
    for seen in &reached.seen {
        // Each target for itself: a runner may have died between two of them.
        if seen.vault.bucket.head(&key, None).await.is_ok() {
            continue;
        }
        let target = plan.target(&seen.target.name).unwrap_or(&seen.target);
        let vault = open(session.clients, role, &seen.target).await;
        let stored = async {
            // Under a delete marker it is there all the same.
            let versions = vault.versions_of(&key).await?;
            if versions.iter().all(|v| v.delete_marker) {
                // A crash right here leaves a policy that no run names yet: the next tick's is the
                // same.
                let lock = Some(target.evidence_lock());
                vault.create(&key, text.clone(), lock).await?;
            }
            Ok::<(), VaultError>(())
        };
        match stored.await {
            Ok(()) => {}
            Err(_) if seen.target.name != plan.journal_target => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

/// The text of a policy as a vault keeps it, if it is what its name says.
///
/// # Errors
/// The store's, where waiting may cure it.
pub(super) async fn read(vault: &Vault, sha256: &Sha256) -> Result<Option<String>, VaultError> {
    let key = Key::Policy(sha256.clone()).to_string();
    match vault.oldest(&key).await {
        Ok((bytes, _)) if Sha256::of(&bytes) == *sha256 => {
            Ok(String::from_utf8(bytes.to_vec()).ok())
        }
        Ok(_) => Ok(None),
        Err(e) if e.transient() => Err(e),
        Err(_) => Ok(None),
    }
}
