//! The plan of a restore, made from a vault alone.

mod checked;
pub(super) mod dump;
pub(super) mod files;
pub(super) mod input;
pub(super) mod snapshot;

pub use input::{IntoDatabase, RestoreInput, RestoreInto, Unavailable};

use super::methods;
use super::step::Steps;
use super::{Plan, VERSION};
use crate::model::{RunKind, Seconds};

/// An incident lasts longer than any schedule's deadline.
const DEADLINE: Seconds = Seconds::hours(24);
const STEP_ATTEMPTS: u32 = 5;
const BACKOFF: Seconds = Seconds(1);

/// # Errors
/// The point does not hold what is wanted.
pub fn restore(input: &RestoreInput<'_>) -> Result<Plan, Unavailable> {
    let mut steps = Steps::default();
    methods::restore(input, &mut steps)?;
    Ok(Plan {
        version: VERSION,
        kind: RunKind::Restore,
        policy: input.point.policy.clone(),
        policy_sha256: input.point.policy_sha256.clone(),
        run: input.run.clone(),
        slot: input.point.slot,
        vault: input.vault.clone(),
        opened_at: input.opened_at,
        deadline_at: input.opened_at + DEADLINE.signed(),
        journal_target: input.journal_target.clone(),
        targets: input.targets.clone(),
        runner: input.runner.clone(),
        step_attempts: STEP_ATTEMPTS,
        backoff: BACKOFF,
        poll_every: input.poll_every,
        // Nothing else waits for its turn.
        patience: DEADLINE,
        steps: steps.0,
    })
}
