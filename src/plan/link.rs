//! What one step needs of another: a link that the planner made, never a name to look up.

use crate::model::StepId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;

/// The step whose output is a `T`. Stored as that step's id.
#[derive(Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Link<T> {
    step: StepId,
    #[serde(skip)]
    output: PhantomData<fn() -> T>,
}

impl<T> Link<T> {
    pub(super) fn to(step: StepId) -> Self {
        Self {
            step,
            output: PhantomData,
        }
    }

    pub fn step(&self) -> &StepId {
        &self.step
    }
}

// By hand, because derived ones would ask the same of `T`.
impl<T> Clone for Link<T> {
    fn clone(&self) -> Self {
        Self::to(self.step.clone())
    }
}

impl<T> PartialEq for Link<T> {
    fn eq(&self, other: &Self) -> bool {
        self.step == other.step
    }
}

impl<T> Eq for Link<T> {}

impl<T> fmt::Debug for Link<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({})", self.step)
    }
}
