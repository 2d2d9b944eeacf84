//! What the vaults say of one policy, folded: newest point, newest proven one per method and
//! target, drills, objectives, locks. Pure.

mod known;
mod objectives;
mod told;
mod verdict;

pub use known::Known;
pub use told::{
    CopyState, DrillResult, Drills, FailedProof, Immutable, LastDrill, Met, Newest, NotProtected,
    OpenRun, Proven, Retention, Status, TargetState,
};
pub use verdict::{Verdict, Way, verdict};

use crate::journal::Outcome;
use crate::manifest::{CheckResult, Copy, Exception, Held, Proof};
use crate::model::{Method, RunId, SourceId, TargetName};
use crate::policy::{Policy, Source, Target};
use jiff::Timestamp;

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
    let proven = newest_proven(&input, &proofs);
    let complete = input.points.iter().find(|k| !k.copies.is_empty());
    Status {
        name: input.policy.name.clone(),
        last_slot: input.slots.last,
        next_slot: input.slots.next,
        missed_slots: input.slots.missed,
        newest: complete.map(|k| newest(&input, k)),
        drills: drills(&input),
        objectives: objectives::objectives(input.policy, &proven, complete),
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
    // Of those that are wanted now: what a planted or an edited policy left out is lost as well.
    let lost = input.policy.sources.iter().map(Source::id);
    let lost = lost.filter(|id| known.captured(id).is_none());
    Newest {
        point: known.point.slot,
        at: known.at(),
        age_s: age_s(input.now, known.at()),
        not_captured: lost.cloned().collect(),
        exceptions: exceptions(known),
        targets: input
            .policy
            .targets
            .iter()
            .map(|t| target_state(input, known, &t.name))
            .collect(),
    }
}

/// What is in the point and not protected, by source and target.
fn exceptions(known: &Known) -> Vec<NotProtected> {
    let captured = known.captured.iter().flat_map(|c| {
        let told = |e: &Exception| NotProtected {
            source: c.source.clone(),
            target: None,
            exception: e.clone(),
        };
        c.exceptions().iter().map(told)
    });
    let copies = known.copies.iter().flat_map(|c| {
        let told = |e: &Exception| NotProtected {
            source: c.source.clone(),
            target: Some(c.target.clone()),
            exception: e.clone(),
        };
        c.exceptions().iter().map(told)
    });
    captured.chain(copies).collect()
}

/// How much of a point one target holds.
fn target_state(input: &Input<'_>, known: &Known, name: &TargetName) -> TargetState {
    let expected = || known.point.expected_at(name);
    let missing: Vec<SourceId> = expected()
        .filter(|source| known.copy(source, name).is_none())
        .cloned()
        .collect();
    let held = || known.copies.iter().filter(|c| &c.target == name);
    let locked = |c: &Copy| !matches!(&c.held, Held::Snapshot(s) if !s.immutable);
    let immutable = match (held().any(locked), held().all(locked)) {
        (_, true) if held().next().is_some() => Immutable::Yes,
        (true, false) => Immutable::FilesOnly,
        _ => Immutable::No,
    };
    let state = match (missing.len(), expected().count()) {
        (0, _) => CopyState::Complete,
        _ if input.away.contains(name) => CopyState::Away,
        (lacks, all) if lacks == all => CopyState::Missing,
        _ => CopyState::Partial,
    };
    TargetState {
        name: name.clone(),
        state,
        immutable: match state {
            CopyState::Away => Immutable::Unknown,
            _ => immutable,
        },
        missing,
    }
}

/// The proof of the newest point of each way whose newest verdict is that it passed.
fn newest_proofs(points: &[Known]) -> Vec<(&Known, &Proof)> {
    let mut found: Vec<(&Known, &Proof)> = Vec::new();
    for known in points {
        for proof in &known.proofs {
            let way = Way::of(proof);
            let known_already = found.iter().any(|(_, f)| Way::of(f) == way);
            if let Verdict::Passed(newest) = verdict(&known.proofs, way)
                && !known_already
            {
                found.push((known, newest));
            }
        }
    }
    found.sort_by(|(_, a), (_, b)| (a.method, Way::of(a)).cmp(&(b.method, Way::of(b))));
    found
}

/// When rows were last compared with the source's, in one way.
fn compared(input: &Input<'_>, way: Way<'_>) -> Option<Timestamp> {
    // A dump of a cluster is compared with the snapshot that it was taken from.
    let cluster = input.policy.clusters().any(|c| &c.id == way.source);
    if cluster && way.method == Method::Dump {
        return None;
    }
    let of = |proof: &&Proof| Way::of(proof) == way && proof.compared();
    let proofs = input.points.iter().flat_map(|k| &k.proofs).filter(of);
    proofs.map(|p| p.at).max()
}

fn newest_proven(input: &Input<'_>, proofs: &[(&Known, &Proof)]) -> Vec<Proven> {
    let now = input.now;
    let one = |(known, proof): &(&Known, &Proof)| {
        let age = age_s(now, known.at_of(&proof.source));
        Proven {
            source: proof.source.clone(),
            method: proof.method,
            database: proof.database.clone(),
            target: proof.target.clone(),
            point: known.point.slot,
            age_s: age,
            proof_age_s: age_s(now, proof.at),
            compared_age_s: compared(input, Way::of(proof)).map(|at| age_s(now, at)),
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
        source: proof.source.clone(),
        database: proof.database.clone(),
        method: proof.method,
        target: proof.target.clone(),
        why: why.unwrap_or_else(|| "nothing was looked at".into()),
    }
}

fn retention(input: &Input<'_>) -> Retention {
    let short = |known: &Known, copy: &Copy| {
        let target = input.policy.target(&copy.target);
        let promised = |t: &Target| known.at_of(&copy.source) + t.lock.retention.signed();
        target.is_some_and(|t| copy.locked_until() < promised(t))
    };
    let copies = input.points.iter().flat_map(|k| &k.copies);
    let newest = input.points.first();
    Retention {
        earliest_unlock: copies.map(Copy::locked_until).min(),
        below_policy: newest.map_or(0, |k| {
            k.copies.iter().filter(|c| short(k, c)).count() as u64
        }),
    }
}

#[cfg(test)]
mod tests;
