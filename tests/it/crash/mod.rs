//! Every call broken once: what is stored must never be wrong, whatever a run says.
//!
//! A clean run is recorded; then for each of its calls and each kind of fault a run starts from the same state, meets
//! the fault at that call, and `dr` is run again until it says finished. What is then stored must be what the clean
//! run stored. docs/RELIABILITY.md tells what this covers.

mod call;
mod kind;
mod stage;
mod stored;

use crate::cloud::Cloud;
use call::Named;
use kind::Kind;
use serde_json::{Value, json};
use stage::{Stage, Template};
use stored::Stored;
use std::collections::BTreeMap;

/// Ticks after which a run must have finished.
const MOST_RUNS: usize = 8;

/// One stage of the chain with its clean run.
struct Clean {
    stage: Stage,
    template: Template,
    calls: Vec<Named>,
    stored: Stored,
}

impl Clean {
    fn record(stage: Stage, worker: &str) -> Self {
        let template = Template::make(stage, worker);
        let cloud = template.copy();
        let since = cloud.now();
        let ran = stage.run(&cloud);
        assert!(stage.finished(&ran), "the clean run of {stage:?}: {ran:?}");
        let calls = call::named(&cloud.calls(since));
        let stored = stored_after(cloud);
        Self { stage, template, calls, stored }
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
            last = Some(self.stage.run(&cloud));
            runs += 1;
        }
        let verified = cloud.dr(&["verify", "--json", "--policy", "../lab/drill.yaml"]);
        if verified.code != 0 {
            return Err(format!("verify says {}: {}", verified.code, verified.stdout));
        }
        let found = stored_after(cloud);
        let differences = self.stored.differences(&found);
        if differences.is_empty() { Ok(runs) } else { Err(differences.join("; ")) }
    }
}

fn stored_after(cloud: Cloud) -> Stored {
    let left = cloud.ask("/leftovers");
    let root = cloud.stop_and_keep();
    let stored = Stored::read(&root.join("lab"), &left);
    drop(std::fs::remove_dir_all(&root));
    stored
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
                eprintln!("FAILED {stage:?} {named} {kind:?}: {difference}");
                self.failures.push(json!({"stage": format!("{stage:?}"), "call": named.to_string(), "op": named.operation, "kind": format!("{kind:?}"), "difference": difference}));
            }
        }
    }
}

/// All cases of a stage, or those that `pick` takes.
fn explore(stage: Stage, worker: &str, pick: &dyn Fn(usize) -> bool) -> Report {
    let clean = Clean::record(stage, worker);
    let mut report = Report { calls: clean.calls.len(), ..Report::default() };
    for named in &clean.calls {
        *report.ops.entry(format!("{} {}", named.service, named.operation)).or_default() += 1;
    }
    let cases = clean.calls.iter().flat_map(|c| Kind::ALL.map(|k| (c, k)));
    for (_, (named, kind)) in cases.enumerate().filter(|(i, _)| pick(*i)) {
        let result = clean.broken(named, kind);
        report.note(stage, named, kind, result);
    }
    report
}

#[test]
fn try_one() {
    let stage = Stage::Backup;
    let report = explore(stage, "try", &|i| i % 7 == 0);
    eprintln!("{} calls {:?}, {} cases, most runs {}", report.calls, report.ops, report.cases, report.most_runs);
    assert_eq!(report.failures, Vec::<Value>::new());
}
