//! The files of a source bucket, put into another one.

use super::input::{RestoreInput, RestoreInto, Unavailable};
use crate::manifest::Copy;
use crate::model::Role;
use crate::plan::step::Steps;
use crate::plan::{BaseCopy, Purpose, RestoreFiles};
use crate::policy::FilesChecked;

pub(in crate::plan) fn steps(
    input: &RestoreInput<'_>,
    steps: &mut Steps,
) -> Result<(), Unavailable> {
    let RestoreInto::Bucket {
        bucket,
        region,
        endpoint,
        provider,
        prefix,
    } = &input.into
    else {
        return Err(Unavailable::Destination(input.method));
    };
    let (slot, source) = (input.point.slot, &input.captured.source);
    let files = input
        .copy
        .and_then(Copy::files)
        .ok_or_else(|| Unavailable::Files(slot, source.clone(), input.target.clone()))?;
    let restore = RestoreFiles {
        source: source.clone(),
        target: input.target.clone(),
        manifest: BaseCopy::of(slot, files),
        bucket: bucket.clone(),
        region: region.clone(),
        endpoint: endpoint.clone(),
        provider: *provider,
        prefix: prefix.clone(),
        files: FilesChecked::All,
        in_flight: input.in_flight,
        part_size_bytes: input.part_size_bytes,
        purpose: Purpose::Kept,
    };
    steps.add(Role::Restorer, restore, &[]);
    Ok(())
}
