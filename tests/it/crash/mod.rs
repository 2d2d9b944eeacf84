//! Every call broken once: what is stored must never be wrong, whatever a run says.
//!
//! A clean run is recorded; then for each of its calls and each kind of fault a run starts from the
//! same state, meets
//! the fault at that call, and `dr` is run again until it says finished. What is then stored must
//! be what the clean
//! run stored. docs/RELIABILITY.md tells what this covers.

pub mod call;
mod kind;
pub mod stage;
pub mod stored;

use crate::cloud::Ran;
use call::Named;
use dr::world::World;
use kind::Kind;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stage::{Stage, Template};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use stored::Stored;

/// Ticks after which a run must have finished.
const MOST_RUNS: usize = 8;
/// Of the sample, where `SEED` names no other.
const SEED: u64 = 20_261_124;

/// One stage of the chain with its clean run.
struct Clean {
    stage: Stage,
    template: Template,
    calls: Vec<Named>,
    stored: Stored,
}

impl Clean {
    fn record(stage: Stage) -> Self {
        let template = Template::make(stage);
        let cloud = template.copy();
        let since = cloud.now();
        let ran = stage.run(&cloud);
        assert!(stage.finished(&ran), "the clean run of {stage:?}: {ran:?}");
        let calls = call::named(&cloud.calls(since));
        let stored = Stored::after(cloud);
        Self {
            stage,
            template,
            calls,
            stored,
        }
    }

    /// Breaks one call; `Err` says what is wrong afterwards.
    fn broken(&self, named: &Named, kind: Kind) -> Result<usize, String> {
        let cloud = self.template.copy();
        let (first, reached) = kind.strike(&cloud, self.stage, named);
        if !reached {
            return Err("not_reached".into());
        }
        let mut runs = 1;
        let mut last = first;
        while !last.as_ref().is_some_and(|ran| self.stage.finished(ran)) {
            if runs > MOST_RUNS {
                return Err(format!("not finished after {runs} runs: {last:?}"));
            }
            if kind == Kind::Final && named.of_a_probe() && last.as_ref().is_some_and(wants_probe) {
                // A probe that was refused something proves nothing, and its target gets nothing.
                // Whoever is on call types the hint.
                cloud
                    .dr(&["vault", "probe", "--policy", "../lab/drill.yaml"])
                    .exits(0);
            }
            last = Some(self.stage.run(&cloud));
            runs += 1;
        }
        self.stage.sound(&cloud)?;
        let found = Stored::after(cloud);
        let differences = self.stored.differences(&found);
        if differences.is_empty() {
            Ok(runs)
        } else {
            Err(differences.join("; "))
        }
    }
}

/// A hint of the answer is to probe the locks.
fn wants_probe(ran: &Ran) -> bool {
    ran.json()["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|f| {
            f["hint"]
                .as_str()
                .is_some_and(|h| h.starts_with("dr vault probe"))
        })
}

/// Written for docs/RELIABILITY.md where `DR_REPORTS` names a folder.
pub fn report(name: &str, report: &Value) {
    let Some(folder) = World::default().env("DR_REPORTS") else {
        return;
    };
    std::fs::create_dir_all(&folder).expect("the folder of DR_REPORTS");
    std::fs::write(std::path::Path::new(&folder).join(name), report.to_string()).expect("written");
}

/// The report of a set of cases (docs/RELIABILITY.md is made from it).
#[derive(Default)]
struct Report {
    calls: usize,
    ops: BTreeMap<String, usize>,
    cases: usize,
    most_runs: usize,
    failures: Vec<Value>,
}

impl Report {
    fn note(&mut self, stage: Stage, named: &Named, kind: Kind, result: Result<usize, String>) {
        self.cases += 1;
        match result {
            Ok(runs) => self.most_runs = self.most_runs.max(runs),
            Err(difference) => {
                crate::cloud::say(&format!("FAILED {stage:?} {named} {kind:?}: {difference}"));
                self.failures.push(
                    json!({"stage": format!("{stage:?}"), "call": named.to_string(),
                "op": named.operation, "kind": format!("{kind:?}"), "difference": difference}),
                );
            }
        }
    }
}

/// Of a sample.
fn seed(world: &World) -> u64 {
    let given = world.env("SEED").and_then(|s| s.parse().ok());
    given.unwrap_or(SEED)
}

/// The cases of a stage: all of them where `DR_FULL` is set, else a sample that has each operation
/// at least once.
fn cases(clean: &Clean) -> Vec<(Named, Kind)> {
    let world = World::default();
    if world.env("DR_FULL").is_some() {
        return clean
            .calls
            .iter()
            .flat_map(|c| Kind::ALL.map(|kind| (c.clone(), kind)))
            .collect();
    }
    let seed = seed(&world);
    let mut by_operation: BTreeMap<(&str, &str), Vec<&Named>> = BTreeMap::new();
    for call in &clean.calls {
        by_operation
            .entry((&call.service, &call.operation))
            .or_default()
            .push(call);
    }
    let mut sample = Vec::new();
    for calls in by_operation.values() {
        // Writes have more to lose than reads.
        let wanted = if calls.len() > 8 { 3 } else { 1 };
        for n in 0..wanted {
            let turn = sample.len() as u64 + seed;
            let at = (turn.wrapping_mul(2_654_435_761) as usize / 7 + n * calls.len() / wanted)
                % calls.len();
            sample.push((
                calls[at].clone(),
                Kind::ALL[turn as usize % Kind::ALL.len()],
            ));
        }
    }
    sample
}

/// `2/4`: the second of four parts.
fn shard(text: &str) -> (usize, usize) {
    let parsed = text
        .split_once('/')
        .and_then(|(i, k)| Some((i.parse().ok()?, k.parse().ok()?)));
    parsed
        .filter(|(i, k)| *i >= 1 && i <= k)
        .unwrap_or_else(|| panic!("SHARD={text}: write it like 2/4"))
}

/// Cases that an earlier, interrupted run of the full set has passed: one line each in the file
/// that `RESUME` names.
struct Passed {
    file: Option<std::fs::File>,
    known: BTreeSet<String>,
}

impl Passed {
    fn open() -> Self {
        let Some(path) = World::default().env("RESUME") else {
            return Self {
                file: None,
                known: BTreeSet::new(),
            };
        };
        let known = std::fs::read_to_string(&path)
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect();
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .expect("the file of RESUME");
        Self {
            file: Some(file),
            known,
        }
    }

    fn note(&mut self, case: &str) {
        if let Some(file) = &mut self.file {
            writeln!(file, "{case}").expect("written");
        }
    }
}

fn explore(stage: Stage, cases: impl FnOnce(&Clean) -> Vec<(Named, Kind)>) {
    let world = World::default();
    let start = world.monotonic();
    let clean = Clean::record(stage);
    let mut report = Report {
        calls: clean.calls.len(),
        ..Report::default()
    };
    for named in &clean.calls {
        *report
            .ops
            .entry(format!("{} {}", named.service, named.operation))
            .or_default() += 1;
    }
    let mut passed = Passed::open();
    let (i, k) = shard(world.env("SHARD").as_deref().unwrap_or("1/1"));
    for (named, kind) in cases(&clean) {
        let case = format!("{stage:?} {named} {kind:?}");
        // By its name, so that shards whose clean runs differ in order leave nothing out between
        // them.
        if Sha256::digest(&case)
            .iter()
            .fold(0, |sum, byte| (sum * 256 + usize::from(*byte)) % k)
            != i - 1
        {
            continue;
        }
        if world.env("CASE").is_some_and(|part| !case.contains(&part)) {
            continue;
        }
        if passed.known.contains(&case) {
            report.cases += 1;
            continue;
        }
        let result = clean.broken(&named, kind);
        if result.is_ok() {
            passed.note(&case);
        }
        report.note(stage, &named, kind, result);
    }
    report.tell(stage, start.elapsed().as_secs_f64());
    assert_eq!(report.failures, Vec::<Value>::new(), "{stage:?}");
}

impl Report {
    /// A line for people, and a file for docs/RELIABILITY.md.
    fn tell(&self, stage: Stage, wall_s: f64) {
        crate::cloud::say(&format!(
            "crash {stage:?}: {} calls, {} cases, {} failed, at most {} runs to the end, \
             {wall_s:.0} s",
            self.calls,
            self.cases,
            self.failures.len(),
            self.most_runs
        ));
        let world = World::default();
        let seed = seed(&world);
        let report = json!({
            "stage": format!("{stage:?}"), "n_calls": self.calls, "ops": self.ops,
            "kinds": Kind::ALL.map(|k| format!("{k:?}")), "cases": self.cases,
            "failed": self.failures.len(),
            "sampled": world.env("DR_FULL").is_none(), "shard": world.env("SHARD"), "seed": seed,
            "most_runs": self.most_runs, "failures": self.failures, "wall_s": wall_s,
        });
        let shard = world.env("SHARD").unwrap_or_default().replace('/', "-of-");
        self::report(&format!("crash-{stage:?}{shard}.json"), &report);
    }
}

#[test]
fn files_survive_a_kill_at_every_call() {
    explore(Stage::Files, |clean| {
        let write = |c: &Named| {
            !c.operation.starts_with("Get")
                && !c.operation.starts_with("Head")
                && !c.operation.starts_with("List")
        };
        // A sample has every sixth of them, from another one on with another seed.
        let world = World::default();
        let (every, from) = match world.env("DR_FULL") {
            Some(_) => (1, 0),
            None => (6, seed(&world) as usize % 6),
        };
        clean
            .calls
            .iter()
            .skip(from)
            .step_by(every)
            .map(|c| {
                (
                    c.clone(),
                    if write(c) {
                        Kind::KilledAfter
                    } else {
                        Kind::KilledBefore
                    },
                )
            })
            .collect()
    });
}

#[test]
fn a_vaults_making_survives_every_fault() {
    explore(Stage::Init, cases);
}

#[test]
fn a_probe_survives_every_fault() {
    explore(Stage::Probe, cases);
}

#[test]
fn a_verification_survives_every_fault() {
    explore(Stage::Verify, cases);
}

#[test]
fn a_backup_survives_every_fault() {
    explore(Stage::Backup, cases);
}

#[test]
fn a_backup_of_a_server_survives_every_fault() {
    explore(Stage::Servers, cases);
}

#[test]
fn a_drill_survives_every_fault() {
    explore(Stage::Drill, cases);
}

#[test]
fn a_restore_of_a_snapshot_survives_every_fault() {
    explore(Stage::RestoreSnapshot, cases);
}

#[test]
fn a_restore_of_a_dump_survives_every_fault() {
    explore(Stage::RestoreDump, cases);
}

#[test]
fn a_restore_of_files_survives_every_fault() {
    explore(Stage::RestoreFiles, cases);
}
