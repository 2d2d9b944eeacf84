//! Copying a data directory with two threads.

use super::error::PgError;
use super::owner::Owner;
use std::collections::VecDeque;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Directories of which a backup needs the directory but not what is in it.
const EMPTIED: [&str; 8] = [
    "pg_wal",
    "pg_replslot",
    "pg_dynshmem",
    "pg_notify",
    "pg_serial",
    "pg_snapshots",
    "pg_stat_tmp",
    "pg_subtrans",
];

/// What of a tree is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Everything: the source is at rest.
    All,
    /// What a backup of a running server takes; `global/pg_control` comes last, by the caller.
    Running,
}

/// What is copied where.
struct Trees<'a> {
    from: &'a Path,
    to: &'a Path,
    owner: Owner,
    taken: Taken,
}

struct Job {
    from: PathBuf,
    to: PathBuf,
}

/// Copies `from` to the new directory `to`; returns the bytes. Blocks: call it where blocking is
/// allowed.
///
/// # Errors
/// A file that cannot be copied; a vanished file is fine while the server runs.
pub fn copy(from: &Path, to: &Path, owner: Owner, taken: Taken) -> Result<u64, PgError> {
    let mut jobs = VecDeque::new();
    let trees = Trees {
        from,
        to,
        owner,
        taken,
    };
    plan(&trees, Path::new(""), &mut jobs)?;
    let queue = Mutex::new(jobs);
    std::thread::scope(|scope| {
        let second = scope.spawn(|| drain(&queue, owner, taken));
        let first = drain(&queue, owner, taken)?;
        let second = second
            .join()
            .map_err(|_| PgError::told("the second copying thread ended early"))??;
        Ok(first + second)
    })
}

fn plan(trees: &Trees<'_>, inner: &Path, jobs: &mut VecDeque<Job>) -> Result<(), PgError> {
    let Trees {
        from,
        to,
        owner,
        taken,
    } = *trees;
    let target = to.join(inner);
    owner.private_dir(&target)?;
    let source = from.join(inner);
    let emptied = taken == Taken::Running
        && inner.components().count() == 1
        && inner.to_str().is_some_and(|n| EMPTIED.contains(&n));
    if emptied {
        return if inner == Path::new("pg_wal") {
            owner.private_dir(&target.join("archive_status"))
        } else {
            Ok(())
        };
    }
    let entries = std::fs::read_dir(&source)
        .map_err(PgError::file(format!("reading {}", source.display())))?;
    for entry in entries {
        let entry = entry.map_err(PgError::file(format!("reading {}", source.display())))?;
        let inner = inner.join(entry.file_name());
        let kind = entry.file_type().map_err(PgError::file(format!(
            "looking at {}",
            entry.path().display()
        )))?;
        if kind.is_dir() {
            if !skipped_dir(&inner) {
                plan(trees, &inner, jobs)?;
            }
        } else if kind.is_file() && !skipped(&inner, taken) {
            jobs.push_back(Job {
                from: entry.path(),
                to: to.join(&inner),
            });
        }
    }
    Ok(())
}

fn skipped_dir(inner: &Path) -> bool {
    inner
        .file_name()
        .and_then(|n| n.to_str())
        .is_some_and(|n| n.starts_with("pgsql_tmp"))
}

fn skipped(inner: &Path, taken: Taken) -> bool {
    let name = inner
        .file_name()
        .and_then(|n| n.to_str())
        .unwrap_or_default();
    if name == "postmaster.pid" || name == "postmaster.opts" {
        return true;
    }
    taken == Taken::Running
        && (name == "pg_internal.init"
            || name.starts_with("pgsql_tmp")
            || inner == Path::new("global/pg_control"))
}

fn drain(queue: &Mutex<VecDeque<Job>>, owner: Owner, taken: Taken) -> Result<u64, PgError> {
    let mut bytes = 0;
    loop {
        let job = queue
            .lock()
            .map_err(|_| PgError::told("the first copying thread ended early"))?
            .pop_front();
        let Some(job) = job else { return Ok(bytes) };
        match copy_file(&job.from, &job.to, owner) {
            Ok(copied) => bytes += copied,
            // Dropped or truncated to nothing while we copy; recovery does it again.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && taken == Taken::Running => {}
            Err(source) => {
                return Err(PgError::File {
                    what: format!("copying {}", job.from.display()),
                    source,
                });
            }
        }
    }
}

/// One file with its owner; the kernel moves the bytes.
///
/// # Errors
/// As the file system's.
pub fn copy_file(from: &Path, to: &Path, owner: Owner) -> std::io::Result<u64> {
    let bytes = std::fs::copy(from, to)?;
    owner.take(to)?;
    Ok(bytes)
}

/// A small file of the owner.
///
/// # Errors
/// As the file system's.
pub fn write_file(path: &Path, text: &[u8], owner: Owner) -> Result<(), PgError> {
    std::fs::write(path, text)
        .and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)))
        .and_then(|()| owner.take(path))
        .map_err(PgError::file(format!("writing {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_tree_leaves_out_what_recovery_makes_again() {
        let root = std::env::temp_dir().join(format!("dr-lab-tree-{}", std::process::id()));
        let from = root.join("from");
        for file in [
            "base/1/2600",
            "base/1/pg_internal.init",
            "global/pg_control",
            "global/1262",
            "pg_wal/0001",
            "postmaster.pid",
        ] {
            let path = from.join(file);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("directory");
            std::fs::write(path, file).expect("file");
        }
        let owner = Owner::of_this_process();
        copy(&from, &root.join("running"), owner, Taken::Running).expect("copied");
        let there = |dir: &str, file: &str| root.join(dir).join(file).exists();
        assert!(
            there("running", "base/1/2600")
                && there("running", "global/1262")
                && there("running", "pg_wal/archive_status")
        );
        assert!(
            !there("running", "global/pg_control")
                && !there("running", "pg_wal/0001")
                && !there("running", "postmaster.pid")
        );
        assert!(!there("running", "base/1/pg_internal.init"));
        copy(&from, &root.join("all"), owner, Taken::All).expect("copied");
        assert!(
            there("all", "pg_wal/0001")
                && there("all", "global/pg_control")
                && !there("all", "postmaster.pid")
        );
        std::fs::remove_dir_all(&root).expect("removed");
    }
}
