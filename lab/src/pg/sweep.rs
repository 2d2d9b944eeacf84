//! Finding and ending servers by their working directory: titles are rewritten and process groups
//! are their own, but
//! every process of a server stands in its data directory for life.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// One process of some server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    pub parent: i32,
    pub cwd: PathBuf,
}

/// PostgreSQL processes whose working directory lies under `root`.
pub fn processes_under(root: &Path) -> Vec<Process> {
    let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|e| look(e.ok()?.file_name().to_str()?.parse().ok()?, &root))
        .collect()
}

fn look(pid: i32, root: &Path) -> Option<Process> {
    let proc = PathBuf::from(format!("/proc/{pid}"));
    let cwd = std::fs::read_link(proc.join("cwd")).ok()?;
    if !cwd.starts_with(root) {
        return None;
    }
    // `pid (comm) state ppid …`; a zombie is gone already, only its parent has not asked.
    let stat = std::fs::read_to_string(proc.join("stat")).ok()?;
    let (head, tail) = stat.rsplit_once(") ")?;
    let mut fields = tail.split(' ');
    let (state, parent) = (fields.next()?, fields.next()?.parse().ok()?);
    let name = head.split_once('(')?.1;
    (name.starts_with("postgres") && state != "Z").then_some(Process { pid, parent, cwd })
}

fn signal(pid: i32, signal: Signal) {
    // Gone between the look and the signal: what we wanted.
    let _gone = kill(Pid::from_raw(pid), signal);
}

/// SIGKILL to everything under `root` until nothing is left: as if the machine had gone. Returns
/// how many there were.
pub fn kill_under(root: &Path) -> usize {
    let mut seen = BTreeSet::new();
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let mut found = processes_under(root);
        if found.is_empty() || Instant::now() > deadline {
            return seen.len();
        }
        // Postmasters first: else they start recovery between two signals.
        let pids: BTreeSet<i32> = found.iter().map(|p| p.pid).collect();
        found.sort_by_key(|p| pids.contains(&p.parent));
        for process in &found {
            seen.insert(process.pid);
            signal(process.pid, Signal::SIGKILL);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Ends every server under `root`: quickly and with its shared memory returned, by force where that
/// does not help. Blocks.
pub fn sweep(root: &Path) -> usize {
    let found = processes_under(root);
    let pids: BTreeSet<i32> = found.iter().map(|p| p.pid).collect();
    for process in &found {
        signal(process.pid, Signal::SIGCONT);
    }
    for postmaster in found.iter().filter(|p| !pids.contains(&p.parent)) {
        signal(postmaster.pid, Signal::SIGQUIT);
    }
    let deadline = Instant::now() + Duration::from_secs(3);
    while Instant::now() < deadline {
        if processes_under(root).is_empty() {
            return found.len();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    kill_under(root);
    found.len()
}
