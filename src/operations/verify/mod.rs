//! Reads everything that a point references, at each target, and names what is wrong.

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

pub use wrong::{Wrong, Wrongs};

use super::{Loaded, Surroundings};
use crate::aws::Clients;
use crate::manifest::{Captured, Copy, PointTarget, Verified};
use crate::model::{LockMode, PolicyName, Role, Slot, SourceId, TargetName};
use crate::report::{Code, Exit, Fail, Finding, Hint, exit_of};
use crate::targets::{self, Reached};
use crate::vault::PointRef;
use point_at::PointAt;
use reading::Reading;
use std::collections::BTreeSet;
use unreferenced::Other;
use witness::Witness;

pub struct VerifyRequest {
    /// This recovery point instead of the newest.
    pub point: Option<Slot>,
    /// Only this target.
    pub target: Option<TargetName>,
    /// The role whose key reads.
    pub role: Role,
}

pub struct Verification {
    /// `None`: no point could be shown; the findings say why.
    pub point: Option<Slot>,
    pub targets: Vec<TargetRead>,
    pub findings: Vec<Finding>,
}

/// What was read at one target.
pub struct TargetRead {
    pub target: TargetName,
    pub lock_mode: LockMode,
    pub verified: Verified,
}

/// # Errors
/// The store's; there is no such point.
pub async fn verify(
    around: Surroundings<'_>,
    loaded: &Loaded,
    request: &VerifyRequest,
) -> Result<Verification, Fail> {
    if let Some(name) = &request.target
        && loaded.policy.target(name).is_none()
    {
        return Err(loaded.no_target(name));
    }
    let (clients, now) = (loaded.clients(None), around.world.now());
    let targets = loaded.targets(now);
    let reached = targets::reading(around.world, targets, &clients, request.role).await?;
    let mut findings = Vec::new();
    let policy = &loaded.policy.name;
    let Some(point) = newest(&reached, policy, request.point, &mut findings).await? else {
        if exit_of(&findings) == Exit::Done {
            return Err(nothing(policy, request.point));
        }
        return Ok(Verification {
            point: None,
            targets: Vec::new(),
            findings,
        });
    };
    let witness = witness::witness(&reached, policy, &point, &mut findings).await?;
    let only = request.target.as_ref();
    let documents = compared::documents(&reached, policy, &point, &witness, only).await?;
    findings.extend(documents);
    let reader = Reader {
        around,
        loaded,
        clients: &clients,
        reached: &reached,
        role: request.role,
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
    Ok(Verification {
        point: Some(point.point.slot),
        targets: read,
        findings,
    })
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
    around: Surroundings<'a>,
    loaded: &'a Loaded,
    clients: &'a Clients,
    reached: &'a Reached,
    role: Role,
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
            findings.push(finding.place(&self.loaded.file));
            return Ok(None);
        }
        if self.loaded.policy.target(name).is_none() {
            let message = format!("the copy at {name} is not looked at: no such target is named");
            let finding = Finding::warning(Code::TargetUnavailable, message).thing(name);
            findings.push(finding.place(&self.loaded.file));
            return Ok(None);
        }
        let reading = self.read(name).await?;
        findings.extend(reading.wrong.findings(name));
        match self.foreign(reading.others).await? {
            Some(foreign) => findings.extend(foreign.findings(name)),
            None => {
                let message = format!(
                    "objects at {name} that nothing refers to were not looked for: not every \
                     target of the point is read, and the lists of another one may name them"
                );
                let finding = Finding::warning(Code::TargetUnavailable, message);
                findings.push(finding.thing(name).place(&self.loaded.file));
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

    async fn read(&self, name: &TargetName) -> Result<Reading, Fail> {
        let now = self.reached.now;
        let vault = self
            .loaded
            .vault(self.clients, self.role, name, now)
            .await?;
        let copies = self.point.copies.iter().filter(|c| &c.target == name);
        let copies: Vec<&Copy> = copies.collect();
        let at = PointAt {
            vault: &vault,
            point: self.point,
            copies: &copies,
            holds_lists: self.witness.lists_at.as_ref() == Some(name),
            drills: &self.witness.drills,
            now,
            in_flight: self.loaded.policy.concurrency.objects,
        };
        let step = format!("verify:{name}");
        let progress = self.around.progress;
        let report = |done: u64, total: u64| progress.report(&step, done, total, "objects");
        reading::verify_point(&at, &report).await
    }

    /// Objects that no list at any journal target names. `None`: while one of them is not read,
    /// nothing can be said of them.
    async fn foreign(&self, others: Vec<Other>) -> Result<Option<Wrongs>, Fail> {
        if others.is_empty() {
            return Ok(Some(Wrongs::default()));
        }
        let named = |t: &PointTarget| self.loaded.policy.target(&t.name).is_some();
        let all_read = self.reached.away.is_empty() && self.point.point.targets.iter().all(named);
        if self.witness.lists_at.is_none() || !all_read {
            return Ok(None);
        }
        let (mut left, policy) = (others, &self.loaded.policy.name);
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
            let endpoint = self.loaded.policy.rds_endpoint(&copy.region);
            let rds = self.clients.rds(self.role, &copy.region, endpoint).await;
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
