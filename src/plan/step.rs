//! Steps of a plan, and the list that a planner fills.

use super::{Action, Link, StoredAction};
use crate::model::{Role, StepId, TargetName};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub id: StepId,
    pub role: Role,
    pub action: StoredAction,
    /// Steps that must have succeeded.
    pub needs: Vec<StepId>,
    /// Done when everything else is over, whatever became of it (teardown).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub always: bool,
}

/// Where a planner puts its steps.
#[derive(Default)]
pub(super) struct Steps(pub Vec<Step>);

impl Steps {
    /// The link to what it will leave behind.
    pub fn add<A: Action>(&mut self, role: Role, action: A, needs: &[&StepId]) -> Link<A::Output> {
        self.push(role, action, needs, false)
    }

    /// One that is done whatever became of the others, after them.
    pub fn add_always<A: Action>(&mut self, role: Role, action: A) -> Link<A::Output> {
        self.push(role, action, &[], true)
    }

    /// The link to a step of a target that is added further on.
    pub fn coming<A: Action>(target: &TargetName) -> Link<A::Output> {
        Link::to(StepId::new(A::NAME, Some(target)))
    }

    fn push<A: Action>(
        &mut self,
        role: Role,
        action: A,
        needs: &[&StepId],
        always: bool,
    ) -> Link<A::Output> {
        let id = action.step_id();
        self.0.push(Step {
            id: id.clone(),
            role,
            action: action.stored(),
            needs: needs.iter().map(|n| (*n).clone()).collect(),
            always,
        });
        Link::to(id)
    }
}
