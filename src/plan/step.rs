//! Steps of a plan, and the list that a planner fills.

use super::{Action, Link, StoredAction};
use crate::model::{Role, StepId};
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub id: StepId,
    pub role: Role,
    pub action: StoredAction,
    /// Steps that must have succeeded.
    pub needs: Vec<StepId>,
    /// Steps that must be over for now, whatever became of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<StepId>,
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
        let order = Order {
            needs,
            ..Order::default()
        };
        self.push(role, action, order)
    }

    /// One that waits for others, and not for their success.
    pub fn add_after<A: Action>(
        &mut self,
        role: Role,
        action: A,
        after: &[&StepId],
    ) -> Link<A::Output> {
        let order = Order {
            after,
            ..Order::default()
        };
        self.push(role, action, order)
    }

    /// One that needs some, and waits for others whatever became of them.
    pub fn add_in_order<A: Action>(
        &mut self,
        role: Role,
        action: A,
        (needs, after): (&[&StepId], &[&StepId]),
    ) -> Link<A::Output> {
        let order = Order {
            needs,
            after,
            ..Order::default()
        };
        self.push(role, action, order)
    }

    /// One that is done whatever became of the others, after them.
    pub fn add_always<A: Action>(&mut self, role: Role, action: A) -> Link<A::Output> {
        let order = Order {
            always: true,
            ..Order::default()
        };
        self.push(role, action, order)
    }

    /// The link to a step that is added further on.
    pub fn coming<A: Action>(of: &[&dyn fmt::Display]) -> Link<A::Output> {
        Link::to(StepId::new(A::NAME, of))
    }

    fn push<A: Action>(&mut self, role: Role, action: A, order: Order<'_>) -> Link<A::Output> {
        let id = action.step_id();
        let ids = |of: &[&StepId]| of.iter().map(|n| (*n).clone()).collect();
        self.0.push(Step {
            id: id.clone(),
            role,
            action: action.stored(),
            needs: ids(order.needs),
            after: ids(order.after),
            always: order.always,
        });
        Link::to(id)
    }
}

/// When a step's turn is.
#[derive(Default)]
struct Order<'a> {
    needs: &'a [&'a StepId],
    after: &'a [&'a StepId],
    always: bool,
}
