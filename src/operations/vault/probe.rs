//! Tries whether locked versions really resist, and whether conditional writes decide a race.

use super::VaultRequest;
use crate::model::{BucketName, Role, TargetName};
use crate::operations::{Loaded, Surroundings};
use crate::plan::PlanTarget;
use crate::report::{Code, Exit, Fail, Finding, Hint};
use crate::targets::open;
use crate::vault::{ProbeOutcome, Vault, VaultError, Verdict};

pub struct Probes {
    pub probes: Vec<Probed>,
    pub findings: Vec<Finding>,
}

pub struct Probed {
    pub target: TargetName,
    pub bucket: BucketName,
    pub outcome: ProbeOutcome,
}

impl Probed {
    /// Whether this target can hold a journal.
    pub fn capable(&self) -> bool {
        self.outcome.conditional && self.outcome.verdict == Verdict::Locked
    }

    pub(super) fn finding(&self) -> Option<Finding> {
        let code = match self.outcome.verdict {
            Verdict::Locked => return None,
            Verdict::Open => Code::LockOpen,
            Verdict::Unknown => Code::LockUnknown,
        };
        let message = format!("target {} is refused: {}", self.target, self.outcome.why);
        let look = format!(
            "aws s3api get-object-lock-configuration --bucket {}",
            self.bucket
        );
        let finding = Finding::error(code, message).hint(Hint::shell(look));
        Some(finding.thing(&self.bucket).place(&self.target))
    }
}

/// # Errors
/// A target refuses the key or is not there; one that is away keeps no other from being probed.
pub async fn probe(
    around: Surroundings<'_>,
    loaded: &Loaded,
    request: &VaultRequest,
) -> Result<Probes, Fail> {
    let mut probes = Probes {
        probes: Vec::new(),
        findings: Vec::new(),
    };
    for target in request.targets(loaded)? {
        let (plan_target, clients) = request.at(loaded, target, around.world.now())?;
        let vault = open(&clients, Role::Prober, &plan_target).await;
        match probe_one(around, loaded, &plan_target, &vault).await {
            Ok(probed) => {
                probes.findings.extend(probed.finding());
                probes.probes.push(probed);
            }
            Err(fail) if fail.exit == Exit::Unavailable => {
                let finding = Finding::from(fail).thing(&target.name);
                probes.findings.push(finding.place(&loaded.file));
            }
            Err(fail) => return Err(fail),
        }
    }
    Ok(probes)
}

/// Probes, and stores what was found.
pub(super) async fn probe_one(
    around: Surroundings<'_>,
    loaded: &Loaded,
    target: &PlanTarget,
    vault: &Vault,
) -> Result<Probed, Fail> {
    let (mode, limits) = (target.lock_mode, &loaded.policy.probe);
    let outcome = vault
        .probe(around.world, mode, limits.control, limits.lock)
        .await?;
    match vault.store_probe(&outcome, target.evidence_lock()).await {
        Ok(()) => {}
        // Two probes in one second say the same, or the next one settles it.
        Err(VaultError::Taken { .. }) => {}
        Err(e) => return Err(e.into()),
    }
    Ok(Probed {
        target: target.name.clone(),
        bucket: target.bucket.clone(),
        outcome,
    })
}
