//! GetObjectAttributes: what is known of a version without its bytes.

use super::convert::{checksum, checksum_type, etag, whole};
use super::model::Version;
use super::objects::shown_id;
use super::ops::Ops;
use s3s::dto::{self, GetObjectAttributesInput, GetObjectAttributesOutput};
use s3s::{S3Request, S3Response, S3Result};

impl Ops {
    pub(super) fn attributes(
        &self,
        req: &S3Request<GetObjectAttributesInput>,
    ) -> S3Result<S3Response<GetObjectAttributesOutput>> {
        let input = &req.input;
        let version = self.readable(&input.bucket, &input.key, input.version_id.as_deref())?;
        // The protocol crate does not split the header's list.
        let wanted: Vec<String> = input
            .object_attributes
            .iter()
            .flat_map(|a| {
                a.as_str()
                    .split(',')
                    .map(|p| p.trim().to_owned())
                    .collect::<Vec<_>>()
            })
            .collect();
        let wants = |name: &str| wanted.iter().any(|w| w == name);
        let mut sums = checksum(&version.sums);
        sums.checksum_type = checksum_type(&version);
        let parts =
            (wants("ObjectParts") && !version.parts.is_empty()).then(|| parts(&version, input));
        let output = GetObjectAttributesOutput {
            e_tag: wants("ETag").then(|| etag(&version.etag)),
            checksum: wants("Checksum").then_some(sums),
            object_size: wants("ObjectSize")
                .then(|| i64::try_from(version.size).unwrap_or(i64::MAX)),
            storage_class: wants("StorageClass").then(|| version.attributes.shown_class().into()),
            object_parts: parts,
            last_modified: Some(whole(version.at)),
            version_id: shown_id(&version),
            ..Default::default()
        };
        Ok(S3Response::new(output))
    }
}

fn parts(version: &Version, input: &GetObjectAttributesInput) -> dto::GetObjectAttributesParts {
    let after = input.part_number_marker.unwrap_or(0);
    let most = usize::try_from(input.max_parts.unwrap_or(1_000)).unwrap_or(1_000);
    let rest: Vec<_> = version.parts.iter().filter(|p| p.number > after).collect();
    let shown = rest.iter().take(most).map(|p| {
        let sums = checksum(&p.sums);
        dto::ObjectPart {
            part_number: Some(p.number),
            size: i64::try_from(p.size).ok(),
            checksum_crc32: sums.checksum_crc32,
            checksum_crc32c: sums.checksum_crc32c,
            checksum_crc64nvme: sums.checksum_crc64nvme,
            checksum_sha1: sums.checksum_sha1,
            checksum_sha256: sums.checksum_sha256,
        }
    });
    // Without an additional checksum the service counts the parts and lists none.
    let listed = version.composite.then(|| shown.collect());
    dto::GetObjectAttributesParts {
        total_parts_count: i32::try_from(version.parts.len()).ok(),
        parts: listed,
        is_truncated: Some(rest.len() > most),
        part_number_marker: Some(after),
        next_part_number_marker: rest.iter().take(most).next_back().map(|p| p.number),
        max_parts: i32::try_from(most).ok(),
    }
}
