//! The table of methods, as far as a plan goes: how each is tried and how each restores. No other
//! planner tells methods apart.

use super::restore::input::{RestoreInput, Unavailable};
use super::restore::{dump, files, snapshot};
use super::step::Steps;
use crate::model::Method;

/// Which copies of a source a drill restores, as the planners under `drill` make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrilledFrom {
    /// The first target of the plan that has one: a cluster is expensive.
    First,
    /// Every target that has one.
    Each,
}

/// How one method is planned.
struct Row {
    drilled: DrilledFrom,
    restore: fn(&RestoreInput<'_>, &mut Steps) -> Result<(), Unavailable>,
}

fn row(method: Method) -> Row {
    match method {
        Method::Snapshot => Row {
            drilled: DrilledFrom::First,
            restore: snapshot::steps,
        },
        Method::Dump => Row {
            drilled: DrilledFrom::Each,
            restore: dump::steps,
        },
        Method::Files => Row {
            drilled: DrilledFrom::Each,
            restore: files::steps,
        },
    }
}

/// Which copies of a source a drill of this method restores.
pub fn drilled_from(method: Method) -> DrilledFrom {
    row(method).drilled
}

/// The steps of a restore by its method.
///
/// # Errors
/// The point does not hold what is wanted, or the destination is none of the method's.
pub(super) fn restore(input: &RestoreInput<'_>, steps: &mut Steps) -> Result<(), Unavailable> {
    (row(input.method).restore)(input, steps)
}
