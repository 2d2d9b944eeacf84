//! A child process that outlives the lab by a moment: when the lab is gone, however it went, it
//! ends the lab's servers.

use super::error::PgError;
use super::sweep;
use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// How a watchdog is started.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// `dr-lab` itself.
    pub program: &'a Path,
    /// The lock on the lab's directory. The child holds it as well, so that the next lab there
    /// waits for its sweep.
    pub lock: &'a File,
    /// A directory that nobody will ask for again.
    pub remove: Option<&'a Path>,
}

/// The pipe whose end tells the child that we are gone; the kernel closes it even after kill -9.
pub struct Watchdog {
    pipe: Option<ChildStdin>,
    child: Child,
}

impl Watchdog {
    /// # Errors
    /// It cannot be started.
    pub fn start(watch: Watch<'_>, root: &Path, sockets: &Path) -> Result<Self, PgError> {
        let mut command = Command::new(watch.program);
        command
            .arg("watchdog")
            .arg("--root")
            .arg(root)
            .arg("--sockets")
            .arg(sockets);
        if let Some(dir) = watch.remove {
            command.arg("--remove").arg(dir);
        }
        // A lock belongs to the open file, whoever holds it; as its output, which it never writes,
        // the child holds it too.
        let lock = watch
            .lock
            .try_clone()
            .map_err(PgError::file("sharing the directory's lock"))?;
        command
            .stdin(Stdio::piped())
            .stdout(lock)
            .stderr(Stdio::null())
            .current_dir("/");
        // A group of its own: Ctrl-C at the terminal is for the lab, which then stops its servers
        // in order.
        command.process_group(0);
        let mut child = command
            .spawn()
            .map_err(PgError::file("starting the watchdog"))?;
        Ok(Self {
            pipe: child.stdin.take(),
            child,
        })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // It sweeps what is left, at once, and ends.
        let _ended = self.child.wait();
    }
}

/// The child's whole life.
pub fn run(root: &Path, sockets: &Path, remove: Option<&Path>) {
    let mut stdin = std::io::stdin().lock();
    let mut nothing = [0u8; 64];
    loop {
        match stdin.read(&mut nothing) {
            Ok(0) => break,
            Err(e) if e.kind() != std::io::ErrorKind::Interrupted => break,
            _ => {}
        }
    }
    sweep::sweep(root);
    // Not there any more after an orderly stop.
    let _gone = std::fs::remove_dir_all(sockets);
    if let Some(dir) = remove {
        remove_all(dir);
    }
}

/// Somebody may still be deleting in there; that makes a removal fail in the middle.
pub fn remove_all(dir: &Path) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while std::fs::remove_dir_all(dir).is_err() && dir.exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
}
