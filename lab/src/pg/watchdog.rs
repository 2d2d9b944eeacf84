//! A child process that outlives the lab by a moment: when the lab is gone, however it went, it ends the lab's servers.

use super::{PgError, sweep};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// The pipe whose end tells the child that we are gone; the kernel closes it even after kill -9.
pub struct Watchdog {
    pipe: Option<ChildStdin>,
    child: Child,
}

impl Watchdog {
    /// `program` is `dr-lab` itself.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(program: &Path, root: &Path, sockets: &Path) -> Result<Self, PgError> {
        let mut command = Command::new(program);
        command.arg("watchdog").arg("--root").arg(root).arg("--sockets").arg(sockets);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
        // A group of its own: Ctrl-C at the terminal is for the lab, which then stops its servers in order.
        command.process_group(0);
        let mut child = command.spawn().map_err(PgError::file("starting the watchdog"))?;
        Ok(Self { pipe: child.stdin.take(), child })
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
pub fn run(root: &Path, sockets: &Path) {
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
}
