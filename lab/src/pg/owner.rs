//! The unprivileged user that owns data directories: PostgreSQL refuses to run as root.

use super::error::PgError;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;

/// `nobody` on every Linux; it has a passwd entry, which initdb insists on.
const NOBODY: u32 = 65534;

/// Who runs the servers: ourselves, or `nobody` where we are root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// `None`: our own user, nothing to change.
    drop_to: Option<u32>,
}

impl Owner {
    pub fn of_this_process() -> Self {
        Self {
            drop_to: nix::unistd::geteuid().is_root().then_some(NOBODY),
        }
    }

    pub fn uid(self) -> u32 {
        self.drop_to
            .unwrap_or_else(|| nix::unistd::geteuid().as_raw())
    }

    /// Makes a child run as the owner; supplementary groups are cleared with it.
    pub fn run_as(self, command: &mut std::process::Command) {
        if let Some(id) = self.drop_to {
            command.uid(id).gid(id);
        }
    }

    /// # Errors
    /// The file is gone or not ours to give.
    pub fn take(self, path: &Path) -> std::io::Result<()> {
        match self.drop_to {
            Some(id) => std::os::unix::fs::lchown(path, Some(id), Some(id)),
            None => Ok(()),
        }
    }

    /// A directory of the owner that nobody else reads, as PostgreSQL demands of a data directory.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn private_dir(self, path: &Path) -> Result<(), PgError> {
        let made = std::fs::create_dir_all(path)
            .and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)))
            .and_then(|()| self.take(path));
        made.map_err(PgError::file(format!("making {}", path.display())))
    }

    /// A server running as the owner must be able to walk down to its data.
    ///
    /// # Errors
    /// Names the first directory in the way and what to type.
    pub fn can_reach(self, path: &Path) -> Result<(), PgError> {
        let Some(id) = self.drop_to else {
            return Ok(());
        };
        let path = std::path::absolute(path)
            .map_err(PgError::file(format!("resolving {}", path.display())))?;
        let mut parents: Vec<&Path> = path.ancestors().collect();
        parents.reverse();
        for dir in parents {
            let Ok(meta) = std::fs::metadata(dir) else {
                continue;
            };
            let open = if meta.uid() == id { 0o100 } else { 0o001 };
            if meta.mode() & open == 0 {
                let shown = dir.display();
                return Err(PgError::told(format!(
                    "PostgreSQL does not run as root and runs as nobody here, who may not enter \
                     {shown}; \
                     choose a directory elsewhere (--dir /var/tmp/dr-lab) or type: chmod o+x \
                     {shown}"
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_parent_is_named_with_the_way_out() {
        let root = std::env::temp_dir().join(format!("dr-lab-owner-{}", std::process::id()));
        let closed = root.join("closed");
        std::fs::create_dir_all(closed.join("inner")).expect("directories");
        std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o755)).expect("mode");
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).expect("mode");
        let as_root = Owner {
            drop_to: Some(NOBODY),
        };
        let told = as_root
            .can_reach(&closed.join("inner/data"))
            .expect_err("closed")
            .to_string();
        assert!(
            told.contains(&format!("chmod o+x {}", closed.display())),
            "{told}"
        );
        assert!(Owner { drop_to: None }.can_reach(&closed).is_ok());
        std::fs::remove_dir_all(&root).expect("remove");
    }
}
