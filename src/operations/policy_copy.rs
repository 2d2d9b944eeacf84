//! The policy beside what is made by it: a vault describes itself. Stored by a run of its own,
//! before the first run that names it.

use super::known_runs::known_runs;
use super::session::{Session, journal_at};
use crate::engine::RunExit;
use crate::journal::{Event, Outcome};
use crate::model::{RunKind, Sha256, Slot, StepId, TargetName};
use crate::plan::{Action, Plan, StorePolicy};
use crate::policy::Policy;
use crate::report::{Code, Fail};
use crate::targets::Reached;
use crate::vault::{Key, Vault, VaultError};

/// Stores the runner's own policy at every target that answers and lacks it, before a run of a kind
/// is opened.
///
/// # Errors
/// The journal target cannot be read or written. What keeps another target from it stands in the
/// journal of the run that could not store it there, and is told by the steps that meet it: each
/// point brings its policy along.
pub(super) async fn store(
    session: &Session<'_>,
    reached: &Reached,
    kind: RunKind,
) -> Result<(), Fail> {
    let lacking = lacking(session, reached).await?;
    let needed = lacking.contains(&reached.name);
    if lacking.is_empty() || (!needed && failed_before(session, reached).await?) {
        return Ok(());
    }
    // A run of our own: another one that is about to store the same is not waited for, and one
    // whose runner died is ended by a later tick.
    let input = session.input(reached, RunKind::Policy, &session.mark());
    let plan = input.policy(session.reader(kind), &lacking);
    let none = |_: &Policy, _: &Plan| None;
    let stored = session.begin(reached, &plan, &none).await;
    if matches!(&stored, Ok(advanced) if advanced.report.left == RunExit::Stopped) {
        return Err(Fail::stopped());
    }
    // Whoever stored it: no run names a policy that is not there.
    if reached.vault.holds(&policy_key(session)).await? {
        return Ok(());
    }
    let here = StepId::new(StorePolicy::NAME, &[&reached.name]);
    let mut failed = stored?.report.failed.into_iter();
    Err(failed.find(|f| f.step == here).map_or_else(
        || {
            let message = format!("the policy could not be stored at {}", reached.name);
            Fail::new(Code::TargetUnavailable, message).at(&reached.name)
        },
        |failed| failed.fail,
    ))
}

fn policy_key(session: &Session<'_>) -> String {
    Key::Policy(session.loaded.sha256.clone()).to_string()
}

/// Targets whose vault does not hold it. One that does not say is not asked to take it.
async fn lacking(session: &Session<'_>, reached: &Reached) -> Result<Vec<TargetName>, Fail> {
    let key = policy_key(session);
    let mut lacking = Vec::new();
    for seen in &reached.seen {
        let name = &seen.target.name;
        match seen.vault.holds(&key).await {
            Ok(true) => {}
            Ok(false) => lacking.push(name.clone()),
            Err(e) if *name == reached.name => return Err(e.into()),
            Err(_) => {}
        }
    }
    Ok(lacking)
}

/// The newest run that stored this policy ended without having stored it everywhere: not each run
/// tries that again.
async fn failed_before(session: &Session<'_>, reached: &Reached) -> Result<bool, Fail> {
    let runs = known_runs(reached, session.loaded, RunKind::Policy).await?;
    let journal = journal_at(&reached.vault);
    let Some(newest) = runs.iter().rev().find(|r| r.slot <= Slot::at(reached.now)) else {
        return Ok(false);
    };
    let Ok(Some(ends)) = journal.ends(&session.loaded.policy.name, &newest.run).await else {
        return Ok(false);
    };
    let same = match &ends.opened.event {
        Event::Opened { plan, .. } => plan.policy_sha256 == session.loaded.sha256,
        _ => false,
    };
    let failed = matches!(
        ends.newest.event,
        Event::Finished {
            outcome: Outcome::Failed,
            ..
        }
    );
    Ok(same && failed)
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
