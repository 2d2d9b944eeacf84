//! Files brought back from one target, every digest compared with the manifest.

use super::objects::{digest_of, manifest};
use super::{Context, StepError, source_place};
use crate::aws::s3::Bucket;
use crate::aws::{Kind, Place};
use crate::journal::Evidence;
use crate::manifest::{RowKind, Stored, StoredRow};
use crate::plan::Action;
use crate::policy::{FilesChecked, Provider};
use crate::transfer::{CopyTask, copy_object};
use crate::vault::Vault;
use futures_util::StreamExt;

/// Parts of a restored file.
const PART_BYTES: u64 = 8 << 20;

/// What a bucket showed at the instant of the listing: newest versions, deleted keys left out.
fn current(rows: &[StoredRow]) -> Vec<&StoredRow> {
    rows.iter()
        .filter(|r| r.listed.latest && r.listed.kind == RowKind::Object && r.stored.is_some())
        .collect()
}

/// Which of `population` items are looked at: all, or so many spread evenly. Indexes, ascending.
pub fn sample(population: usize, files: &FilesChecked) -> Vec<usize> {
    let wanted = match files {
        FilesChecked::All => population,
        FilesChecked::Sample(n) => usize::try_from(*n).unwrap_or(usize::MAX).min(population),
    };
    (0..wanted).map(|i| i * population / wanted).collect()
}

enum One {
    Same(u64),
    Differs(String),
}

pub(super) async fn restore(ctx: &Context<'_>) -> Result<Evidence, StepError> {
    let Action::RestoreFiles {
        target,
        manifest: base,
        bucket,
        region,
        endpoint,
        provider,
        prefix,
        files,
        in_flight,
        scratch,
    } = &ctx.step.action
    else {
        return Err(StepError::bug("not a restore of files"));
    };
    let start = ctx.world.monotonic();
    let vault = ctx.vault(target).await?;
    let rows = manifest(&vault, base).await?;
    let current = current(&rows);
    let chosen: Vec<&StoredRow> = sample(current.len(), files)
        .into_iter()
        .map(|i| current[i])
        .collect();
    // Beside the vault, the vault's key holds for the destination as well.
    let beside = ctx
        .plan_target(target)
        .is_ok_and(|v| v.region == *region && v.endpoint == *endpoint);
    let place = Place {
        provider: *provider,
        target: beside.then_some(target),
        ..source_place(bucket, region, endpoint.as_deref())
    };
    let to = ctx.clients.bucket(ctx.role, &place).await;
    let many = one_bucket(&current).is_none();
    let (total, mut done, mut bytes, mut mismatches) =
        (chosen.len() as u64, 0u64, 0u64, Vec::new());
    let work = chosen.into_iter().map(|row| {
        // Files of several buckets would collide under one prefix.
        let key = if many {
            format!("{prefix}{}/{}", row.listed.source, row.listed.key)
        } else {
            format!("{prefix}{}", row.listed.key)
        };
        one(&vault, &to, row, key, *scratch)
    });
    let mut work =
        futures_util::stream::iter(work.collect::<Vec<_>>()).buffer_unordered(*in_flight as usize);
    while let Some(result) = work.next().await {
        match result? {
            One::Same(size) => bytes += size,
            One::Differs(what) => mismatches.push(what),
        }
        done += 1;
        ctx.report(done, total, "files");
    }
    mismatches.sort();
    mismatches.truncate(100);
    if !scratch && !mismatches.is_empty() {
        return Err(StepError::finding(
            "files-differ",
            format!(
                "{} files differ, first: {}",
                mismatches.len(),
                mismatches[0]
            ),
        ));
    }
    Ok(Evidence::FilesRestored {
        population: current.len() as u64,
        restored: done - mismatches.len() as u64,
        skipped: current.len() as u64 - done,
        bytes,
        mismatches,
        answered_at: ctx.world.now(),
        took_s: start.elapsed().as_secs_f64(),
    })
}

fn one_bucket(rows: &[&StoredRow]) -> Option<String> {
    let first = rows.first().map(|r| r.listed.source.clone())?;
    rows.iter()
        .all(|r| r.listed.source == first)
        .then_some(first)
}

async fn one(
    vault: &Vault,
    to: &Bucket,
    row: &StoredRow,
    key: String,
    scratch: bool,
) -> Result<One, StepError> {
    let Some(stored) = &row.stored else {
        return Err(StepError::bug("a row without an object"));
    };
    if let Some(already) = there_already(to, &key, row, stored).await? {
        return already_or_taken(already, row.listed.size_bytes, &key, to, scratch);
    }
    let task = CopyTask {
        source: &vault.bucket,
        key: &stored.key,
        version: Some(&stored.version),
        etag: None,
        size_bytes: row.listed.size_bytes,
        to,
        to_key: &key,
        lock: None,
        part_size_bytes: PART_BYTES,
        server_side: vault.bucket.provider == Provider::Aws && to.provider == Provider::Aws,
    };
    let copied = match copy_object(&task).await {
        Ok(copied) => copied,
        Err(e) if e.kind == Kind::NotFound => {
            return Ok(One::Differs(format!(
                "{} version {} is missing at {}",
                stored.key, stored.version, vault.target
            )));
        }
        Err(e) => return Err(e.into()),
    };
    if copied.sha256_stored != stored.sha256_plain {
        return Ok(One::Differs(format!(
            "{} version {} at {}: SHA-256 is {}, should be {}",
            stored.key, stored.version, vault.target, copied.sha256_stored, stored.sha256_plain
        )));
    }
    if scratch {
        // A drill believes nobody: what arrived is read once more.
        let found = read_again(
            to,
            &key,
            copied.version.clone(),
            row.listed.size_bytes,
            stored,
        )
        .await?;
        if found != stored.sha256_plain.0 {
            return Ok(One::Differs(format!(
                "{key} in {}: SHA-256 is {found}, should be {}",
                to.name, stored.sha256_plain
            )));
        }
    }
    Ok(One::Same(row.listed.size_bytes))
}

async fn read_again(
    to: &Bucket,
    key: &str,
    version: String,
    size_bytes: u64,
    stored: &Stored,
) -> Result<String, StepError> {
    let placed = Stored {
        key: key.into(),
        version,
        ..stored.clone()
    };
    let place = Vault {
        bucket: to.clone(),
        target: crate::policy::TargetName::new("scratch"),
    };
    digest_of(&place, &placed, size_bytes).await
}

/// Whether a key is there already, and with these bytes: progress is observed at the destination.
async fn there_already(
    to: &Bucket,
    key: &str,
    row: &StoredRow,
    stored: &Stored,
) -> Result<Option<bool>, StepError> {
    let head = match to.head(key, None).await {
        Ok(head) => head,
        Err(e) if e.kind == Kind::NotFound => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    if head.size_bytes != row.listed.size_bytes {
        return Ok(Some(false));
    }
    let version = head.version.unwrap_or_else(|| "null".into());
    Ok(Some(
        read_again(to, key, version, head.size_bytes, stored).await? == stored.sha256_plain.0,
    ))
}

fn already_or_taken(
    same: bool,
    size_bytes: u64,
    key: &str,
    to: &Bucket,
    scratch: bool,
) -> Result<One, StepError> {
    match (same, scratch) {
        // Its bytes were compared: an earlier attempt's work counts like this one's.
        (true, _) => Ok(One::Same(size_bytes)),
        (false, true) => Ok(One::Differs(format!(
            "{key} in {} holds other bytes",
            to.name
        ))),
        (false, false) => Err(StepError::refused(
            "destination-taken",
            format!(
                "s3://{}/{key} exists with other content; nothing is overwritten, choose another \
                 --prefix",
                to.name
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_and_never_larger_than_the_whole() {
        assert_eq!(sample(10, &FilesChecked::Sample(5)), [0, 2, 4, 6, 8]);
        assert_eq!(sample(3, &FilesChecked::Sample(9)), [0, 1, 2]);
        assert_eq!(sample(3, &FilesChecked::All), [0, 1, 2]);
        assert!(sample(0, &FilesChecked::Sample(4)).is_empty());
    }
}
