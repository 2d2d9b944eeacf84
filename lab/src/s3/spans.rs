//! The bytes that a read wants.

use super::error::error;
use super::model::Version;
use s3s::S3Result;
use s3s::dto;
use std::ops::Range;

/// The bytes that a range or a part number names; `None`: all.
pub(super) fn span(
    version: &Version,
    range: Option<dto::Range>,
    part: Option<i32>,
) -> S3Result<Option<Range<u64>>> {
    if let Some(number) = part {
        if version.parts.is_empty() && number == 1 {
            return Ok(Some(0..version.size));
        }
        let before = version
            .parts
            .iter()
            .filter(|p| p.number < number)
            .map(|p| p.size)
            .sum();
        let part = version
            .parts
            .iter()
            .find(|p| p.number == number)
            .ok_or_else(|| {
                error(
                    416,
                    "InvalidPartNumber",
                    "The requested partnumber is not satisfiable",
                )
            })?;
        return Ok(Some(before..before + part.size));
    }
    let outside = |_| {
        error(
            416,
            "InvalidRange",
            "The requested range is not satisfiable",
        )
    };
    range
        .map(|r| r.check(version.size).map_err(outside))
        .transpose()
}
