//! Folders that are whole or not there, and gone at once.

use crate::pg::{PgError, template};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Runs `fill` on a fresh directory that gets its name when it is complete: a crash leaves
/// `….making`, which the
/// next start removes.
pub(super) async fn fill<F>(folder: PathBuf, fill: F) -> Result<u64, PgError>
where
    F: AsyncFnOnce(PathBuf) -> Result<u64, PgError>,
{
    for parent in [folder.parent().and_then(Path::parent), folder.parent()]
        .into_iter()
        .flatten()
    {
        template::open_dir(parent)?;
    }
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".making");
    let making = folder.with_file_name(name);
    if making.exists() {
        std::fs::remove_dir_all(&making)
            .map_err(PgError::file("removing what was left half made"))?;
    }
    template::open_dir(&making)?;
    let bytes = fill(making.join("data")).await?;
    std::fs::rename(&making, &folder)
        .map_err(PgError::file(format!("naming {}", folder.display())))?;
    Ok(bytes)
}

/// The name is free at once; the bytes go in the background, for a busy disk takes seconds over
/// them. What a crash
/// leaves has a name that no state knows.
pub(super) fn discard(folder: &Path) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let trash = folder.with_file_name(format!("trash.{}.{n}", std::process::id()));
    if std::fs::rename(folder, &trash).is_ok() {
        std::thread::spawn(move || std::fs::remove_dir_all(trash));
    }
}
