//! A source bucket: the list of its versions, and their copies, read back.

use super::branch::{BackupInput, Branch};
use crate::model::{Role, StepId};
use crate::plan::step::Steps;
use crate::plan::{
    CaptureParts, CopyObjects, CopyParts, HeldParts, Link, ListObjects, ListedSource,
    ObjectsListed, PublishPoint, VerifyCopies,
};
use crate::policy::{BucketSource, Target};

/// The list, for those that copy it.
pub(super) struct Listed<'a> {
    source: &'a BucketSource,
    listed: Link<ObjectsListed>,
}

/// Later than the instants of the databases, and whatever became of them.
pub(super) fn list<'a>(
    input: &BackupInput<'a>,
    source: &'a BucketSource,
    instants: &[&StepId],
    steps: &mut Steps,
) -> Listed<'a> {
    let list = ListObjects {
        source: source.id.clone(),
        bucket: ListedSource::of(input.policy, source),
    };
    let listed = steps.add_after(Role::Copier, list, instants);
    Listed { source, listed }
}

impl<'a> Listed<'a> {
    pub fn branch(&self, input: &BackupInput<'_>) -> Branch<'a> {
        let id = &self.source.id;
        let parts = |target: &Target| CopyParts {
            target: target.name.clone(),
            published: Steps::coming::<PublishPoint>(&[id, &target.name]),
            held: HeldParts::Files {
                copied: Steps::coming::<CopyObjects>(&[id, &target.name]),
                verified: Steps::coming::<VerifyCopies>(&[id, &target.name]),
            },
        };
        Branch {
            source: id,
            captured: CaptureParts::Bucket {
                listed: self.listed.clone(),
            },
            copies: input.policy.targets.iter().map(parts).collect(),
        }
    }

    pub fn copy(&self, input: &BackupInput<'_>, target: &Target, steps: &mut Steps) -> StepId {
        let (id, concurrency) = (&self.source.id, &input.policy.concurrency);
        let base = input.bases.get(&(id.clone(), target.name.clone())).cloned();
        let copy = CopyObjects {
            source: id.clone(),
            target: target.name.clone(),
            listed: self.listed.clone(),
            bucket: ListedSource::of(input.policy, self.source),
            base: base.clone(),
            in_flight: concurrency.objects,
            part_size_bytes: concurrency.part_size_bytes,
        };
        let copied = steps.add(Role::Copier, copy, &[self.listed.step()]);
        let verify = VerifyCopies {
            source: id.clone(),
            target: target.name.clone(),
            copied: copied.clone(),
            base,
            in_flight: concurrency.objects,
        };
        let verified = steps.add(Role::Copier, verify, &[copied.step()]);
        verified.step().clone()
    }
}
