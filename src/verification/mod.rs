//! Reads everything that a point references, at each target, and names what is wrong. Changes
//! nothing.

mod around;
mod compared;
mod documents;
mod journal;
mod point_at;
mod reading;
mod snapshot;
mod unreferenced;
mod witness;
mod wrong;

pub(crate) use point_at::digest_of;
pub use wrong::{Wrong, Wrongs};

use crate::aws::Clients;
use crate::manifest::{Captured, Copy, PointTarget};
use crate::model::{PolicyName, Role, Slot, SourceId, TargetName};
use crate::plan::{PlanTarget, TargetRead, VerifyPoint};
use crate::report::{Code, Exit, Fail, Finding, Hint, exit_of};
use crate::targets::{self, Reached, open};
use crate::vault::PointRef;
use crate::world::World;
use point_at::PointAt;
use reading::Reading;
use std::collections::BTreeSet;
use unreferenced::Other;
use witness::Witness;

/// What is read again, and by whom.
pub struct Verification<'a> {
    pub world: &'a World,
    pub clients: &'a Clients,
    /// The role whose key reads.
    pub role: Role,
    pub policy: &'a PolicyName,
    /// Those that may be read; a point's others are not looked at.
    pub targets: &'a [PlanTarget],
    pub asked: &'a VerifyPoint,
    /// Objects done, and how many there are.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
}

pub struct Reread {
    /// `None`: no point could be shown; the findings say why.
    pub point: Option<Slot>,
    pub targets: Vec<TargetRead>,
    pub findings: Vec<Finding>,
}

impl Verification<'_> {
    /// # Errors
    /// The store's; there is no such point.
    pub async fn verify(&self) -> Result<Reread, Fail> {
        let (policy, asked) = (self.policy, self.asked);
        let targets = self.targets.to_vec();
        let reached = targets::reading(self.world, targets, self.clients, self.role).await?;
        let mut findings = Vec::new();
        let Some(point) = newest(&reached, policy, asked.point, &mut findings).await? else {
            if exit_of(&findings) == Exit::Done {
                return Err(nothing(policy, asked.point));
            }
            return Ok(Reread {
                point: None,
                targets: Vec::new(),
                findings,
            });
        };
        let witness = witness::witness(&reached, policy, &point, &mut findings).await?;
        let only = asked.target.as_ref();
        let documents = compared::documents(&reached, policy, &point, &witness, only).await?;
        findings.extend(documents);
        let reader = Reader {
            of: self,
            reached: &reached,
            point: &point,
            witness: &witness,
        };
        let mut read = Vec::new();
        let copies = point.copies.iter().map(|c| &c.target);
        let holders: BTreeSet<&TargetName> = copies
            .chain(point.dumps.iter().map(|(_, d)| &d.target))
            .collect();
        for target in &point.point.targets {
            let name = &target.name;
            if holders.contains(name) && only.is_none_or(|t| t == name) {
                read.extend(reader.target(target, &mut findings).await?);
            }
        }
        let tested: u64 = read.iter().map(|t| t.verified.tested).sum();
        if tested == 0 && exit_of(&findings) == Exit::Done {
            let message = "nothing was checked; that is not success";
            let finding = Finding::error(Code::NothingVerified, message).thing(point.point.slot);
            findings.push(finding.hint(Hint::policy("status")));
        }
        Ok(Reread {
            point: Some(point.point.slot),
            targets: read,
            findings,
        })
    }

    fn target(&self, name: &TargetName) -> Option<&PlanTarget> {
        self.targets.iter().find(|t| &t.name == name)
    }
}

fn nothing(policy: &PolicyName, point: Option<Slot>) -> Fail {
    let what = point.map_or_else(
        || "no recovery point".to_owned(),
        |p| format!("no recovery point {p}"),
    );
    let exit = if point.is_some() {
        Exit::Usage
    } else {
        Exit::Findings
    };
    let message = format!("policy {policy} has {what} with a complete copy");
    Fail::new(Code::NothingToVerify, message)
        .exit(exit)
        .hint(Hint::policy("status"))
}

/// The newest point with a complete copy, or the one asked for; newer ones that no target can show
/// are reported.
async fn newest(
    reached: &Reached,
    policy: &PolicyName,
    wanted: Option<Slot>,
    findings: &mut Vec<Finding>,
) -> Result<Option<PointRef>, Fail> {
    let mut slots = targets::slots(reached, policy).await?;
    slots.retain(|s| wanted.is_none_or(|w| w == *s));
    for slot in slots {
        let merged = targets::point(reached, policy, slot).await?;
        match merged.point {
            Some(point) if !point.copies.is_empty() => return Ok(Some(point)),
            _ => findings.extend(merged.findings),
        }
    }
    Ok(None)
}

struct Reader<'a> {
    of: &'a Verification<'a>,
    reached: &'a Reached,
    point: &'a PointRef,
    witness: &'a Witness,
}

impl Reader<'_> {
    /// `None`: the target is away, or not named.
    async fn target(
        &self,
        target: &PointTarget,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<TargetRead>, Fail> {
        let name = &target.name;
        if let Some(away) = self.reached.away.iter().find(|a| a.name == *name) {
            let message = format!("target {name} cannot be used now: {}", away.why);
            let finding = Finding::error(Code::TargetUnavailable, message).thing(name);
            findings.push(finding.place(self.of.policy));
            return Ok(None);
        }
        let Some(named) = self.of.target(name) else {
            let message = format!("the copy at {name} is not looked at: no such target is named");
            let finding = Finding::warning(Code::TargetUnavailable, message).thing(name);
            findings.push(finding.place(self.of.policy));
            return Ok(None);
        };
        let reading = self.read(named).await?;
        findings.extend(reading.wrong.findings(name));
        match self.foreign(reading.others).await? {
            Some(foreign) => findings.extend(foreign.findings(name)),
            None => {
                let message = format!(
                    "objects at {name} that nothing refers to were not looked for: not every \
                     target of the point is read, and the lists of another one may name them"
                );
                let finding = Finding::warning(Code::TargetUnavailable, message);
                findings.push(finding.thing(name).place(self.of.policy));
            }
        }
        findings.extend(self.snapshots(name).await);
        if reading.verified.unknown > 0 {
            let message = format!(
                "the lock of {} objects at {name} could not be read",
                reading.verified.unknown
            );
            let finding = Finding::error(Code::LockUnknown, message).exit(Exit::Findings);
            findings.push(finding.thing(name).place(self.point.point.slot));
        }
        Ok(Some(TargetRead {
            target: name.clone(),
            lock_mode: target.lock_mode,
            verified: reading.verified,
        }))
    }

    async fn read(&self, target: &PlanTarget) -> Result<Reading, Fail> {
        let (now, name) = (self.reached.now, &target.name);
        let vault = open(self.of.clients, self.of.role, target).await;
        let copies = self.point.copies.iter().filter(|c| &c.target == name);
        let copies: Vec<&Copy> = copies.collect();
        let at = PointAt {
            vault: &vault,
            point: self.point,
            copies: &copies,
            holds_lists: self.witness.lists_at.as_ref() == Some(name),
            drills: &self.witness.drills,
            now,
            in_flight: self.of.asked.in_flight,
        };
        reading::verify_point(&at, self.of.progress).await
    }

    /// Objects that no list at any journal target names. `None`: while one of them is not read,
    /// nothing can be said of them.
    async fn foreign(&self, others: Vec<Other>) -> Result<Option<Wrongs>, Fail> {
        if others.is_empty() {
            return Ok(Some(Wrongs::default()));
        }
        let named = |t: &PointTarget| self.of.target(&t.name).is_some();
        let all_read = self.reached.away.is_empty() && self.point.point.targets.iter().all(named);
        if self.witness.lists_at.is_none() || !all_read {
            return Ok(None);
        }
        let (mut left, policy) = (others, self.of.policy);
        for seen in self.reached.capable() {
            left = around::foreign(&seen.vault, policy, left).await?;
        }
        let foreign = left.into_iter().map(|o| Wrong {
            code: Code::ForeignObject,
            key: o.key,
            version: o.version,
            why: "no run wrote it: no list of any point names it".into(),
        });
        Ok(Some(foreign.collect()))
    }

    async fn snapshots(&self, name: &TargetName) -> Vec<Finding> {
        // One that is not complete yet is none of this point's.
        let complete = |source: &SourceId| {
            let is = |c: &Copy| (&c.source, &c.target) == (source, name);
            self.point.copies.iter().any(is)
        };
        let captured = self.point.captured.iter().filter(|c| complete(&c.source));
        let copies = captured
            .filter_map(Captured::cluster)
            .flat_map(|c| &c.copies)
            .filter(|c| c.target == *name);
        let mut findings = Vec::new();
        for copy in copies {
            let endpoint = self.of.asked.rds_endpoints.get(&copy.region);
            let (clients, role) = (self.of.clients, self.of.role);
            let endpoint = endpoint.map(String::as_str);
            let rds = clients.rds(role, &copy.region, endpoint).await;
            let (vault, point) = (&self.reached.id, &self.point.point);
            match snapshot::verify_snapshot(&rds, vault, point, copy).await {
                Ok(wrong) => findings.extend(wrong.into_iter().collect::<Wrongs>().findings(name)),
                // The snapshot's service is not the vault's: what was read there counts all the
                // same.
                Err(e) => findings.push(Finding::from(e).thing(&copy.arn).place(name)),
            }
        }
        findings
    }
}
