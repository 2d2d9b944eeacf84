//! The documents of a point at every target, and the journals that say which of them must be there.

use super::tell;
use crate::cli::home::{Home, Seen};
use crate::cli::load::Loaded;
use crate::cli::output::{Answer, Fail};
use crate::cli::runs::LOOK_BACK;
use crate::journal::{Event, Evidence, RunState, read};
use crate::plan::{Kind, RunId};
use crate::policy::{Path, TargetName};
use crate::steps::{Documents, Wrong, point_documents, policy_copies, verify_journal};
use crate::vault::{PointRef, Vault, layout};
use std::collections::{BTreeMap, BTreeSet};

/// What journals say of the folder of one point.
#[derive(Default)]
pub struct Witness {
    /// By target: documents that were written there.
    written: BTreeMap<TargetName, BTreeSet<String>>,
    /// Every key that a run of this point may write; `None` where no journal can be read, and
    /// anything may be there.
    may_be: Option<BTreeSet<String>>,
    /// Runs whose journal cannot be believed: whatever carries their name may be theirs.
    doubtful: BTreeSet<String>,
    /// All drills that the journals know.
    pub drills: BTreeSet<String>,
    /// The target that holds the list of the point's objects.
    pub home: Option<TargetName>,
}

impl Witness {
    fn knows(&self, key: &str) -> bool {
        let name = key.rsplit('/').next().unwrap_or_default();
        self.may_be.as_ref().is_none_or(|m| m.contains(key))
            || self.doubtful.iter().any(|run| {
                name.strip_prefix(run.as_str())
                    .is_some_and(|n| n.starts_with('-'))
            })
    }

    fn wrote(&mut self, target: &TargetName, key: &str) {
        self.written
            .entry(target.clone())
            .or_default()
            .insert(key.to_owned());
    }

    fn backup(&mut self, state: &RunState) {
        let plan = &state.plan;
        self.home = Some(plan.home.clone());
        for of in &plan.targets {
            let Some(Evidence::Published { point_at, .. }) =
                state.evidence(&crate::plan::StepId(format!("publish:{}", of.name)))
            else {
                continue;
            };
            for at in plan
                .targets
                .iter()
                .filter(|t| point_at.iter().any(|p| p == t.name.as_str()))
            {
                self.wrote(&at.name, &layout::point(&plan.policy, &plan.slot));
                self.wrote(&at.name, &layout::copy(&plan.policy, &plan.slot, &of.name));
            }
        }
    }

    fn drill(&mut self, state: &RunState) {
        let plan = &state.plan;
        let may_be = self.may_be.get_or_insert_default();
        for target in &plan.targets {
            may_be.insert(format!(
                "{}{}-{}.json",
                layout::dumps(&plan.policy, &plan.slot),
                plan.run,
                target.name
            ));
            may_be.extend(Path::ALL.map(|path| {
                layout::proof(&plan.policy, &plan.slot, &plan.run, path, &target.name)
            }));
        }
        for step in &plan.steps {
            match state.evidence(&step.id) {
                Some(Evidence::Dumped { key, .. }) => {
                    if let Some(target) = plan
                        .targets
                        .iter()
                        .find(|t| step.id.0 == format!("dump:{}", t.name))
                    {
                        self.wrote(&target.name.clone(), key);
                    }
                }
                Some(Evidence::Proofs { keys, .. }) => {
                    for target in &plan.targets {
                        keys.iter().for_each(|key| self.wrote(&target.name, key));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Reads the journals of the point's run and of its drills, telling what is wrong with them.
///
/// # Errors
/// The store's.
pub async fn witness(
    home: &Home,
    loaded: &Loaded,
    point: &PointRef,
    answer: &mut Answer,
) -> Result<Witness, Fail> {
    let (policy, slot) = (&loaded.policy.name, &point.point.slot);
    let mut found = Witness::default();
    if !home.seen.iter().any(Seen::capable) {
        return Ok(found);
    }
    let mut may_be: BTreeSet<String> = point
        .point
        .targets
        .iter()
        .map(|t| layout::copy(policy, slot, &t.name))
        .collect();
    may_be.insert(layout::point(policy, slot));
    found.may_be = Some(may_be);
    if let Some(state) = one(
        home,
        loaded,
        &RunId(point.point.run.clone()),
        answer,
        &mut found,
    )
    .await?
    {
        found.backup(&state);
    }
    for run in drills_of(home, loaded, point, &mut found).await? {
        if let Some(state) = one(home, loaded, &run, answer, &mut found).await? {
            found.drill(&state);
        }
    }
    Ok(found)
}

/// One run's journal, at the home that has it.
async fn one(
    home: &Home,
    loaded: &Loaded,
    run: &RunId,
    answer: &mut Answer,
    found: &mut Witness,
) -> Result<Option<RunState>, Fail> {
    let mut missing = None;
    for seen in home.seen.iter().filter(|s| s.capable()) {
        let journal = verify_journal(&seen.vault, &loaded.policy.name, run).await?;
        if journal.wrong.iter().any(|w| w.code == "run-missing") {
            missing.get_or_insert((seen, journal.wrong));
            continue;
        }
        tell(answer, loaded, &seen.target.name, journal.wrong);
        if journal.state.is_none() {
            found.doubtful.insert(run.to_string());
        }
        return Ok(journal.state);
    }
    if let Some((seen, wrong)) = missing {
        tell(answer, loaded, &seen.target.name, wrong);
    }
    Ok(None)
}

/// Drills of this point: those that its documents name, and those among the newest whose plan does.
async fn drills_of(
    home: &Home,
    loaded: &Loaded,
    point: &PointRef,
    found: &mut Witness,
) -> Result<BTreeSet<RunId>, Fail> {
    let policy = &loaded.policy.name;
    let mut all: BTreeSet<RunId> = BTreeSet::new();
    for seen in home.seen.iter().filter(|s| s.capable()) {
        let runs = seen.vault.runs(policy, Kind::Drill, "").await?;
        found.drills.extend(runs.iter().map(|r| r.run.to_string()));
        for run in runs.iter().rev().take(LOOK_BACK) {
            if plans_for(
                &seen.vault,
                &layout::entry(policy, &run.run, 0),
                &point.point.slot,
            )
            .await?
            {
                all.insert(run.run.clone());
            }
        }
    }
    let named = point
        .proofs
        .iter()
        .map(|p| &p.run)
        .chain(point.dumps.iter().map(|(_, d)| &d.run));
    all.extend(
        named
            .filter(|r| found.drills.contains(*r))
            .map(|r| RunId(r.clone())),
    );
    Ok(all)
}

/// An entry 0 that cannot be read may be this point's.
async fn plans_for(vault: &Vault, key: &str, slot: &str) -> Result<bool, Fail> {
    match vault.oldest(key).await {
        Ok((bytes, _)) => Ok(read(&bytes).map_or(
            true,
            |(entry, _)| matches!(entry.event, Event::Opened { plan, .. } if plan.slot == slot),
        )),
        Err(e) if e.transient() => Err(e.into()),
        Err(_) => Ok(true),
    }
}

/// Compares the folder of the point at each target with the journals and with the other targets;
/// policies too.
///
/// # Errors
/// The store's.
pub async fn documents(
    home: &Home,
    loaded: &Loaded,
    point: &PointRef,
    witness: &Witness,
    only: Option<&TargetName>,
    answer: &mut Answer,
) -> Result<(), Fail> {
    let mut all: Vec<(&Seen, Documents)> = Vec::new();
    for seen in &home.seen {
        let documents = point_documents(
            &seen.vault,
            &loaded.policy.name,
            &point.point.slot,
            &|key| witness.knows(key),
        )
        .await?;
        all.push((seen, documents));
    }
    for (at, (seen, documents)) in all
        .iter()
        .enumerate()
        .filter(|(_, (s, _))| only.is_none_or(|o| *o == s.target.name))
    {
        let mut wrong = documents.wrong.clone();
        wrong.extend(missing(witness, seen, documents, &all));
        wrong.extend(differing(documents, &all[..at]));
        let policies = policy_copies(&seen.vault).await?;
        let key = layout::policy(&point.point.policy_sha256.0);
        if !policies.there.contains_key(&key) {
            wrong.push(Wrong {
                code: "object-missing",
                key,
                version: String::new(),
                why: format!("the point's policy is not at {}", seen.target.name),
            });
        }
        wrong.extend(policies.wrong);
        tell(answer, loaded, &seen.target.name, wrong);
    }
    Ok(())
}

/// What a journal says was written here, or what another target has of this point, and is not here.
fn missing(
    witness: &Witness,
    seen: &Seen,
    here: &Documents,
    all: &[(&Seen, Documents)],
) -> Vec<Wrong> {
    let elsewhere = all
        .iter()
        .flat_map(|(_, d)| d.good.keys())
        .filter(|k| !k.contains("/dumps/"));
    let wanted: BTreeSet<&String> = witness
        .written
        .get(&seen.target.name)
        .into_iter()
        .flatten()
        .chain(elsewhere)
        .collect();
    let absent = wanted
        .into_iter()
        .filter(|key| !here.there.contains_key(*key));
    absent
        .map(|key| Wrong {
            code: "object-missing",
            key: key.clone(),
            version: String::new(),
            why: format!("it is not at {}", seen.target.name),
        })
        .collect()
}

/// One document has the same bytes at every target.
fn differing(here: &Documents, before: &[(&Seen, Documents)]) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    for (key, (version, sha256)) in &here.good {
        let other = before
            .iter()
            .find_map(|(s, d)| Some((s, d.good.get(key)?)))
            .filter(|(_, (_, theirs))| theirs != sha256);
        if let Some((seen, (_, theirs))) = other {
            wrong.push(Wrong {
                code: "document-differs",
                key: key.clone(),
                version: version.clone(),
                why: format!(
                    "its SHA-256 is {sha256}, at {} it is {theirs}",
                    seen.target.name
                ),
            });
        }
    }
    wrong
}
