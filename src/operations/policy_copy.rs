//! The policy beside what is made by it: a vault describes itself. Stored by a run of its own,
//! before the first run that names it.

use super::known_runs::known_runs;
use super::session::Session;
use crate::engine::RunExit;
use crate::model::{Mark, Role, RunId, RunKind, Sha256, Slot, StepId, TargetName};
use crate::plan::{Action, Plan, StorePolicy, VerbInput};
use crate::policy::Policy;
use crate::report::Fail;
use crate::targets::Reached;
use crate::vault::{Key, Vault, VaultError};

/// Stores the runner's own policy at every target that answers and lacks it, before a run of a kind
/// is opened.
///
/// # Errors
/// The journal target cannot be read or written. Another target's trouble is told by the steps that
/// meet it, and by the journal of the run that could not store it there.
pub(super) async fn store(
    session: &Session<'_>,
    reached: &Reached,
    kind: RunKind,
) -> Result<(), Fail> {
    let mut lacking = lacking(session, reached).await;
    if lacking.is_empty() {
        return Ok(());
    }
    let again = |policy: &Policy, stored: &Plan| again(session, policy, stored);
    let runs = known_runs(reached, session.loaded, RunKind::Policy).await?;
    for read in session.open_runs(reached, &runs).await?.open {
        // A runner died before its end. What cannot be resumed keeps no other from being opened,
        // and the log shows it.
        drop(session.join(reached, read, &again).await);
        lacking = self::lacking(session, reached).await;
    }
    if lacking.is_empty() {
        return Ok(());
    }
    // A run of our own: another one that is about to store the same is not waited for.
    let mark = Mark::of(&session.identity.runner.0);
    let input = VerbInput {
        policy: &session.loaded.policy,
        policy_sha256: &session.loaded.sha256,
        vault: &reached.id,
        journal_target: &reached.name,
        run: RunId::manual(RunKind::Policy, Slot::at(reached.now), &mark),
        opened_at: reached.now,
    };
    let plan = input.policy(session.reader(kind), &lacking);
    let stored = session.begin(reached, &plan, &again).await;
    if matches!(&stored, Ok(advanced) if advanced.report.left == RunExit::Stopped) {
        return Err(Fail::stopped());
    }
    let here = StepId::new(StorePolicy::NAME, &[&reached.name]);
    let failed = match stored {
        Ok(advanced) => {
            let mut failed = advanced.report.failed.into_iter();
            failed.find(|f| f.step == here).map(|f| f.fail)
        }
        Err(fail) => Some(fail),
    };
    match failed {
        // By another runner, meanwhile.
        Some(fail)
            if self::lacking(session, reached)
                .await
                .contains(&reached.name) =>
        {
            Err(fail)
        }
        _ => Ok(()),
    }
}

async fn lacking(session: &Session<'_>, reached: &Reached) -> Vec<TargetName> {
    let key = Key::Policy(session.loaded.sha256.clone()).to_string();
    let mut lacking = Vec::new();
    for seen in &reached.seen {
        if seen.vault.bucket.head(&key, None).await.is_err() {
            lacking.push(seen.target.name.clone());
        }
    }
    lacking
}

/// As another runner of ours opened it.
fn again(session: &Session<'_>, policy: &Policy, stored: &Plan) -> Option<Plan> {
    let role = stored.steps.first()?.role;
    let targets: Vec<TargetName> = stored
        .actions::<StorePolicy>()
        .map(|(_, a)| a.target.clone())
        .filter(|t| policy.target(t).is_some())
        .collect();
    let input = VerbInput {
        policy,
        policy_sha256: &stored.policy_sha256,
        vault: &stored.vault,
        journal_target: &stored.journal_target,
        run: stored.run.clone(),
        opened_at: stored.opened_at,
    };
    let ours = stored.kind == RunKind::Policy
        && stored.policy_sha256 == session.loaded.sha256
        && may_store(role);
    ours.then(|| input.policy(role, &targets))
}

fn may_store(role: Role) -> bool {
    super::session::roles_of(RunKind::Policy).contains(&role)
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
