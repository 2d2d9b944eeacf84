//! Schedules, the drill, and whether what is promised can be kept.

use super::trouble::Found;
use crate::model::{Method, Seconds};
use crate::policy::{Databases, Policy, Schedule, Source};
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

/// An assertion is asked in one database, and that is to be said where there are several.
pub(super) fn assertions(policy: &Policy, found: &mut Found) {
    let all = policy
        .drill
        .iter()
        .flat_map(|d| d.assertions.iter().enumerate());
    for (n, assertion) in all {
        let place = |field: &str| format!("drill.assertions[{n}].{field}");
        let wanted = assertion.source.as_ref();
        let named = |s: &&Source| wanted.is_none_or(|w| w == s.id());
        let servers = || policy.sources.iter().filter(|s| s.databases().is_some());
        let mut asked = servers().filter(named);
        let (first, second) = (asked.next(), asked.next());
        let Some(source) = first else {
            let message = match wanted {
                Some(wanted) => format!("there is no source of databases `{wanted}`"),
                None => "there is no source of databases to ask".to_owned(),
            };
            found.error(Code::PolicyAssertion, place("source"), message);
            continue;
        };
        if second.is_some() {
            let message = "several sources have databases; say with `source` which one is asked";
            found.error(Code::PolicyAssertion, place("source"), message);
            continue;
        }
        let Some(Databases::These(names)) = source.databases() else {
            continue;
        };
        let unsaid = assertion.database.is_none() && names.len() > 1;
        let foreign = assertion.database.as_ref().filter(|d| !names.contains(d));
        if unsaid {
            let message = format!(
                "source `{}` has several databases; say with `database` which one is asked",
                source.id()
            );
            found.error(Code::PolicyAssertion, place("database"), message);
        } else if let Some(database) = foreign {
            let message = format!(
                "`{database}` is none of the `databases` of `{}`",
                source.id()
            );
            found.error(Code::PolicyAssertion, place("database"), message);
        }
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
            Method::Dump => {
                let drilled = policy.clusters().next().is_some() && policy.drill.is_some();
                drilled || policy.servers().next().is_some()
            }
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
        proof_age(
            policy,
            (&place, objective.proof_age),
            longest_interval_s,
            found,
        );
        // A snapshot is as old as its schedule; no setting of ours can make a point newer than its
        // slot.
        let every = match method {
            // A cluster is dumped by its drills, a server at each slot.
            Method::Dump if policy.clusters().next().is_some() => {
                policy.drill.as_ref().map(|d| &d.schedule)
            }
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

/// A proof's age counts from its drill's opening, and the next one is there at the end of a drill.
fn proof_age(
    policy: &Policy,
    (place, most): (&str, Option<Seconds>),
    longest_interval_s: fn(&Schedule) -> Option<u64>,
    found: &mut Found,
) {
    let drills = policy.drill.as_ref().map(|d| &d.schedule);
    let (Some(most), Some(schedule)) = (most, drills) else {
        return;
    };
    let Some(interval_s) = longest_interval_s(schedule) else {
        return;
    };
    let place = format!("{place}.proof_age");
    if interval_s > most.0 {
        found.error(
            Code::NoMethodMeets,
            place,
            format!(
                "proof_age {most} cannot be met: the schedule leaves up to {} between drills",
                Seconds(interval_s)
            ),
        );
    } else if interval_s + schedule.deadline.0 > most.0 {
        found.warning(
            Code::NoMethodMeets,
            place,
            format!(
                "proof_age {most} is missed while a drill takes long: {} between drills, and up \
                 to {} for one",
                Seconds(interval_s),
                schedule.deadline
            ),
        );
    }
}
