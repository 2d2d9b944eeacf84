//! S3 objects: listed once, copied per target, read back.

use super::{Context, StepError};
use crate::aws::Kind;
use crate::aws::s3::{LockState, hex_of_base64};
use crate::inventory;
use crate::journal::{Evidence, Failure};
use crate::manifest::{
    CapturedBucket, ListRow, RowKind, Stored, StoredRow, Verified, read_rows, sha256_hex,
    stored_key, write_rows,
};
use crate::plan::{BaseCopy, Source};
use crate::policy::{Provider, TargetName};
use crate::transfer::{CopyTask, copy_object};
use crate::vault::Vault;
use futures_util::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

/// A list or manifest may have this many bytes compressed.
const MAX_LIST_BYTES: u64 = 1 << 30;

pub(super) async fn list(
    ctx: &Context<'_>,
    sources: &[Source],
    prefix: &str,
) -> Result<Evidence, StepError> {
    let home = ctx.vault(&ctx.plan.home).await?;
    let mut files = Vec::new();
    for source in sources {
        let b = &source.bucket;
        let key = format!("{prefix}/list-{}.jsonl.zst", b.name);
        let bucket = ctx
            .bucket(&b.name, &b.region, source.endpoint.as_deref())
            .await;
        let state = bucket.state().await?;
        if !state.versioning {
            let hint = format!(
                "aws s3api put-bucket-versioning --bucket {} --versioning-configuration \
                 Status=Enabled",
                b.name
            );
            return Err(StepError::refused(
                "source-not-versioned",
                format!(
                    "bucket {} has no versioning, so a copy of a version cannot be pinned; \
                     enable it with: {hint}",
                    b.name
                ),
            ));
        }
        let rows = inventory::list(&bucket, &b.prefix).await?;
        // Create-only: whoever comes second copies the first one's list, every version pinned.
        let bytes = match home
            .create(
                &key,
                write_rows(&rows).into(),
                Some(ctx.lock(&ctx.plan.home)?),
            )
            .await
        {
            Ok(_) => write_rows(&rows),
            Err(crate::vault::VaultError::Taken { .. }) => home.oldest(&key).await?.0.to_vec(),
            Err(e) => return Err(e.into()),
        };
        let rows: Vec<ListRow> = read_rows(&bytes)?;
        let listed_at = bucket.clock.last().unwrap_or(ctx.plan.opened_at);
        files.push(CapturedBucket {
            name: b.name.clone(),
            region: b.region.clone(),
            prefix: b.prefix.clone(),
            listed_at,
            list_key: key,
            list_sha256: sha256_hex(&bytes),
            versions: rows.iter().filter(|r| r.kind == RowKind::Object).count() as u64,
            delete_markers: rows
                .iter()
                .filter(|r| r.kind == RowKind::DeleteMarker)
                .count() as u64,
            bytes: rows.iter().map(|r| r.size_bytes).sum(),
        });
    }
    Ok(Evidence::Listed { files })
}

fn listed<'a>(ctx: &'a Context<'_>) -> Result<&'a [CapturedBucket], StepError> {
    match ctx.evidence("list-objects") {
        Some(Evidence::Listed { files }) => Ok(files),
        _ => Err(StepError::bug("the objects were not listed")),
    }
}

/// The list that every target copies, read from the home and checked against the journal's digest.
async fn rows_of(ctx: &Context<'_>, home: &Vault) -> Result<Vec<ListRow>, StepError> {
    let mut rows = Vec::new();
    for file in listed(ctx)? {
        let (bytes, _) = home.oldest(&file.list_key).await?;
        if sha256_hex(&bytes) != file.list_sha256 {
            return Err(home
                .damaged(&file.list_key, "its digest is not the one in the journal")
                .into());
        }
        rows.extend(read_rows::<ListRow>(&bytes)?);
    }
    Ok(rows)
}

/// A stored manifest, by exact version and digest.
pub async fn manifest(vault: &Vault, base: &BaseCopy) -> Result<Vec<StoredRow>, StepError> {
    let got = vault
        .bucket
        .get(
            &base.manifest_key,
            Some(&base.manifest_version),
            MAX_LIST_BYTES,
        )
        .await?;
    if sha256_hex(&got.bytes) != base.manifest_sha256 {
        return Err(vault
            .damaged(
                &base.manifest_key,
                format!(
                    "version {} is not what was stored: its SHA-256 differs",
                    base.manifest_version
                ),
            )
            .into());
    }
    Ok(read_rows(&got.bytes)?)
}

#[derive(Default)]
struct Tally {
    put: AtomicU64,
    extended: AtomicU64,
    done: AtomicU64,
}

pub(super) async fn copy(
    ctx: &Context<'_>,
    target: &TargetName,
    base: Option<&BaseCopy>,
    manifest_key: &str,
    in_flight: u32,
    part_size_bytes: u64,
) -> Result<Evidence, StepError> {
    let (home, vault) = (ctx.vault(&ctx.plan.home).await?, ctx.vault(target).await?);
    guard(&vault).await?;
    let list = rows_of(ctx, &home).await?;
    let known = base_rows(&vault, base).await?;
    let (same, mut new) = inventory::difference(&list, &known);
    let (tally, total) = (Tally::default(), list.len() as u64);
    let endpoints = sources(ctx);
    let mut rows: Vec<StoredRow> = Vec::with_capacity(list.len());
    let (to, counts) = (&vault, &tally);
    let reused = futures_util::stream::iter(same).map(|(row, known)| async move {
        (row, reuse(ctx, to, target, row, known, counts, total).await)
    });
    let mut reused = reused.buffer_unordered(in_flight as usize);
    while let Some((row, found)) = reused.next().await {
        match found? {
            Some(stored) => rows.push(stored),
            // Lost or damaged since the base was made: it is put again from the source.
            None => new.push(row),
        }
    }
    drop(reused);
    let reused_count = rows.iter().filter(|r| r.stored.is_some()).count() as u64;
    let copied = futures_util::stream::iter(new).map(|row| {
        copy_one(
            ctx,
            &vault,
            target,
            row,
            &endpoints,
            part_size_bytes,
            &tally,
            total,
        )
    });
    let mut copied = copied.buffer_unordered(in_flight as usize);
    let mut first_error = None;
    while let Some(row) = copied.next().await {
        match row {
            Ok(row) => rows.push(row),
            // The others go on: one object that vanished must not keep the rest from being safe.
            Err(e) => first_error = first_error.or(Some(e)),
        }
        if ctx.world.stopping() {
            return Err(StepError::stopped());
        }
    }
    if let Some(e) = first_error {
        return Err(e);
    }
    rows.sort_by(|a, b| {
        (&a.listed.source, &a.listed.key, &a.listed.version).cmp(&(
            &b.listed.source,
            &b.listed.key,
            &b.listed.version,
        ))
    });
    let bytes = write_rows(&rows);
    // Version ids differ when a second runner copied again; the first manifest counts, and what it
    // names is there.
    let (bytes, version) = match vault
        .create(manifest_key, bytes.clone().into(), Some(ctx.lock(target)?))
        .await
    {
        Ok(version) => (bytes, version),
        Err(crate::vault::VaultError::Taken { .. }) => {
            let (stored, version) = vault.oldest(manifest_key).await?;
            hold_named(
                ctx,
                &vault,
                target,
                &rows,
                &read_rows(&stored)?,
                in_flight,
                &tally,
            )
            .await?;
            (stored.to_vec(), version)
        }
        Err(e) => return Err(e.into()),
    };
    Ok(Evidence::Copied {
        manifest_key: manifest_key.into(),
        manifest_version: version,
        manifest_sha256: sha256_hex(&bytes),
        objects: rows.iter().filter(|r| r.stored.is_some()).count() as u64,
        delete_markers: rows.iter().filter(|r| r.stored.is_none()).count() as u64,
        bytes: rows.iter().map(|r| r.listed.size_bytes).sum(),
        put: tally.put.load(Ordering::Relaxed),
        reused: reused_count,
        extended: tally.extended.load(Ordering::Relaxed),
    })
}

/// What another run's manifest names instead of ours: that run may have begun earlier, and so its
/// locks end before this one's.
async fn hold_named(
    ctx: &Context<'_>,
    vault: &Vault,
    target: &TargetName,
    ours: &[StoredRow],
    named: &[StoredRow],
    in_flight: u32,
    tally: &Tally,
) -> Result<(), StepError> {
    let lock = ctx.lock(target)?;
    let versions = |rows: &[StoredRow]| -> BTreeSet<(String, String)> {
        rows.iter()
            .filter_map(|r| r.stored.as_ref())
            .map(|s| (s.key.clone(), s.version.clone()))
            .collect()
    };
    let others = &versions(named) - &versions(ours);
    let held = futures_util::stream::iter(others).map(|(key, version)| async move {
        crate::transfer::hold(&vault.bucket, &key, &version, lock).await
    });
    let mut held = held.buffer_unordered(in_flight as usize);
    while let Some(result) = held.next().await {
        match result {
            Ok(extended) => {
                tally
                    .extended
                    .fetch_add(u64::from(extended), Ordering::Relaxed);
            }
            // The step that reads everything back names it.
            Err(e) if e.kind == Kind::NotFound => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

/// A vault whose lock cannot be relied on is refused before anything is put there.
async fn guard(vault: &Vault) -> Result<(), StepError> {
    let state = vault.bucket.state().await?;
    if !state.object_lock || !state.versioning {
        return Err(StepError::refused(
            "target-without-lock",
            format!(
                "bucket {} of target {} has no Object Lock",
                vault.bucket.name, vault.target
            ),
        ));
    }
    if let Some((id, prefix)) = state
        .expiring_rules
        .iter()
        .find(|(_, p)| !p.starts_with("probe/"))
    {
        return Err(StepError::refused(
            "lifecycle-expires",
            format!(
                "lifecycle rule `{id}` of bucket {} expires what is under `{prefix}` by age",
                vault.bucket.name
            ),
        ));
    }
    match vault.newest_probe(&vault.target).await? {
        Some(probe) if probe.outcome.verdict == crate::vault::Verdict::Locked => Ok(()),
        Some(probe) => Err(StepError::refused(
            "lock-not-proven",
            format!(
                "target {}: {}; run `dr vault probe`",
                vault.target, probe.outcome.why
            ),
        )),
        None => Err(StepError::refused(
            "lock-not-proven",
            format!(
                "target {} was never probed; run `dr vault probe`",
                vault.target
            ),
        )),
    }
}

fn sources(ctx: &Context<'_>) -> BTreeMap<String, Source> {
    let of = |action: &crate::plan::Action| match action {
        crate::plan::Action::ListObjects { sources, .. } => Some(sources.clone()),
        _ => None,
    };
    ctx.plan
        .steps
        .iter()
        .find_map(|s| of(&s.action))
        .unwrap_or_default()
        .into_iter()
        .map(|s| (s.bucket.name.to_string(), s))
        .collect()
}

/// What the newest complete copy holds. One that was damaged since is no base: everything is then
/// looked at key by key.
async fn base_rows(vault: &Vault, base: Option<&BaseCopy>) -> Result<Vec<StoredRow>, StepError> {
    let Some(base) = base else {
        return Ok(Vec::new());
    };
    match manifest(vault, base).await {
        Err(e) if e.kind == Failure::Finding => Ok(Vec::new()),
        other => other,
    }
}

/// An unchanged object: read back, nothing is put, its lock is extended where it ends before this
/// run's. `None`: it is not what it was.
async fn reuse(
    ctx: &Context<'_>,
    vault: &Vault,
    target: &TargetName,
    row: &ListRow,
    known: &StoredRow,
    tally: &Tally,
    total: u64,
) -> Result<Option<StoredRow>, StepError> {
    if let Some(stored) = &known.stored {
        let lock = ctx.lock(target)?;
        match read_back(vault, known, stored, true).await {
            Ok((state, ..)) if state.meets(lock) => {}
            Ok(_) => {
                vault
                    .bucket
                    .extend_lock(&stored.key, &stored.version, lock)
                    .await?;
                tally.extended.fetch_add(1, Ordering::Relaxed);
            }
            Err(e) if e.kind == Failure::Finding => return Ok(None),
            Err(e) => return Err(e),
        }
    }
    ctx.report(
        tally.done.fetch_add(1, Ordering::Relaxed) + 1,
        total,
        "objects",
    );
    Ok(Some(StoredRow {
        listed: row.clone(),
        stored: known.stored.clone(),
    }))
}

#[expect(
    clippy::too_many_arguments,
    reason = "one call site, in the loop above"
)]
async fn copy_one(
    ctx: &Context<'_>,
    vault: &Vault,
    target: &TargetName,
    row: &ListRow,
    sources: &BTreeMap<String, Source>,
    part_size_bytes: u64,
    tally: &Tally,
    total: u64,
) -> Result<StoredRow, StepError> {
    let stored = match row.kind {
        RowKind::DeleteMarker => None,
        RowKind::Object => {
            Some(put_one(ctx, vault, target, row, sources, part_size_bytes, tally).await?)
        }
    };
    ctx.report(
        tally.done.fetch_add(1, Ordering::Relaxed) + 1,
        total,
        "objects",
    );
    Ok(StoredRow {
        listed: row.clone(),
        stored,
    })
}

async fn put_one(
    ctx: &Context<'_>,
    vault: &Vault,
    target: &TargetName,
    row: &ListRow,
    sources: &BTreeMap<String, Source>,
    part_size_bytes: u64,
    tally: &Tally,
) -> Result<Stored, StepError> {
    let source = sources
        .get(&row.source)
        .ok_or_else(|| StepError::bug(format!("no source {}", row.source)))?;
    let bucket = ctx
        .bucket(
            &source.bucket.name,
            &source.bucket.region,
            source.endpoint.as_deref(),
        )
        .await;
    let to_key = stored_key(&row.source, &row.key, &row.version);
    let task = CopyTask {
        source: &bucket,
        key: &row.key,
        version: inventory::service_version(row),
        etag: row.etag.as_deref(),
        size_bytes: row.size_bytes,
        to: &vault.bucket,
        to_key: &to_key,
        lock: Some(ctx.lock(target)?),
        part_size_bytes,
        server_side: vault.bucket.provider == Provider::Aws,
    };
    let stored = copy_object(&task).await.map_err(|e| match e.kind {
        // A bucket that is not there, or an upload, is another matter.
        Kind::NotFound if !["NoSuchBucket", "NoSuchUpload"].contains(&e.code.as_str()) => {
            StepError::finding(
                "object-gone",
                format!(
                    "version {} of s3://{}/{} is gone before it was copied to {target}",
                    row.version, row.source, row.key
                ),
            )
        }
        _ => e.into(),
    })?;
    tally.put.fetch_add(1, Ordering::Relaxed);
    Ok(stored)
}

pub(super) async fn verify(
    ctx: &Context<'_>,
    target: &TargetName,
    in_flight: u32,
) -> Result<Evidence, StepError> {
    let Some(Evidence::Copied {
        manifest_key,
        manifest_version,
        manifest_sha256,
        ..
    }) = ctx.evidence(&format!("copy-objects:{target}"))
    else {
        return Err(StepError::bug("nothing was copied"));
    };
    let vault = ctx.vault(target).await?;
    let base = BaseCopy {
        slot: ctx.plan.slot.clone(),
        manifest_key: manifest_key.clone(),
        manifest_version: manifest_version.clone(),
        manifest_sha256: manifest_sha256.clone(),
    };
    let rows = manifest(&vault, &base).await?;
    let lock = ctx.lock(target)?;
    let reused = reused_by(ctx, target, &vault).await?;
    let objects: Vec<(&StoredRow, &Stored)> = rows
        .iter()
        .filter_map(|r| Some((r, r.stored.as_ref()?)))
        .collect();
    let mut verified = Verified {
        population: objects.len() as u64,
        ..Default::default()
    };
    let total = verified.population;
    let mut checks = futures_util::stream::iter(objects)
        .map(|(row, stored)| {
            read_back(
                &vault,
                row,
                stored,
                !reused.contains(&(stored.key.clone(), stored.version.clone())),
            )
        })
        .buffer_unordered(in_flight as usize);
    while let Some(result) = checks.next().await {
        let state = result?;
        verified.tested += 1;
        verified.bytes += state.1;
        match state.0 {
            LockState::Until(mode, until) if mode == lock.mode && until >= lock.retain_until => {
                verified.lock_ok += 1;
                verified.retain_until_min =
                    Some(verified.retain_until_min.map_or(until, |m| m.min(until)));
            }
            LockState::Unknown(_) => verified.unknown += 1,
            other => {
                return Err(StepError::finding(
                    "lock-short",
                    format!(
                        "{} version {} at {target}: lock {other:?}, wanted {} until {}",
                        state.2,
                        state.3,
                        lock.mode.as_str(),
                        lock.retain_until
                    ),
                ));
            }
        }
        ctx.report(verified.tested, total, "objects");
    }
    if verified.unknown > 0 {
        return Err(StepError::finding(
            "lock-unknown",
            format!(
                "the lock of {} of {} objects at {target} could not be read",
                verified.unknown, verified.population
            ),
        ));
    }
    Ok(Evidence::Verified { verified })
}

/// Versions that the copy step of this run took from the base: it read them back before it wrote
/// the manifest.
async fn reused_by(
    ctx: &Context<'_>,
    target: &TargetName,
    vault: &Vault,
) -> Result<BTreeSet<(String, String)>, StepError> {
    let base = ctx.plan.steps.iter().find_map(|s| match &s.action {
        crate::plan::Action::CopyObjects {
            target: of, base, ..
        } if of == target => base.as_ref(),
        _ => None,
    });
    Ok(base_rows(vault, base)
        .await?
        .into_iter()
        .filter_map(|r| r.stored)
        .map(|s| (s.key, s.version))
        .collect())
}

/// Presence, size, digest and lock of one stored version. Where the service keeps no digest the
/// bytes are read, if `whole`.
async fn read_back(
    vault: &Vault,
    row: &StoredRow,
    stored: &Stored,
    whole: bool,
) -> Result<(LockState, u64, String, String), StepError> {
    let wrong = |what: String| {
        StepError::finding(
            "checksum-mismatch",
            format!(
                "{} version {} at {}: {what}",
                stored.key, stored.version, vault.target
            ),
        )
    };
    let gone = |e: crate::aws::Error| match e.kind {
        Kind::NotFound => StepError::finding(
            "object-missing",
            format!(
                "{} version {} at {} is not there",
                stored.key, stored.version, vault.target
            ),
        ),
        _ => e.into(),
    };
    let head = vault
        .bucket
        .head(&stored.key, Some(&stored.version))
        .await
        .map_err(gone)?;
    if head.size_bytes != row.listed.size_bytes {
        return Err(wrong(format!(
            "{} bytes, listed with {}",
            head.size_bytes, row.listed.size_bytes
        )));
    }
    let by_service = head.sha256.as_deref().and_then(hex_of_base64);
    let found = match by_service {
        Some(hex) => hex,
        None if whole => digest_of(vault, stored, head.size_bytes).await?,
        None => stored.sha256_stored.0.clone(),
    };
    if found != stored.sha256_stored.0 {
        return Err(wrong(format!(
            "SHA-256 is {found}, should be {}",
            stored.sha256_stored
        )));
    }
    let state = vault.bucket.lock_of(&stored.key, &stored.version).await?;
    Ok((
        state,
        head.size_bytes,
        stored.key.clone(),
        stored.version.clone(),
    ))
}

/// SHA-256 of a stored version.
pub(super) async fn digest_of(
    vault: &Vault,
    stored: &Stored,
    size_bytes: u64,
) -> Result<String, StepError> {
    Ok(crate::transfer::digest(
        &vault.bucket,
        &stored.key,
        Some(&stored.version),
        size_bytes,
    )
    .await?)
}
