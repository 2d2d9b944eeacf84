//! What later evidence refers to must not be unlocked before it: the vault's own document, and the
//! policy that points are made by. Their locks are extended as runs go by.

use super::Context;
use crate::aws::Kind;
use crate::model::Lock;
use crate::plan::PublishPoint;
use crate::transfer::hold;
use crate::vault::{Key, Vault, VaultError};
use jiff::{SignedDuration, Timestamp};

/// A lock that is extended is extended by so much more, so that not every run has to.
const HORIZON: SignedDuration = SignedDuration::from_hours(24);

/// Once in a run at each target, for its first point there. What could not be extended is given
/// back, and keeps no point from being published.
pub(super) async fn hold_evidence(ctx: &Context<'_>, vault: &Vault, lock: Lock) -> Vec<String> {
    let mut short = Vec::new();
    let mut published = ctx.state.done::<PublishPoint>();
    if published.any(|(_, _, p)| p.point_at.contains(&vault.target)) {
        return short;
    }
    let policy = Key::Policy(ctx.plan.policy_sha256.clone());
    for key in [Key::Vault, policy] {
        let key = key.to_string();
        match longer(vault, &key, lock).await {
            Ok(()) => {}
            // `verify` names what is not there.
            Err(e) if e.not_found() => {}
            Err(e) => short.push(format!("{key} at {}: {e}", vault.target)),
        }
    }
    short
}

async fn longer(vault: &Vault, key: &str, lock: Lock) -> Result<(), VaultError> {
    let (_, version) = vault.oldest(key).await?;
    let found = vault.bucket.lock_of(key, &version).await?;
    if found.meets(lock) {
        return Ok(());
    }
    let until = Timestamp::from_second((lock.retain_until + HORIZON).as_second());
    let further = Lock {
        retain_until: until.unwrap_or(lock.retain_until),
        ..lock
    };
    // A crash between two of them leaves one that the next run extends.
    match hold(&vault.bucket, key, &version, further).await {
        // The bucket's own policy may allow no more than what is promised.
        Err(e) if e.kind == Kind::Denied => {
            hold(&vault.bucket, key, &version, lock).await?;
        }
        other => drop(other?),
    }
    Ok(())
}
