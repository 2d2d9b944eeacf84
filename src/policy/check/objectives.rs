//! Schedules, the drill, and whether what is promised can be kept.

use super::trouble::Found;
use crate::model::{Method, Seconds};
use crate::policy::{Policy, Schedule};
use crate::report::Code;

pub(super) fn schedules(
    policy: &Policy,
    fires: fn(&Schedule) -> Result<(), String>,
    found: &mut Found,
) {
    let mut one = |path: &str, schedule: &Schedule| {
        if let Err(why) = fires(schedule) {
            found.error(Code::Schedule, format!("{path}.cron"), why);
        }
        if schedule.deadline.0 == 0 {
            found.error(
                Code::Schedule,
                format!("{path}.deadline"),
                "a run needs some time",
            );
        }
    };
    one("schedule", &policy.schedule);
    if let Some(drill) = &policy.drill {
        one("drill.schedule", &drill.schedule);
    }
}

pub(super) fn drill(policy: &Policy, found: &mut Found) {
    let Some(drill) = &policy.drill else {
        found.warning(
            Code::NoDrill,
            "drill",
            "without a drill nothing is ever proven, and `status --check` fails",
        );
        return;
    };
    let production = policy.clusters().any(|c| c.account == drill.account);
    let clusters = policy.clusters().next().is_some();
    if production && !drill.same_account {
        found.error(
            Code::DrillInProduction,
            "drill.account",
            "this is production's account; a drill there needs `same_account: true`",
        );
    }
    if let (true, Err(why)) = (clusters, drill.cluster.check_capacity()) {
        found.error(Code::ServerlessCapacity, "drill.cluster", why);
    }
    if clusters && !policy.targets.iter().any(|t| t.snapshots.is_some()) {
        found.error(
            Code::DrillNoCopy,
            "drill.cluster",
            "no target has `snapshots`, so there is no snapshot copy to restore",
        );
    }
    if policy
        .targets
        .iter()
        .any(|t| t.bucket == drill.scratch_bucket)
    {
        found.error(
            Code::DrillScratch,
            "drill.scratch_bucket",
            "a vault cannot be the scratch bucket",
        );
    }
}

pub(super) fn objectives(
    policy: &Policy,
    longest_interval_s: fn(&Schedule) -> Option<u64>,
    found: &mut Found,
) {
    for (method, objective) in &policy.objectives {
        let place = format!("objectives.{method}");
        let served = match method {
            Method::Snapshot => policy.targets.iter().any(|t| t.snapshots.is_some()),
            Method::Dump => policy.clusters().next().is_some() && policy.drill.is_some(),
            Method::Files => policy.buckets().next().is_some(),
        };
        if !served {
            found.error(
                Code::NoMethodMeets,
                place.clone(),
                format!(
                    "nothing in this policy serves the method `{method}`, so the objective cannot \
                     be met"
                ),
            );
        }
        let drills = policy.drill.as_ref().map(|d| &d.schedule);
        if let (Some(most), Some(interval_s)) =
            (objective.proof_age, drills.and_then(longest_interval_s))
            && interval_s > most.0
        {
            found.error(
                Code::NoMethodMeets,
                format!("{place}.proof_age"),
                format!(
                    "proof_age {most} cannot be met: the schedule leaves up to {} between drills",
                    Seconds(interval_s)
                ),
            );
        }
        // A snapshot is as old as its schedule; no setting of ours can make a point newer than its
        // slot.
        let every = match method {
            Method::Dump => policy.drill.as_ref().map(|d| &d.schedule),
            _ => Some(&policy.schedule),
        };
        if let Some(interval_s) = every.and_then(longest_interval_s)
            && interval_s > objective.rpo.0
        {
            found.error(
                Code::NoMethodMeets,
                format!("{place}.rpo"),
                format!(
                    "rpo {} cannot be met: the schedule leaves up to {} between points",
                    objective.rpo,
                    Seconds(interval_s)
                ),
            );
        }
    }
}
