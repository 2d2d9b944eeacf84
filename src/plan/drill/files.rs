//! Files of a source bucket, restored from every target that holds them.

use super::planned::{DrillInput, Planned, provider_of};
use crate::manifest::{Captured, Copy, FilesHeld};
use crate::model::Role;
use crate::plan::names;
use crate::plan::{BaseCopy, Purpose, RestoreFiles, TriedBy};

pub(super) fn plan(input: &DrillInput<'_>, captured: &Captured, planned: &mut Planned) {
    for copy in input.copies_of(&captured.source) {
        // Nothing that could be restored proves nothing.
        let Some(files) = copy.files().filter(|f| f.objects > 0) else {
            continue;
        };
        let restore = restore_files(input, copy, files);
        let restored = planned.steps.add(Role::Driller, restore, &[]);
        planned.prove(&copy.source, &copy.target, TriedBy::Files { restored });
    }
}

fn restore_files(input: &DrillInput<'_>, copy: &Copy, files: &FilesHeld) -> RestoreFiles {
    let (drill, policy) = (input.drill, input.policy);
    let prefix = names::scratch_prefix(&input.vault, &policy.name);
    RestoreFiles {
        source: copy.source.clone(),
        target: copy.target.clone(),
        manifest: BaseCopy::of(copy.slot, files),
        bucket: drill.scratch_bucket.clone(),
        region: drill.scratch_region.clone(),
        endpoint: policy.s3_endpoint(&drill.scratch_region).map(str::to_owned),
        provider: provider_of(policy, &drill.scratch_region),
        prefix: format!("{prefix}{}/{}/{}/", input.run, copy.source, copy.target),
        files: drill.files.clone(),
        in_flight: policy.concurrency.objects,
        part_size_bytes: policy.concurrency.part_size_bytes,
        purpose: Purpose::Scratch,
    }
}
