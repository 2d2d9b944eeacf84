//! The bytes of a running server, taken while it commits: a low-level base backup with its own
//! copying.
//!
//! The point in time is the stop of the backup: commits made during the copy are in it.

use super::error::PgError;
use super::owner::Owner;
use super::session::Session;
use super::tree::{self, Taken};
use std::path::{Path, PathBuf};

/// Takes a snapshot of the server behind `session` (which stays open for the whole of it) into the
/// new directory `to`.
/// A crash in the middle leaves `to` without `backup_label`: the caller copies into a name that it
/// renames at the end.
///
/// # Errors
/// The server's or the file system's.
pub async fn take(session: &Session, data: &Path, to: &Path, owner: Owner) -> Result<u64, PgError> {
    // The slot keeps the WAL of the copy's time: a checkpoint could recycle it otherwise. It goes
    // with the session.
    session
        .batch(
            "SELECT pg_create_physical_replication_slot('dr_lab_' || pg_backend_pid(), true, true)",
        )
        .await?;
    session
        .batch("SELECT pg_backup_start('dr-lab', true)")
        .await?;
    let (from, target) = (data.to_owned(), to.to_owned());
    let copied = blocking(move || tree::copy(&from, &target, owner, Taken::Running)).await;
    let stop = "SELECT labelfile, spcmapfile, pg_walfile_name(lsn) FROM pg_backup_stop(false)";
    let stopped = session.rows(stop).await?;
    let bytes = copied?;
    let row: Vec<String> = stopped
        .into_iter()
        .next()
        .unwrap_or_default()
        .into_iter()
        .flatten()
        .collect();
    let [label, spaces, last] = row
        .try_into()
        .map_err(|_| PgError::told("the server ended a backup without a label"))?;
    if !spaces.trim().is_empty() {
        return Err(PgError::told(
            "this cluster has tablespaces, which the lab does not copy",
        ));
    }
    let first =
        first_segment(&label).ok_or_else(|| PgError::told("the backup label names no WAL file"))?;
    let (from, target) = (data.to_owned(), to.to_owned());
    let rest =
        blocking(move || finish(&from, &target, owner, &Finish { first, last, label })).await?;
    Ok(bytes + rest)
}

struct Finish {
    first: String,
    last: String,
    label: String,
}

fn finish(data: &Path, to: &Path, owner: Owner, what: &Finish) -> Result<u64, PgError> {
    let wal = data.join("pg_wal");
    let mut bytes = 0;
    let mut copy = |from: PathBuf, to: PathBuf| {
        let copied = tree::copy_file(&from, &to, owner)
            .map_err(PgError::file(format!("copying {}", from.display())));
        copied.map(|n| bytes += n)
    };
    for entry in std::fs::read_dir(&wal).map_err(PgError::file("reading pg_wal"))? {
        let name = entry.map_err(PgError::file("reading pg_wal"))?.file_name();
        let needed = name
            .to_str()
            .is_some_and(|n| is_segment(n) && n >= what.first.as_str() && n <= what.last.as_str());
        if needed {
            copy(wal.join(&name), to.join("pg_wal").join(&name))?;
        }
    }
    copy(data.join("global/pg_control"), to.join("global/pg_control"))?;
    // Without this file the copy would start without complaint and be corrupt, so it is the last
    // thing written.
    tree::write_file(&to.join("backup_label"), what.label.as_bytes(), owner)?;
    Ok(bytes)
}

fn is_segment(name: &str) -> bool {
    name.len() == 24 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

/// `START WAL LOCATION: 0/2000028 (file 000000010000000000000002)`
fn first_segment(label: &str) -> Option<String> {
    let line = label
        .lines()
        .find(|l| l.starts_with("START WAL LOCATION"))?;
    let name = line.split_once("(file ")?.1.trim_end_matches(')');
    is_segment(name).then(|| name.to_owned())
}

/// # Errors
/// The work's own, or that it panicked.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PgError> + Send + 'static,
) -> Result<T, PgError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| PgError::told(e.to_string()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_names_the_first_segment() {
        let label = "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nCHECKPOINT \
         LOCATION: 0/2000060\n";
        assert_eq!(
            first_segment(label).as_deref(),
            Some("000000010000000000000002")
        );
        assert_eq!(first_segment("LABEL: x"), None);
    }
}
