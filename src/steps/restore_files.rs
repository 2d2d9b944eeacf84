//! Brings files back from one target, every digest compared with the manifest.

use super::{Context, Perform, read_manifest};
use crate::aws::s3::Bucket;
use crate::aws::{Kind, Place};
use crate::manifest::{RowKind, Stored, StoredRow};
use crate::model::{Provider, VersionId};
use crate::plan::{FilesRestored, Purpose, RestoreFiles};
use crate::policy::FilesChecked;
use crate::report::{Code, Fail};
use crate::targets::place_of;
use crate::transfer::{CopyTask, copy_object, digest};
use crate::vault::Vault;
use futures_util::StreamExt;

/// Files that differ are named up to here; all of them are counted.
const MOST_NAMED: usize = 100;

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

/// What became of one file.
enum Brought {
    Same(u64),
    Differs(String),
}

/// Files that are not what the manifest says: all counted, the first ones named.
#[derive(Default)]
struct Differing {
    count: u64,
    named: Vec<String>,
}

impl Differing {
    fn add(&mut self, what: String) {
        self.count += 1;
        self.named.push(what);
        // The names that come first by text, whatever order the files arrived in.
        self.named.sort();
        self.named.truncate(MOST_NAMED);
    }
}

impl Perform for RestoreFiles {
    async fn perform(&self, ctx: &Context<'_>) -> Result<FilesRestored, Fail> {
        let start = ctx.world.monotonic();
        let vault = ctx.vault(&self.target).await?;
        let rows = read_manifest(&vault, &self.manifest).await?;
        let current = current(&rows);
        let chosen = sample(current.len(), &self.files);
        let to = self.destination(ctx).await;
        let bringing = Bringing {
            action: self,
            vault: &vault,
            to: &to,
        };
        let (total, mut done, mut bytes) = (chosen.len() as u64, 0u64, 0u64);
        let mut differing = Differing::default();
        let chosen: Vec<&StoredRow> = chosen.into_iter().map(|i| current[i]).collect();
        let mut work = futures_util::stream::iter(chosen)
            .map(|row| bringing.one(row))
            .buffer_unordered(self.in_flight as usize);
        while let Some(result) = work.next().await {
            match result? {
                Brought::Same(size_bytes) => bytes += size_bytes,
                Brought::Differs(what) => differing.add(what),
            }
            done += 1;
            ctx.report(done, total, "files");
        }
        if let (Purpose::Kept, Some(first)) = (self.purpose, differing.named.first()) {
            return Err(Fail::new(
                Code::FilesDiffer,
                format!("{} files differ, first: {first}", differing.count),
            ));
        }
        Ok(FilesRestored {
            population: current.len() as u64,
            restored: done - differing.count,
            skipped: current.len() as u64 - done,
            bytes,
            differing: differing.count,
            mismatches: differing.named,
            answered_at: ctx.world.now(),
            took_s: start.elapsed().as_secs_f64(),
        })
    }
}

impl RestoreFiles {
    async fn destination(&self, ctx: &Context<'_>) -> Bucket {
        // Beside the vault, the vault's key holds for the destination as well.
        let beside = ctx
            .plan_target(&self.target)
            .is_ok_and(|v| v.region == self.region && v.endpoint == self.endpoint);
        let place = Place {
            provider: self.provider,
            target: beside.then_some(&self.target),
            ..place_of(&self.bucket, &self.region, self.endpoint.as_deref())
        };
        ctx.clients.bucket(ctx.role, &place).await
    }
}

/// Files on their way.
struct Bringing<'a> {
    action: &'a RestoreFiles,
    vault: &'a Vault,
    to: &'a Bucket,
}

impl Bringing<'_> {
    fn key(&self, row: &StoredRow) -> String {
        format!("{}{}", self.action.prefix, row.listed.key)
    }

    async fn one(&self, row: &StoredRow) -> Result<Brought, Fail> {
        let stored = row.stored.as_ref();
        let stored = stored.ok_or_else(|| Fail::bug("a row without an object"))?;
        let (key, size_bytes) = (self.key(row), row.listed.size_bytes);
        if let Some(same) = self.there_already(&key, size_bytes, stored).await? {
            return self.already(same, &key, size_bytes);
        }
        let at = &self.vault.target;
        let task = CopyTask {
            source: &self.vault.bucket,
            key: stored.key.as_str(),
            version: Some(stored.version.as_str()),
            etag: None,
            size_bytes,
            to: self.to,
            to_key: &key,
            lock: None,
            part_size_bytes: self.action.part_size_bytes,
            server_side: self.vault.bucket.provider == Provider::Aws
                && self.to.provider == Provider::Aws,
        };
        let copied = match copy_object(&task).await {
            Ok(copied) => copied.stored,
            Err(e) if e.kind == Kind::NotFound => {
                return Ok(Brought::Differs(format!(
                    "{} version {} is missing at {at}",
                    stored.key, stored.version
                )));
            }
            // It came after we looked.
            Err(e) if e.kind == Kind::Exists => return self.already(false, &key, size_bytes),
            Err(e) => return Err(e.into()),
        };
        if copied.sha256_stored != stored.sha256_plain {
            return Ok(Brought::Differs(format!(
                "{} version {} at {at}: SHA-256 is {}, should be {}",
                stored.key, stored.version, copied.sha256_stored, stored.sha256_plain
            )));
        }
        if self.action.purpose == Purpose::Scratch {
            // A drill believes nobody: what arrived is read once more.
            let found = self.read_again(&key, &copied.version, size_bytes).await?;
            if found != stored.sha256_plain.0 {
                return Ok(Brought::Differs(format!(
                    "{key} in {}: SHA-256 is {found}, should be {}",
                    self.to.name, stored.sha256_plain
                )));
            }
        }
        Ok(Brought::Same(size_bytes))
    }

    /// SHA-256 of what is there now.
    async fn read_again(
        &self,
        key: &str,
        version: &VersionId,
        size_bytes: u64,
    ) -> Result<String, Fail> {
        Ok(digest(self.to, key, Some(version.as_str()), size_bytes).await?)
    }

    /// Whether a key is there already, and with these bytes: progress is observed at the
    /// destination.
    async fn there_already(
        &self,
        key: &str,
        size_bytes: u64,
        stored: &Stored,
    ) -> Result<Option<bool>, Fail> {
        let head = match self.to.head(key, None).await {
            Ok(head) => head,
            Err(e) if e.kind == Kind::NotFound => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        if head.size_bytes != size_bytes {
            return Ok(Some(false));
        }
        let version = head.version.map_or_else(VersionId::null, VersionId::new);
        let found = self.read_again(key, &version, size_bytes).await?;
        Ok(Some(found == stored.sha256_plain.0))
    }

    fn already(&self, same: bool, key: &str, size_bytes: u64) -> Result<Brought, Fail> {
        let bucket = &self.to.name;
        match (same, self.action.purpose) {
            // Its bytes were compared: an earlier attempt's work counts like this one's.
            (true, _) => Ok(Brought::Same(size_bytes)),
            (false, Purpose::Scratch) => Ok(Brought::Differs(format!(
                "{key} in {bucket} holds other bytes"
            ))),
            (false, Purpose::Kept) => Err(Fail::new(
                Code::DestinationTaken,
                format!(
                    "s3://{bucket}/{key} exists with other content; nothing is overwritten, \
                     choose another --to-prefix"
                ),
            )),
        }
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

    #[test]
    fn every_file_that_differs_is_counted_and_the_first_ones_are_named() {
        let mut differing = Differing::default();
        for n in (0..250).rev() {
            differing.add(format!("{n:03}"));
        }
        assert_eq!(differing.count, 250);
        assert_eq!(differing.named.len(), MOST_NAMED);
        assert_eq!(
            (differing.named[0].as_str(), differing.named[99].as_str()),
            ("000", "099")
        );
    }
}
