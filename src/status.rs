//! What the vaults say of one policy, folded: newest point, newest proven one per method and
//! target, drills, objectives, locks. Pure.

mod told;
mod verdict;

pub use told::{
    CopyState, DrillResult, Drills, FailedProof, Immutable, LastDrill, Met, Newest, OpenRun,
    Proven, Retention, Status, TargetState,
};
pub use verdict::{Verdict, verdict};

use crate::journal::Outcome;
use crate::manifest::{CheckResult, Copy, Point, Proof};
use crate::model::{Method, RunId, TargetName};
use crate::policy::{Objective, Policy};
use jiff::Timestamp;

/// A point with its copies and proofs, merged over all targets that answered.
#[derive(Clone, Debug)]
pub struct Known {
    pub point: Point,
    pub copies: Vec<Copy>,
    pub proofs: Vec<Proof>,
}

/// The newest drill that is over, by its journal.
#[derive(Clone, Debug, PartialEq)]
pub struct DrillRun {
    pub run: RunId,
    pub at: Timestamp,
    pub outcome: Outcome,
}

pub struct Input<'a> {
    pub policy: &'a Policy,
    pub now: Timestamp,
    /// Newest first.
    pub points: &'a [Known],
    pub open_runs: Vec<OpenRun>,
    pub slots: Slots,
    pub drill: Option<DrillRun>,
    pub drill_slots: Slots,
    pub away: &'a [TargetName],
}

/// Scheduled times of one kind of run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    pub last: Option<Timestamp>,
    pub next: Option<Timestamp>,
    pub missed: u64,
}

pub fn fold(input: Input<'_>) -> Status {
    let proofs = newest_proofs(input.points);
    let latest = |f: fn(&Proof) -> u64| proofs.iter().map(|(_, p)| f(p)).sum();
    let proven = newest_proven(input.now, &proofs);
    let complete = input.points.iter().find(|k| !k.copies.is_empty());
    Status {
        name: input.policy.name.clone(),
        last_slot: input.slots.last,
        next_slot: input.slots.next,
        missed_slots: input.slots.missed,
        newest: complete.map(|k| newest(&input, k)),
        drills: drills(&input),
        objectives: objectives(input.policy, &proven),
        retention: retention(&input),
        checked: latest(|p| p.checked),
        not_checked: latest(|p| p.not_checked),
        excluded: latest(|p| p.excluded),
        newest_proven: proven,
        open_runs: input.open_runs,
    }
}

fn age_s(now: Timestamp, then: Timestamp) -> i64 {
    now.duration_since(then).as_secs()
}

fn newest(input: &Input<'_>, known: &Known) -> Newest {
    let state = |name: &TargetName| {
        let copy = known.copies.iter().find(|c| &c.target == name);
        let (state, immutable) = match copy {
            Some(copy) if copy.snapshot.as_ref().is_some_and(|s| !s.immutable) => {
                let files = copy.objects > 0;
                (
                    CopyState::Complete,
                    if files {
                        Immutable::FilesOnly
                    } else {
                        Immutable::No
                    },
                )
            }
            Some(_) => (CopyState::Complete, Immutable::Yes),
            None if input.away.contains(name) => (CopyState::Away, Immutable::Unknown),
            None => (CopyState::Missing, Immutable::No),
        };
        TargetState {
            name: name.clone(),
            state,
            immutable,
        }
    };
    Newest {
        point: known.point.slot,
        at: known.point.at,
        age_s: age_s(input.now, known.point.at),
        targets: input
            .policy
            .targets
            .iter()
            .map(|t| state(&t.name))
            .collect(),
    }
}

/// The proof of the newest point of each method and target whose newest verdict is that it passed.
fn newest_proofs(points: &[Known]) -> Vec<(&Known, &Proof)> {
    let mut found: Vec<(&Known, &Proof)> = Vec::new();
    for known in points {
        for proof in &known.proofs {
            let of = (proof.method, &proof.target);
            let known_already = found.iter().any(|(_, f)| (f.method, &f.target) == of);
            if let Verdict::Passed(newest) = verdict(&known.proofs, of.0, of.1)
                && !known_already
            {
                found.push((known, newest));
            }
        }
    }
    found.sort_by(|(_, a), (_, b)| (a.method, &a.target).cmp(&(b.method, &b.target)));
    found
}

fn newest_proven(now: Timestamp, proofs: &[(&Known, &Proof)]) -> Vec<Proven> {
    let one = |(known, proof): &(&Known, &Proof)| {
        let age = age_s(now, known.point.at);
        Proven {
            method: proof.method,
            target: proof.target.clone(),
            point: known.point.slot,
            age_s: age,
            proof_age_s: age_s(now, proof.at),
            rto_s: proof.measured.rto_s,
            rpo_s: age as f64 + proof.measured.snapshot_lag_s.unwrap_or(0.0),
        }
    };
    proofs.iter().map(one).collect()
}

/// The newest drill: by its journal, or where that is away by the proofs that it wrote.
fn drills(input: &Input<'_>) -> Drills {
    let proofs = || input.points.iter().flat_map(|k| &k.proofs);
    let newest = proofs().max_by_key(|p| (p.at, &p.run));
    let run = match (&input.drill, newest) {
        (Some(drill), Some(proof)) if proof.at > drill.at => Some((&proof.run, proof.at, None)),
        (Some(drill), _) => Some((&drill.run, drill.at, Some(drill.outcome))),
        (None, Some(proof)) => Some((&proof.run, proof.at, None)),
        (None, None) => None,
    };
    let last = run.map(|(run, at, outcome)| {
        let of_run = || proofs().filter(|p| &p.run == run);
        let failed: Vec<FailedProof> = of_run().filter(|p| !p.passed).map(failed).collect();
        let over = outcome.is_none_or(|o| o == Outcome::Complete);
        let passed = over && failed.is_empty() && of_run().next().is_some();
        LastDrill {
            run: run.clone(),
            at,
            result: if passed {
                DrillResult::Passed
            } else {
                DrillResult::Failed
            },
            failed,
        }
    });
    Drills {
        last,
        next: input.drill_slots.next,
        missed: input.drill_slots.missed,
    }
}

fn failed(proof: &Proof) -> FailedProof {
    let check = proof
        .checks
        .iter()
        .find(|c| c.result != CheckResult::Passed);
    let why = check.map(|c| {
        let why = c.why.as_deref().unwrap_or("it did not pass");
        format!("{}: {why}", c.id)
    });
    FailedProof {
        method: proof.method,
        target: proof.target.clone(),
        why: why.unwrap_or_else(|| "nothing was looked at".into()),
    }
}

/// An objective is met when one target's newest proven figures meet all of its numbers.
fn objectives(policy: &Policy, proven: &[Proven]) -> Vec<Met> {
    let one = |(method, wanted): (&Method, &Objective)| {
        let of: Vec<&Proven> = proven.iter().filter(|p| p.method == *method).collect();
        let best = |f: fn(&Proven) -> f64| of.iter().map(|p| f(p)).min_by(f64::total_cmp);
        let young = |p: &Proven| {
            let most = wanted
                .proof_age
                .map(|a| i64::try_from(a.0).unwrap_or(i64::MAX));
            most.is_none_or(|most| p.proof_age_s <= most)
        };
        let meets = |p: &&Proven| {
            p.rto_s <= wanted.rto.0 as f64 && p.rpo_s <= wanted.rpo.0 as f64 && young(p)
        };
        Met {
            method: *method,
            rto_s: wanted.rto.0,
            rpo_s: wanted.rpo.0,
            measured_rto_s: best(|p| p.rto_s),
            measured_rpo_s: best(|p| p.rpo_s),
            proof_age_s: wanted.proof_age.map(|a| a.0),
            measured_proof_age_s: of.iter().map(|p| p.proof_age_s).min(),
            met: of.iter().any(meets),
        }
    };
    policy.objectives.iter().map(one).collect()
}

fn retention(input: &Input<'_>) -> Retention {
    let until = |copy: &Copy| copy.verified.retain_until_min.unwrap_or(copy.retain_until);
    let short = |known: &Known, copy: &Copy| {
        let target = input.policy.target(&copy.target);
        target.is_some_and(|t| until(copy) < known.point.at + t.lock.retention.signed())
    };
    let copies = input.points.iter().flat_map(|k| &k.copies);
    let newest = input.points.first();
    Retention {
        earliest_unlock: copies.map(until).min(),
        below_policy: newest.map_or(0, |k| {
            k.copies.iter().filter(|c| short(k, c)).count() as u64
        }),
    }
}

#[cfg(test)]
mod tests;
