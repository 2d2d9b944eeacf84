//! The journals that say which documents of a point must be there.

use super::journal::verify_journal;
use crate::journal::{Event, RunState, read};
use crate::model::{PolicyName, RunId, RunKind, Slot, SourceId, TargetName};
use crate::plan::{
    DumpDatabase, DumpServer, PublishPoint, ReadReference, ReadServer, Tried, WriteProofs,
};
use crate::report::{Code, Fail, Finding};
use crate::targets::Reached;
use crate::vault::{Key, PointDocument, PointRef, ProofOf, SourceDocument, Vault};
use std::collections::{BTreeMap, BTreeSet};

/// So many of the newest drills are looked at for those of the point.
const LOOK_BACK: usize = 12;

/// What journals say of the documents of one point.
#[derive(Default)]
pub struct Witness {
    /// By target: documents that were written there.
    pub written: BTreeMap<TargetName, BTreeSet<String>>,
    /// Every key that a run of this point may write; `None` where no journal can be read, and
    /// anything may be there.
    may_be: Option<BTreeSet<String>>,
    /// Runs whose journal cannot be believed: whatever carries their name may be theirs.
    doubtful: BTreeSet<RunId>,
    /// All drills that the journals know.
    pub drills: BTreeSet<RunId>,
    /// The target that holds the lists of the point's objects.
    pub lists_at: Option<TargetName>,
}

/// The run that a document's name names.
fn run_of(key: &str) -> Option<RunId> {
    match Key::parse(key)? {
        Key::Proof { run, .. } => Some(run),
        Key::Point {
            document: PointDocument::Dump { run, .. } | PointDocument::Expired { run, .. },
            ..
        } => Some(run),
        _ => None,
    }
}

impl Witness {
    /// Whether a run of this point may have written a key.
    pub fn knows(&self, key: &str) -> bool {
        self.may_be.as_ref().is_none_or(|m| m.contains(key))
            || run_of(key).is_some_and(|r| self.doubtful.contains(&r))
    }

    fn wrote(&mut self, target: &TargetName, key: String) {
        self.written.entry(target.clone()).or_default().insert(key);
    }

    fn backup(&mut self, state: &RunState) {
        let plan = &state.plan;
        self.lists_at = Some(plan.journal_target.clone());
        let key = |document| Key::point(&plan.policy, plan.slot, document).to_string();
        for (_, action, published) in state.done::<PublishPoint>() {
            for at in &published.point_at {
                self.wrote(at, key(PointDocument::Point));
                self.wrote(at, key(captured(&action.source)));
                self.wrote(at, key(copy(&action.source, &action.target)));
            }
        }
        for (_, _, read) in state.done::<ReadReference>() {
            if let Some(key) = &read.document {
                read.at
                    .iter()
                    .for_each(|at| self.wrote(at, key.to_string()));
            }
        }
        let may_be = self.may_be.get_or_insert_default();
        for (_, action) in plan.actions::<DumpServer>() {
            let (source, target) = (&action.source, &action.target);
            let read = state
                .done::<ReadServer>()
                .filter(|(_, a, _)| &a.source == source);
            for database in read.flat_map(|(_, _, read)| &read.databases) {
                may_be.insert(key(dump(&plan.run, source, database.as_str(), target)));
            }
        }
        for (_, action, dumped) in state.done::<DumpServer>() {
            for dump in &dumped.held.dumps {
                self.wrote(&action.target, dump.key.to_string());
            }
        }
    }

    fn drill(&mut self, state: &RunState) {
        let plan = &state.plan;
        let may_be = self.may_be.get_or_insert_default();
        for (_, dumped) in plan.actions::<DumpDatabase>() {
            let (source, target) = (&dumped.source, &dumped.target);
            let document = dump(&plan.run, source, dumped.database.as_str(), target);
            may_be.insert(Key::point(&plan.policy, plan.slot, document).to_string());
        }
        for (_, action) in plan.actions::<WriteProofs>() {
            for tried in &action.tried {
                may_be.insert(proof_key(state, tried).to_string());
            }
        }
        for (_, action, dumped) in state.done::<DumpDatabase>() {
            self.wrote(&action.target, dumped.key.to_string());
        }
        for (_, _, proofs) in state.done::<WriteProofs>() {
            for target in &plan.targets {
                let keys = proofs.keys.iter();
                keys.for_each(|key| self.wrote(&target.name, key.to_string()));
            }
        }
    }
}

fn proof_key(state: &RunState, tried: &Tried) -> Key {
    Key::Proof {
        policy: state.plan.policy.clone(),
        slot: state.plan.slot,
        run: state.plan.run.clone(),
        of: ProofOf {
            source: tried.source.clone(),
            method: tried.by.method(),
            database: tried.by.database().cloned(),
            target: tried.target.clone(),
        },
    }
}

fn dump(run: &RunId, source: &SourceId, database: &str, target: &TargetName) -> PointDocument {
    PointDocument::Dump {
        run: run.clone(),
        source: source.clone(),
        database: database.to_owned(),
        target: target.clone(),
    }
}

fn captured(source: &SourceId) -> PointDocument {
    of_source(source, SourceDocument::Captured)
}

fn of_source(source: &SourceId, what: SourceDocument) -> PointDocument {
    let source = source.clone();
    PointDocument::Source { source, what }
}

fn copy(source: &SourceId, target: &TargetName) -> PointDocument {
    PointDocument::Copy {
        source: source.clone(),
        target: target.clone(),
    }
}

/// # Errors
/// The store's.
pub async fn witness(
    reached: &Reached,
    policy: &PolicyName,
    point: &PointRef,
    findings: &mut Vec<Finding>,
) -> Result<Witness, Fail> {
    let slot = point.point.slot;
    let mut found = Witness::default();
    if reached.capable().next().is_none() {
        return Ok(found);
    }
    let key = |document| Key::point(policy, slot, document).to_string();
    let sources = point.point.sources.iter();
    let documents = sources.flat_map(|s| {
        let copies = s.targets.iter().map(|t| copy(&s.id, t));
        // A runner that died after it wrote them leaves them without evidence.
        let read = [SourceDocument::ReferenceBefore, SourceDocument::Reference];
        let read = read.map(|what| of_source(&s.id, what));
        copies.chain([captured(&s.id)]).chain(read)
    });
    let documents = documents.chain([PointDocument::Point]);
    found.may_be = Some(documents.map(key).collect());
    let backup = one(
        (reached, point),
        policy,
        &point.point.run,
        &mut found,
        findings,
    )
    .await?;
    if let Some(state) = backup {
        found.backup(&state);
    }
    for run in drills_of(reached, policy, point, &mut found).await? {
        if let Some(state) = one((reached, point), policy, &run, &mut found, findings).await? {
            found.drill(&state);
        }
    }
    Ok(found)
}

/// One run's journal, at the target that has it.
async fn one(
    (reached, point): (&Reached, &PointRef),
    policy: &PolicyName,
    run: &RunId,
    found: &mut Witness,
    findings: &mut Vec<Finding>,
) -> Result<Option<RunState>, Fail> {
    let mut missing = None;
    let all_read = all_read(reached, point);
    for seen in reached.capable() {
        let journal = verify_journal(&seen.vault, policy, run).await?;
        if journal.wrong.iter().any(|w| w.code == Code::RunMissing) {
            missing.get_or_insert((seen, journal.wrong));
            continue;
        }
        findings.extend(journal.wrong.findings(&seen.target.name));
        if journal.state.is_none() {
            found.doubtful.insert(run.clone());
        }
        return Ok(journal.state);
    }
    if let Some((seen, wrong)) = missing {
        if all_read {
            findings.extend(wrong.findings(&seen.target.name));
        } else {
            // A journal lies at one target, which may be one that is not read.
            let message = format!(
                "the journal of {run} is at none of the targets that were read, so what it says \
                 of this point's documents is not known"
            );
            let finding = Finding::warning(Code::RunMissing, message);
            findings.push(finding.thing(run).place(&seen.target.name));
            found.doubtful.insert(run.clone());
        }
    }
    Ok(None)
}

/// Whether every target that may hold a journal of this point's is read.
fn all_read(reached: &Reached, point: &PointRef) -> bool {
    let mut targets = point.point.targets.iter();
    targets.all(|t| reached.seen.iter().any(|s| s.target.name == t.name))
}

/// Drills of this point: those that its documents name, and those among the newest whose plan does.
async fn drills_of(
    reached: &Reached,
    policy: &PolicyName,
    point: &PointRef,
    found: &mut Witness,
) -> Result<BTreeSet<RunId>, Fail> {
    let mut all: BTreeSet<RunId> = BTreeSet::new();
    let ever = Slot::at(jiff::Timestamp::UNIX_EPOCH);
    for seen in reached.capable() {
        let runs = seen.vault.runs(policy, RunKind::Drill, ever).await?;
        found.drills.extend(runs.iter().map(|r| r.run.clone()));
        for run in runs.iter().rev().take(LOOK_BACK) {
            let first = Key::entry(policy, &run.run, 0).to_string();
            if plans_for(&seen.vault, &first, point.point.slot).await? {
                all.insert(run.run.clone());
            }
        }
    }
    let backup = &point.point.run;
    let dumps = point.dumps.iter().map(|(_, d)| &d.run);
    let dumps = dumps.filter(|r| *r != backup);
    let named = point.proofs.iter().map(|p| &p.run).chain(dumps);
    // Whose journal may lie at a target that is not read is asked for, and then doubtful.
    let elsewhere = !all_read(reached, point);
    all.extend(
        named
            .filter(|r| elsewhere || found.drills.contains(*r))
            .cloned(),
    );
    Ok(all)
}

/// An entry 0 that cannot be read may be this point's.
async fn plans_for(vault: &Vault, key: &str, slot: Slot) -> Result<bool, Fail> {
    match vault.oldest(key).await {
        Ok((bytes, _)) => Ok(match read(&bytes) {
            Ok((entry, _)) => {
                matches!(entry.event, Event::Opened { plan, .. } if plan.slot == slot)
            }
            Err(_) => true,
        }),
        Err(e) if e.transient() => Err(e.into()),
        Err(_) => Ok(true),
    }
}
