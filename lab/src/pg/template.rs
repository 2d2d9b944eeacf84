//! One initdb, kept and copied for every new cluster: six times faster than running it again.

use super::error::PgError;
use super::managed;
use super::owner::Owner;
use super::programs::Programs;
use super::session::ADMIN;
use super::tree::{self, Taken};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Over the socket only the lab's superuser, without a password (the directory lets nobody else
/// in); over TCP a password.
const HBA: &str = "local all rdsadmin trust\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Anybody's, as initdb makes it.
    Plain,
    /// A managed service's.
    Managed,
}

/// The cached directory for this version; made if it is not there.
///
/// # Errors
/// initdb's, with what it said.
pub fn ensure(
    rds: &Path,
    programs: &Programs,
    owner: Owner,
    kind: Kind,
) -> Result<PathBuf, PgError> {
    let name = match kind {
        Kind::Plain => programs.major().to_owned(),
        Kind::Managed => format!("managed-{}", programs.major()),
    };
    let template = rds.join("template").join(name);
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
    if kind == Kind::Managed {
        manage(&making, programs, owner)?;
    }
    tree::write_file(&making.join("pg_hba.conf"), HBA.as_bytes(), owner)?;
    std::fs::rename(&making, &template).map_err(PgError::file("keeping the template"))?;
    Ok(template)
}

/// In single-user mode: no port, no socket.
fn manage(data: &Path, programs: &Programs, owner: Owner) -> Result<(), PgError> {
    let mut command = Command::new(programs.program("postgres"));
    command.arg("--single").arg("-j").arg("-D").arg(data);
    command.arg("postgres").current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    command.stderr(Stdio::piped());
    owner.run_as(&mut command);
    let failed = || PgError::file("running postgres --single");
    let mut child = command.spawn().map_err(failed())?;
    let mut input = child.stdin.take();
    if let Some(input) = &mut input {
        // With -j a statement ends at an empty line.
        let text = managed::statements(programs.major()).replace(";\n", ";\n\n");
        input.write_all(text.as_bytes()).map_err(failed())?;
    }
    drop(input);
    let output = child.wait_with_output().map_err(failed())?;
    let said = String::from_utf8_lossy(&output.stderr);
    // It goes on after a statement that failed, and exits with 0.
    if !output.status.success() || said.contains("ERROR:") {
        return Err(PgError::told(format!(
            "postgres --single failed: {}",
            said.trim()
        )));
    }
    Ok(())
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
