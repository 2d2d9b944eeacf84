//! `dr-lab/demo/1`: what the demo measured, and whether that is good.

use crate::accounts::OTHER_REGION;
use crate::up::{LatencyProfile, Leftovers};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct Report {
    pub schema: &'static str,
    pub measured_on: &'static str,
    pub latency_profile: LatencyProfile,
    pub backup: Option<Backup>,
    pub targets: Vec<Target>,
    pub drill: Option<Drill>,
    pub region1: Option<Region1>,
    pub restores: Vec<Restore>,
    pub leftovers: Option<Leftovers>,
    pub wall_s: f64,
    /// Why it is not ok.
    pub trouble: Vec<String>,
    pub ok: bool,
}

#[derive(Debug, Serialize)]
pub struct Backup {
    pub run: String,
    pub point: String,
    pub wall_s: f64,
}

#[derive(Debug, Serialize)]
pub struct Target {
    pub name: String,
    pub region: String,
    pub objects: u64,
    pub bytes: u64,
    pub locks_read_back: u64,
    pub lock_mode: String,
    pub retain_until_min: String,
    pub probe: String,
    pub home: bool,
}

#[derive(Debug, Serialize)]
pub struct Drill {
    pub run: String,
    pub proofs: Vec<Proof>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Proof {
    pub method: String,
    pub target: String,
    pub passed: bool,
    pub checked: u64,
    pub not_checked: u64,
    pub excluded: u64,
}

#[derive(Debug, Serialize)]
pub struct Region1 {
    pub killed_at: jiff::Timestamp,
    pub reachable: bool,
    pub last_commit_at: Option<jiff::Timestamp>,
    pub last_operation: i64,
}

#[derive(Debug, Serialize)]
pub struct Restore {
    pub method: String,
    pub target: String,
    pub plan_hash: String,
    pub cluster: Option<String>,
    pub rto_s: f64,
    pub rpo_s: f64,
    pub phases: Vec<Phase>,
    /// Of a database.
    pub restored_operation: Option<i64>,
    pub lost_operations: Option<i64>,
    pub equality: Equality,
}

#[derive(Debug, Serialize)]
pub struct Phase {
    pub name: String,
    pub s: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Equality {
    pub tables: u64,
    pub rows: u64,
    pub objects: u64,
    pub digest_expected: String,
    pub digest_restored: String,
    pub equal: bool,
}

impl Report {
    pub fn new(latency_profile: LatencyProfile) -> Self {
        Self {
            schema: "dr-lab/demo/1",
            measured_on: "lab",
            latency_profile,
            backup: None,
            targets: Vec::new(),
            drill: None,
            region1: None,
            restores: Vec::new(),
            leftovers: None,
            wall_s: 0.0,
            trouble: Vec::new(),
            ok: false,
        }
    }

    /// Nothing checked is not success. A story that was cut short says why, not what it therefore
    /// lacks.
    pub fn judge(&mut self) {
        let mut wrong = if self.trouble.is_empty() {
            [self.of_vaults(), self.of_restores()].concat()
        } else {
            Vec::new()
        };
        let left = self
            .leftovers
            .map(|l| l.clusters + l.instances + l.uploads + l.processes);
        if left != Some(0) {
            wrong.push(format!("something is left: {:?}", self.leftovers));
        }
        self.trouble.append(&mut wrong);
        self.ok = self.trouble.is_empty();
    }

    fn of_vaults(&self) -> Vec<String> {
        let mut wrong = Wrong::default();
        wrong.unless(self.backup.is_some(), || "no backup was made".into());
        wrong.unless(self.targets.len() >= 2, || {
            "there are fewer than two targets".into()
        });
        for t in &self.targets {
            let all = t.objects > 0 && t.locks_read_back == t.objects;
            wrong.unless(all, || {
                format!(
                    "of {} objects at {} the lock of {} was read back",
                    t.objects, t.name, t.locks_read_back
                )
            });
            wrong.unless(t.probe == "locked", || {
                format!("the lock of {} is {}", t.name, t.probe)
            });
        }
        let homes = self.targets.iter().filter(|t| t.home).count();
        wrong.unless(homes == 1, || format!("{homes} targets hold the journal"));
        let proofs = self.drill.as_ref().map_or(&[][..], |d| &d.proofs);
        wrong.unless(!proofs.is_empty(), || "the drill proved nothing".into());
        for p in proofs {
            wrong.unless(p.passed && p.checked > 0, || {
                format!("method {} from {} was not proven", p.method, p.target)
            });
        }
        wrong.0
    }

    fn of_restores(&self) -> Vec<String> {
        let mut wrong = Wrong::default();
        wrong.unless(self.region1.as_ref().is_some_and(|r| !r.reachable), || {
            "the first region was not lost".into()
        });
        for (method, target) in [
            ("snapshot", None),
            ("dump", Some(OTHER_REGION)),
            ("files", None),
        ] {
            let found = self
                .restores
                .iter()
                .any(|r| r.method == method && target.is_none_or(|t| r.target == t));
            wrong.unless(found, || {
                format!(
                    "nothing was restored by method {method}{}",
                    target.map(|t| format!(" from {t}")).unwrap_or_default()
                )
            });
        }
        for r in &self.restores {
            let e = &r.equality;
            let some = if r.method == "files" {
                e.objects > 0
            } else {
                e.tables > 0 && e.rows > 0
            };
            wrong.unless(some && e.equal, || {
                format!(
                    "what method {} from {} restored is not what was there",
                    r.method, r.target
                )
            });
        }
        wrong.0
    }
}

#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn unless(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(what());
        }
    }
}

#[cfg(test)]
mod tests;
