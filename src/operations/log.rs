//! Which runs there were: of every kind, in every journal that can be read.

use super::known_runs::{Unread, schedule_of};
use super::session::journal_at;
use super::{Loaded, Surroundings, links};
use crate::journal::{Event, LastSeen, Outcome, RunState, StepState, exceptions};
use crate::model::{PolicyName, Role, RunId, RunKind, Sha256, Slot, TargetName};
use crate::plan::{Plan, Step};
use crate::policy::Policy;
use crate::report::{Fail, Finding};
use crate::schedule;
use crate::targets::{self, Reached, Seen, away_findings};
use crate::vault::{JournalStore, RunEnds, RunRead, VaultError};
use futures_util::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Without a beginning, so much is shown.
const SHOWN: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Journals that are read at once.
const AT_ONCE: usize = 8;

pub struct LogRequest {
    /// Runs whose slot is not before it; absent: of the last 30 days, and the newest.
    pub since: Option<Timestamp>,
    /// Every entry is read: chains are checked, exceptions counted again.
    pub whole: bool,
    /// The role whose key reads.
    pub role: Role,
}

/// Runs, oldest first.
pub struct Log {
    pub policy: PolicyName,
    pub since: Timestamp,
    pub runs: Vec<Run>,
    pub findings: Vec<Finding>,
}

/// One run, as one journal tells it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    pub run: RunId,
    pub kind: RunKind,
    pub slot: Slot,
    pub opened_at: Timestamp,
    /// Who opened it.
    pub actor: String,
    /// The target that holds the journal.
    pub target: TargetName,
    /// `complete`, `incomplete`, `failed`, `abandoned` or `open`.
    pub result: String,
    /// From the opening to the newest entry.
    pub took_s: i64,
    pub steps: usize,
    pub steps_done: usize,
    pub entries: u64,
    /// What was not kept, not carried or not applied, by its end, or by the evidence of its steps
    /// where all of it was read; `None`: an older program's run, of which only the ends were.
    pub exceptions: Option<u64>,
    /// Steps whose last attempt failed.
    pub failed: Vec<Failed>,
    /// What whoever opened it had seen of other runs.
    pub after: Vec<LastSeen>,
    /// Of the newest entry.
    pub newest_sha256: Sha256,
}

impl Run {
    fn read(&self) -> links::Read<'_> {
        links::Read {
            run: &self.run,
            target: &self.target,
            entries: self.entries,
            newest_sha256: &self.newest_sha256,
            after: &self.after,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    pub step: String,
    pub code: String,
}

/// # Errors
/// No target answers; the store's.
pub async fn log(
    around: Surroundings<'_>,
    loaded: &Loaded,
    request: &LogRequest,
) -> Result<Log, Fail> {
    let (clients, now) = (loaded.clients(None), around.world.now());
    let targets = loaded.targets(now);
    let reached = targets::reading(around.world, targets, &clients, request.role).await?;
    let policy = &loaded.policy.name;
    let mut findings = loaded.warnings.clone();
    findings.extend(away_findings(&reached, &loaded.policy));
    let since = request
        .since
        .unwrap_or_else(|| beginning(&loaded.policy, reached.now));
    let (mut runs, mut wrong) = readable(&reached, policy, since, request.whole).await?;
    let read: Vec<&TargetName> = reached.seen.iter().map(|s| &s.target.name).collect();
    let gaps = |runs: &[Run], wrong: &[Unread]| {
        let known: Vec<links::Read<'_>> = runs.iter().map(Run::read).collect();
        let unread = wrong.iter().map(|w| (w.run.clone(), w.at.clone()));
        let looked = links::LookedAt {
            targets: read.clone(),
            unread: unread.collect(),
            since,
        };
        links::gaps(&known, &looked)
    };
    let mut vanished = gaps(&runs, &wrong);
    if !vanished.is_empty() {
        // A run that went on while the others were read is no gap.
        (runs, wrong) = readable(&reached, policy, since, request.whole).await?;
        vanished = gaps(&runs, &wrong);
    }
    findings.extend(wrong.into_iter().map(|w| w.finding("")));
    findings.extend(vanished);
    runs.sort_by(|a, b| (a.opened_at, &a.run, &a.target).cmp(&(b.opened_at, &b.run, &b.target)));
    Ok(Log {
        policy: policy.clone(),
        since,
        runs,
        findings,
    })
}

/// The runs, and what is wrong with those that cannot be believed.
async fn readable(
    reached: &Reached,
    policy: &PolicyName,
    since: Timestamp,
    whole: bool,
) -> Result<(Vec<Run>, Vec<Unread>), Fail> {
    let (mut runs, mut wrong) = (Vec::new(), Vec::new());
    for (seen, run) in known(reached, policy, since, whole).await? {
        match run {
            Ok(run) => runs.push(run),
            Err((run, why)) => wrong.push(Unread {
                run,
                at: seen.target.name.clone(),
                why,
            }),
        }
    }
    Ok((runs, wrong))
}

/// A slot that comes once a year is older than what is shown, and still the newest.
fn beginning(policy: &Policy, now: Timestamp) -> Timestamp {
    let schedules = RunKind::ALL.iter().filter_map(|k| schedule_of(policy, *k));
    let latest = schedules.filter_map(|s| schedule::latest(s, now));
    latest.map(Slot::time).fold(now - SHOWN, Timestamp::min)
}

type Told = Result<Run, (RunId, VaultError)>;

/// Every run that a target has entries of; one that cannot be believed hides no other.
async fn known<'a>(
    reached: &'a Reached,
    policy: &PolicyName,
    since: Timestamp,
    whole: bool,
) -> Result<Vec<(&'a Seen, Told)>, Fail> {
    // Names after the one before it: the slot itself is among them.
    let after = Slot::at(since - SignedDuration::from_secs(1));
    let mut found = Vec::new();
    for seen in &reached.seen {
        let at = At {
            policy,
            target: &seen.target.name,
            journal: journal_at(&seen.vault),
            whole,
        };
        for kind in RunKind::ALL {
            let runs = seen.vault.runs(policy, kind, after).await?;
            let told: Vec<Option<Told>> = futures_util::stream::iter(runs)
                .map(|known| at.told(known.run))
                .buffered(AT_ONCE)
                .try_collect()
                .await?;
            found.extend(told.into_iter().flatten().map(|told| (seen, told)));
        }
    }
    Ok(found)
}

/// Journals of one target.
struct At<'a> {
    policy: &'a PolicyName,
    target: &'a TargetName,
    journal: JournalStore,
    whole: bool,
}

impl At<'_> {
    async fn told(&self, run: RunId) -> Result<Option<Told>, VaultError> {
        match self.read(&run).await {
            Ok(found) => Ok(found.map(Ok)),
            Err(e) if e.transient() => Err(e),
            Err(e) => Ok(Some(Err((run, e)))),
        }
    }

    /// A backup or restore that is complete has done all of its steps; of any other run it is told
    /// what it did and what failed.
    async fn read(&self, run: &RunId) -> Result<Option<Run>, VaultError> {
        if !self.whole {
            let Some(ends) = self.journal.ends(self.policy, run).await? else {
                return Ok(None);
            };
            if let Some(told) = complete(run, &ends, self.target) {
                return Ok(Some(told));
            }
        }
        let read = self.journal.read(self.policy, run).await?;
        Ok(read.map(|read| told(&read, self.target)))
    }
}

fn complete(run: &RunId, ends: &RunEnds, target: &TargetName) -> Option<Run> {
    let Event::Opened { plan, after } = &ends.opened.event else {
        return None;
    };
    let Event::Finished {
        outcome: Outcome::Complete,
        exceptions,
    } = &ends.newest.event
    else {
        return None;
    };
    let steps = plan.steps.len();
    (plan.kind != RunKind::Drill).then(|| Run {
        run: run.clone(),
        kind: plan.kind,
        slot: plan.slot,
        opened_at: plan.opened_at,
        actor: ends.opened.by.actor.id.clone(),
        target: target.clone(),
        result: Outcome::Complete.as_str().to_owned(),
        took_s: took_s(plan, ends.newest_written),
        steps,
        steps_done: steps,
        entries: ends.newest.seq + 1,
        exceptions: *exceptions,
        failed: Vec::new(),
        after: after.clone(),
        newest_sha256: ends.newest_sha256.clone(),
    })
}

fn took_s(plan: &Plan, newest: Timestamp) -> i64 {
    newest.duration_since(plan.opened_at).as_secs().max(0)
}

fn told(read: &RunRead, target: &TargetName) -> Run {
    let state = &read.state;
    let plan = &state.plan;
    Run {
        run: read.run.clone(),
        kind: plan.kind,
        slot: plan.slot,
        opened_at: plan.opened_at,
        actor: state.opened_by.actor.id.clone(),
        target: target.clone(),
        result: state.finished.map_or("open", Outcome::as_str).to_owned(),
        took_s: took_s(plan, read.store_now - read.head_age),
        steps: plan.steps.len(),
        steps_done: plan.steps.iter().filter(|s| state.succeeded(&s.id)).count(),
        entries: state.head.seq + 1,
        exceptions: Some(exceptions(state)),
        failed: failed(state),
        after: state.after.clone(),
        newest_sha256: state.head.sha256.clone(),
    }
}

fn failed(state: &RunState) -> Vec<Failed> {
    let of = |step: &Step| match state.state(&step.id) {
        StepState::Failed { code, .. } => Some(Failed {
            step: step.id.to_string(),
            code: code.clone(),
        }),
        _ => None,
    };
    state.plan.steps.iter().filter_map(of).collect()
}
