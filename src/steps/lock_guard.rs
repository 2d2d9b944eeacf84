//! Nothing is put where it would not stay.

use crate::report::{Code, Fail};
use crate::vault::{Vault, Verdict};

/// A vault whose lock cannot be relied on is refused before anything is put there.
///
/// # Errors
/// Why it cannot; the store's.
pub(super) async fn guard(vault: &Vault) -> Result<(), Fail> {
    let (bucket, target) = (&vault.bucket.name, &vault.target);
    let state = vault.bucket.state().await?;
    if !state.object_lock || !state.versioning {
        return Err(Fail::new(
            Code::TargetWithoutLock,
            format!("bucket {bucket} of target {target} has no Object Lock"),
        ));
    }
    let mut rules = state.expiring_rules.iter();
    if let Some((id, prefix)) = rules.find(|(_, p)| !p.starts_with("probe/")) {
        return Err(Fail::new(
            Code::LifecycleExpires,
            format!(
                "lifecycle rule `{id}` of bucket {bucket} expires what is under `{prefix}` by age"
            ),
        ));
    }
    let why = match vault.newest_probe(target).await? {
        Some(probe) if probe.outcome.verdict == Verdict::Locked => return Ok(()),
        Some(probe) => probe.outcome.why,
        None => "it was never probed".to_owned(),
    };
    Err(Fail::new(
        Code::LockNotProven,
        format!("target {target}: {why}; run `dr vault probe`"),
    ))
}
