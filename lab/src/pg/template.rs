//! One initdb, kept and copied for every new cluster: six times faster than running it again.

use super::error::PgError;
use super::owner::Owner;
use super::programs::Programs;
use super::session::ADMIN;
use super::tree::{self, Taken};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Over the socket only the lab's superuser, without a password (the directory lets nobody else
/// in); over TCP a password.
const HBA: &str = "local all rdsadmin trust\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// The cached directory for this version; made if it is not there.
///
/// # Errors
/// initdb's, with what it said.
pub fn ensure(rds: &Path, programs: &Programs, owner: Owner) -> Result<PathBuf, PgError> {
    let template = rds.join("template").join(programs.major());
    if template.join("PG_VERSION").is_file() {
        return Ok(template);
    }
    // A crash before the rename leaves `making`, which the next start throws away.
    let making = rds.join("template").join("making");
    if making.exists() {
        std::fs::remove_dir_all(&making)
            .map_err(PgError::file("removing an unfinished template"))?;
    }
    open_dir(&rds.join("template"))?;
    owner.private_dir(&making)?;
    let mut command = Command::new(programs.program("initdb"));
    command.args([
        "--no-sync",
        "--no-instructions",
        "--encoding=UTF8",
        "--locale=C",
        "--wal-segsize=1",
        "--auth-local=trust",
    ]);
    command
        .args(["--auth-host=scram-sha-256", "-U", ADMIN, "-D"])
        .arg(&making)
        .current_dir("/");
    owner.run_as(&mut command);
    let output = command.output().map_err(PgError::file("running initdb"))?;
    if !output.status.success() {
        return Err(PgError::told(format!(
            "initdb failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )));
    }
    tree::write_file(&making.join("pg_hba.conf"), HBA.as_bytes(), owner)?;
    std::fs::rename(&making, &template).map_err(PgError::file("keeping the template"))?;
    Ok(template)
}

/// A directory that the owner walks through.
///
/// # Errors
/// The file system's.
pub fn open_dir(path: &Path) -> Result<(), PgError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(path)
        .and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o711)))
        .map_err(PgError::file(format!("making {}", path.display())))
}

/// A new, empty data directory. Blocks.
///
/// # Errors
/// The file system's.
pub fn instantiate(template: &Path, data: &Path, owner: Owner) -> Result<u64, PgError> {
    if let Some(parent) = data.parent() {
        open_dir(parent)?;
    }
    tree::copy(template, data, owner, Taken::All)
}
