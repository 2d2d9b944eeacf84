//! Where the servers' sockets lie: a short path that only their owner enters. Whoever enters is the
//! superuser.

use super::error::PgError;
use super::owner::Owner;
use sha2::{Digest, Sha256};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A directory under /tmp named after the lab's own: the kernel takes 107 bytes for a socket's
/// path, and D may be long.
pub fn directory(root: &Path) -> PathBuf {
    let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
    Path::new("/tmp").join(format!("dr-lab-{}", hex::encode(&digest[..6])))
}

/// # Errors
/// Someone else made a directory or a link of that name.
pub fn ensure(path: &Path, owner: Owner) -> Result<(), PgError> {
    match std::fs::symlink_metadata(path) {
        Ok(meta)
            if !meta.is_dir()
                || (meta.uid() != owner.uid() && meta.uid() != nix::unistd::geteuid().as_raw()) =>
        {
            Err(PgError::told(format!(
                "{} belongs to someone else; remove it",
                path.display()
            )))
        }
        _ => owner.private_dir(path),
    }
}
