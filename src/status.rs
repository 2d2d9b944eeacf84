//! What the vaults say of one policy, folded: newest point, newest proven one per path and target,
//! objectives, locks. Pure.

use crate::manifest::{Copy, Point, Proof};
use crate::policy::{Path, Policy, TargetName};
use jiff::Timestamp;
use serde::Serialize;

/// A point with its copies and proofs, merged over all targets that answered.
#[derive(Clone, Debug)]
pub struct Known {
    pub point: Point,
    pub copies: Vec<Copy>,
    pub proofs: Vec<Proof>,
}

/// An open run, as status shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OpenRun {
    pub run: String,
    pub step: Option<String>,
    pub holder: String,
    pub head_age_s: i64,
}

pub struct Input<'a> {
    pub policy: &'a Policy,
    pub now: Timestamp,
    /// Newest first.
    pub points: &'a [Known],
    pub open_runs: Vec<OpenRun>,
    pub last_slot: Option<Timestamp>,
    pub next_slot: Option<Timestamp>,
    pub missed_slots: u64,
    pub away: &'a [TargetName],
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    pub name: String,
    pub last_slot: Option<Timestamp>,
    pub next_slot: Option<Timestamp>,
    pub missed_slots: u64,
    pub open_runs: Vec<OpenRun>,
    pub newest: Option<Newest>,
    pub newest_proven: Vec<Proven>,
    pub objectives: Vec<Met>,
    pub retention: Retention,
    pub checked: u64,
    pub not_checked: u64,
    pub excluded: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Newest {
    pub point: String,
    pub at: Timestamp,
    pub age_s: i64,
    pub targets: Vec<TargetState>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetState {
    pub name: TargetName,
    /// `complete`, `missing`, `away`
    pub state: &'static str,
    /// Files and dumps are locked; a native snapshot copy is not, so a target that holds one says
    /// `files-only`.
    pub immutable: &'static str,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proven {
    pub path: Path,
    pub target: TargetName,
    pub point: String,
    /// Age of the point.
    pub age_s: i64,
    pub proof_age_s: i64,
    pub rto_s: f64,
    /// What would be lost if the source died now and this point were restored.
    pub rpo_s: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Met {
    pub path: Path,
    pub rto_s: u64,
    pub rpo_s: u64,
    /// The best proven figures, where there are any.
    pub measured_rto_s: Option<f64>,
    pub measured_rpo_s: Option<f64>,
    pub met: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Retention {
    pub earliest_unlock: Option<Timestamp>,
    /// Complete copies of the newest point whose lock ends before the policy's retention after
    /// their slot.
    pub below_policy: u64,
}

pub fn fold(input: Input<'_>) -> Status {
    let proven = newest_proven(&input);
    let latest = |f: fn(&Proof) -> u64| newest_proofs(input.points).iter().map(|(_, p)| f(p)).sum();
    Status {
        name: input.policy.name.to_string(),
        last_slot: input.last_slot,
        next_slot: input.next_slot,
        missed_slots: input.missed_slots,
        newest: input
            .points
            .iter()
            .find(|k| !k.copies.is_empty())
            .map(|k| newest(&input, k)),
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
            Some(copy) if copy.native.as_ref().is_some_and(|n| !n.immutable) => (
                "complete",
                if copy.objects > 0 { "files-only" } else { "no" },
            ),
            Some(_) => ("complete", "yes"),
            None if input.away.contains(name) => ("away", "unknown"),
            None => ("missing", "no"),
        };
        TargetState {
            name: name.clone(),
            state,
            immutable,
        }
    };
    Newest {
        point: known.point.slot.clone(),
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

/// The newest passed proof of each path and target; points are newest first.
fn newest_proofs(points: &[Known]) -> Vec<(&Known, &Proof)> {
    let mut found: Vec<(&Known, &Proof)> = Vec::new();
    for known in points {
        for proof in known.proofs.iter().filter(|p| p.passed) {
            match found
                .iter_mut()
                .find(|(_, f)| f.path == proof.path && f.target == proof.target)
            {
                None => found.push((known, proof)),
                Some((k, f)) if k.point.slot == known.point.slot && proof.at > f.at => *f = proof,
                Some(_) => {}
            }
        }
    }
    found.sort_by(|(_, a), (_, b)| (a.path, &a.target).cmp(&(b.path, &b.target)));
    found
}

fn newest_proven(input: &Input<'_>) -> Vec<Proven> {
    let one = |(known, proof): (&Known, &Proof)| {
        let age = age_s(input.now, known.point.at);
        Proven {
            path: proof.path,
            target: proof.target.clone(),
            point: known.point.slot.clone(),
            age_s: age,
            proof_age_s: age_s(input.now, proof.at),
            rto_s: proof.measured.rto_s,
            rpo_s: age as f64 + proof.measured.rpo_s.unwrap_or(0.0),
        }
    };
    newest_proofs(input.points).into_iter().map(one).collect()
}

/// An objective is met when one target's newest proven figures meet both of its numbers.
fn objectives(policy: &Policy, proven: &[Proven]) -> Vec<Met> {
    let one = |(path, wanted): (&Path, &crate::policy::Objective)| {
        let of_path: Vec<&Proven> = proven.iter().filter(|p| p.path == *path).collect();
        let best = |f: fn(&Proven) -> f64| of_path.iter().map(|p| f(p)).min_by(f64::total_cmp);
        Met {
            path: *path,
            rto_s: wanted.rto.0,
            rpo_s: wanted.rpo.0,
            measured_rto_s: best(|p| p.rto_s),
            measured_rpo_s: best(|p| p.rpo_s),
            met: of_path
                .iter()
                .any(|p| p.rto_s <= wanted.rto.0 as f64 && p.rpo_s <= wanted.rpo.0 as f64),
        }
    };
    policy.objectives.iter().map(one).collect()
}

fn retention(input: &Input<'_>) -> Retention {
    let copies = || {
        input
            .points
            .iter()
            .flat_map(|k| k.copies.iter().map(move |c| (k, c)))
    };
    let short = |(known, copy): (&Known, &Copy)| {
        let wanted = input
            .policy
            .target(&copy.target)
            .map(|t| t.lock.retention.signed());
        wanted.is_some_and(|w| {
            copy.verified.retain_until_min.unwrap_or(copy.retain_until) < known.point.at + w
        })
    };
    Retention {
        earliest_unlock: copies()
            .map(|(_, c)| c.verified.retain_until_min.unwrap_or(c.retain_until))
            .min(),
        below_policy: input.points.first().map_or(0, |first| {
            copies()
                .filter(|(k, _)| k.point.slot == first.point.slot)
                .filter(|p| short(*p))
                .count() as u64
        }),
    }
}

#[cfg(test)]
mod tests;
