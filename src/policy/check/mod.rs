//! What is wrong with a policy that can be read: contradictions, promises no method can keep, lines
//! that never fire.

mod clusters;
mod drills;
mod names;
mod not_yet;
mod numbers;
mod objectives;
mod places;
mod references;
mod servers;
mod stores;
mod trouble;

pub use trouble::Trouble;

use super::timing::Schedule;
use super::types::Policy;
use trouble::Found;

/// What the check must know of the meaning of a schedule line; `schedule` answers, and is above
/// this module.
pub struct Calendar {
    /// Whether the line fires at all, else why not.
    pub fires: fn(&Schedule) -> Result<(), String>,
    /// The longest gap between two slots, in seconds.
    pub longest_interval_s: fn(&Schedule) -> Option<u64>,
}

/// Everything wrong, errors first.
pub fn check(policy: &Policy, calendar: &Calendar) -> Vec<Trouble> {
    let mut found = Found::default();
    names::names(policy, &mut found);
    names::accounts(policy, &mut found);
    places::sources(policy, &mut found);
    for (n, target) in policy.targets.iter().enumerate() {
        places::target(policy, n, target, &mut found);
    }
    objectives::schedules(policy, calendar.fires, &mut found);
    drills::drill(policy, &mut found);
    clusters::clusters(policy, &mut found);
    drills::assertions(policy, &mut found);
    references::references(policy, &mut found);
    servers::servers(policy, &mut found);
    numbers::numbers(policy, &mut found);
    places::endpoints(policy, &mut found);
    stores::endpoints(policy, &mut found);
    not_yet::not_yet(policy, &mut found);
    objectives::objectives(policy, calendar.longest_interval_s, &mut found);
    found.0.sort_by_key(|t| t.severity);
    found.0
}
