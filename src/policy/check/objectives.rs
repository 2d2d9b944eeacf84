//! Schedules, and whether what is promised can be kept.

use super::trouble::Found;
use crate::model::{Method, Seconds};
use crate::policy::{Objective, Policy, Schedule, Source};
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

/// What the schedules of a policy must keep.
struct Promise<'a> {
    policy: &'a Policy,
    longest_interval_s: fn(&Schedule) -> Option<u64>,
}

pub(super) fn objectives(
    policy: &Policy,
    longest_interval_s: fn(&Schedule) -> Option<u64>,
    found: &mut Found,
) {
    let promise = Promise {
        policy,
        longest_interval_s,
    };
    for (method, objective) in &policy.objectives {
        let place = format!("objectives.{method}");
        if !policy.sources.iter().any(|s| policy.serves(s, *method)) {
            let message = format!(
                "nothing in this policy serves the method `{method}`, so the objective cannot be \
                 met"
            );
            found.error(Code::NoMethodMeets, place.clone(), message);
        }
        let own = |s: &&Source| s.objectives().contains_key(method);
        let held = policy.sources.iter().filter(|s| s.has(*method) && !own(s));
        let held: Vec<&Source> = held.collect();
        if !held.is_empty() {
            promise.check((&place, *method, objective), &held, found);
        } else if policy.sources.iter().any(|s| s.has(*method)) {
            let message = format!(
                "every source that is restored by `{method}` has an objective of its own, so this \
                 one is nobody's; leave it out"
            );
            found.warning(Code::NoMethodMeets, place, message);
        }
    }
    for (n, source) in policy.sources.iter().enumerate() {
        for (method, objective) in source.objectives() {
            let place = format!("sources[{n}].objectives.{method}");
            if policy.serves(source, *method) {
                promise.check((&place, *method, objective), &[source], found);
            } else {
                let message = unserved(source, *method);
                found.error(Code::NoMethodMeets, place, message);
            }
        }
    }
}

/// Why no restore of a source by a method can ever be measured.
fn unserved(source: &Source, method: Method) -> String {
    if source.has(method) {
        return format!(
            "nothing in this policy serves the method `{method}` for source `{}`, so the \
             objective cannot be met",
            source.id()
        );
    }
    let methods: Vec<String> = source.methods().map(|m| format!("`{m}`")).collect();
    format!(
        "a source of kind `{}` has no method `{method}`; it is restored by {}",
        source.kind(),
        methods.join(" and ")
    )
}

impl Promise<'_> {
    /// One objective, for the sources that it holds for.
    fn check(
        &self,
        (place, method, objective): (&str, Method, &Objective),
        held: &[&Source],
        found: &mut Found,
    ) {
        for (field, most) in [
            ("proof_age", objective.proof_age),
            ("compared", objective.compared),
        ] {
            age(self, (place, field, most), found);
        }
        if objective.compared.is_some() {
            let place = format!("{place}.compared");
            held.iter()
                .for_each(|s| compared(s, (&place, method), found));
        }
        // A snapshot is as old as its schedule; no setting of ours can make a point newer than its
        // slot.
        let every = held.iter().filter_map(|s| self.policy.points_of(s, method));
        let longest = every.filter_map(self.longest_interval_s).max();
        if let Some(interval_s) = longest
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

/// Whether a drill compares rows of this source, restored so, with its own.
fn compared(source: &Source, (place, method): (&str, Method), found: &mut Found) {
    let why = match (source, method) {
        (Source::Aurora(cluster), Method::Snapshot) if cluster.reader.is_none() => format!(
            "nothing of source `{}` is read to compare with: name a `reader` of it",
            source.id()
        ),
        (Source::Aurora(_), Method::Dump) => {
            "a dump of a cluster is taken from its restored snapshot; ask that the snapshot is \
             compared, under `snapshot`"
                .to_owned()
        }
        (_, Method::Files) => {
            "files are compared by checksum in every drill; `proof_age` says how old that may be"
                .to_owned()
        }
        _ => return,
    };
    found.error(Code::NoMethodMeets, place.to_owned(), why);
}

/// A proof's age counts from its drill's opening, and the next one is there at the end of a drill.
fn age(
    promise: &Promise<'_>,
    (place, field, most): (&str, &str, Option<Seconds>),
    found: &mut Found,
) {
    let drills = promise.policy.drill.as_ref().map(|d| &d.schedule);
    let (Some(most), Some(schedule)) = (most, drills) else {
        return;
    };
    let Some(interval_s) = (promise.longest_interval_s)(schedule) else {
        return;
    };
    let place = format!("{place}.{field}");
    if interval_s > most.0 {
        found.error(
            Code::NoMethodMeets,
            place,
            format!(
                "{field} {most} cannot be met: the schedule leaves up to {} between drills",
                Seconds(interval_s)
            ),
        );
    } else if interval_s + schedule.deadline.0 > most.0 {
        found.warning(
            Code::NoMethodMeets,
            place,
            format!(
                "{field} {most} is missed while a drill takes long: {} between drills, and up \
                 to {} for one",
                Seconds(interval_s),
                schedule.deadline
            ),
        );
    }
}
