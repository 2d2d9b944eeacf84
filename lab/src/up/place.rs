//! D: made, locked for one lab at a time, and gone at the end where nobody named it.

use super::error::LabError;
use crate::accounts::random_text;
use crate::pg::watchdog::remove_all;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// So long a watchdog may still be sweeping after its lab was killed.
const SWEEP: Duration = Duration::from_secs(15);

pub struct Place {
    pub path: PathBuf,
    pub temporary: bool,
    /// Locked while the lab or its watchdog lives.
    pub lock: File,
}

impl Place {
    /// Waits for the watchdog of a lab that was killed here. Blocks.
    ///
    /// # Errors
    /// It cannot be made, or another lab lives in it.
    pub fn take(dir: Option<&Path>) -> Result<Self, LabError> {
        let temporary = dir.is_none();
        let wanted = dir.map_or_else(
            || std::env::temp_dir().join(format!("dr-lab.{}", random_text(8))),
            Path::to_owned,
        );
        let path = std::path::absolute(&wanted).map_err(LabError::file("resolving", &wanted))?;
        if !path.exists() {
            std::fs::create_dir_all(&path).map_err(LabError::file("making", &path))?;
            // PostgreSQL's user walks through; nobody lists it.
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o711))
                .map_err(LabError::file("opening", &path))?;
        }
        let file = path.join("lock");
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&file);
        let mut lock = opened.map_err(LabError::file("opening", &file))?;
        wait_for(&mut lock, &path)?;
        let noted = lock
            .set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()));
        noted.map_err(LabError::file("writing", &file))?;
        Ok(Self {
            path,
            temporary,
            lock,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.temporary {
            remove_all(&self.path);
        }
    }
}

fn wait_for(lock: &mut File, path: &Path) -> Result<(), LabError> {
    let deadline = Instant::now() + SWEEP;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(source)) => {
                return Err(LabError::file("locking", path)(source));
            }
            Err(TryLockError::WouldBlock) => {}
        }
        let mut text = String::new();
        let read = lock.rewind().and_then(|()| lock.read_to_string(&mut text));
        let pid = text.trim();
        if read.is_ok()
            && !pid.is_empty()
            && Path::new("/proc").join(pid).join("stat").exists()
            && !zombie(pid)
        {
            return Err(LabError::told(format!(
                "a lab is up in {} already; end it first: kill {pid}",
                path.display()
            )));
        }
        if Instant::now() > deadline {
            return Err(LabError::told(format!(
                "what an earlier lab left in {} is not swept; see who holds it: fuser -v {}/lock",
                path.display(),
                path.display()
            )));
        }
        // A lock that comes free is announced to nobody who did not block on it, and blocking has
        // no deadline.
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Killed, and its parent has not asked yet.
fn zombie(pid: &str) -> bool {
    let stat =
        std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

/// For its owner's eyes only, whole at every moment: a crash here leaves the file before or the
/// file after.
///
/// # Errors
/// The disk's.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), LabError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let written = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&new);
    let written = written
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&new, path));
    written.map_err(LabError::file("writing", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_serves_one_lab_at_a_time_and_a_temporary_one_goes() {
        let first = Place::take(None).expect("taken");
        let path = first.path.clone();
        let second = Place::take(Some(&path)).map(drop);
        assert!(second.is_err_and(|e| {
            e.to_string()
                .contains(&format!("kill {}", std::process::id()))
        }));
        drop(first);
        assert!(!path.exists());
    }
}
