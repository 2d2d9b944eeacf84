//! One source of a backup run, as a branch that waits for no other.

use crate::manifest::PointSource;
use crate::model::{Role, RunId, Sha256, Slot, SourceId, StepId, TargetName, VaultId};
use crate::plan::step::Steps;
use crate::plan::{BaseCopy, CaptureParts, CopyParts, PublishPoint};
use crate::policy::Policy;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What a plan depends on beside the policy.
pub struct BackupInput<'a> {
    pub policy: &'a Policy,
    pub policy_sha256: Sha256,
    pub vault: VaultId,
    pub journal_target: TargetName,
    pub slot: Slot,
    pub run: RunId,
    pub opened_at: Timestamp,
    /// Newest complete copy of each source at each target.
    pub bases: BTreeMap<(SourceId, TargetName), BaseCopy>,
}

/// One source's share of a point. Each copy's documents go to all targets, so they are known before
/// the first step of the second target.
pub(super) struct Branch<'a> {
    pub source: &'a SourceId,
    pub captured: CaptureParts,
    pub copies: Vec<CopyParts>,
}

impl Branch<'_> {
    /// As soon as one target is complete: no other source, and no other target, is waited for.
    pub fn publish(
        &self,
        sources: &[PointSource],
        target: &TargetName,
        complete: &StepId,
        steps: &mut Steps,
    ) {
        let publish = PublishPoint {
            source: self.source.clone(),
            target: target.clone(),
            sources: sources.to_vec(),
            captured: self.captured.clone(),
            copies: self.copies.clone(),
        };
        steps.add(Role::Copier, publish, &[complete]);
    }
}
