//! Every outside capability of the process itself: clock, sleep, randomness, environment, who we
//! are on this machine.

use crate::journal::{Host, Process, RunnerId};
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// From the wish to stop to leaving whatever still waits: with what the answer takes, below the 20
/// s that are promised.
const GRACE: Duration = Duration::from_secs(15);

/// Cheap to clone; one per process.
#[derive(Clone)]
pub struct World {
    stop: Arc<AtomicBool>,
    woken: Arc<tokio::sync::Notify>,
    /// Wall clock, monotonic clock and seconds since boot when this process began.
    began: (Timestamp, Instant, f64),
}

impl Default for World {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clocks"
    )]
    fn default() -> Self {
        Self {
            began: (Timestamp::now(), Instant::now(), boot_seconds()),
            stop: Arc::new(AtomicBool::new(false)),
            woken: Arc::new(tokio::sync::Notify::new()),
        }
    }
}

fn boot_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|s| s.parse().ok())
        .unwrap_or(0.0)
}

impl World {
    /// The local wall clock as it was when the process began, and the time that passed since: one
    /// that jumps changes no duration.
    /// Decisions use the store's clock; this one is compared with it.
    pub fn now(&self) -> Timestamp {
        let (wall, monotonic, boot_s) = self.began;
        // The monotonic clock does not count sleep, the other one is coarse.
        let asleep_too =
            Duration::try_from_secs_f64(self.boot_seconds() - boot_s).unwrap_or_default();
        wall.checked_add(monotonic.elapsed().max(asleep_too))
            .unwrap_or(wall)
    }

    /// For measuring; never stored.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the monotonic clock"
    )]
    pub fn monotonic(&self) -> Instant {
        Instant::now()
    }

    /// Seconds since boot, time asleep included (CLOCK_BOOTTIME), so that a laptop's lid or a
    /// paused VM counts as silence.
    pub fn boot_seconds(&self) -> f64 {
        boot_seconds()
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
    pub async fn sleep(&self, duration: Duration) {
        // A wait must not outlive the wish to stop.
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = self.stopped() => {}
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|v| !v.is_empty())
    }

    pub fn random_hex(&self, bytes: usize) -> String {
        let mut buffer = vec![0u8; bytes];
        rand::RngCore::fill_bytes(&mut rand::rng(), &mut buffer);
        hex::encode(buffer)
    }

    pub fn runner_id(&self) -> RunnerId {
        RunnerId(self.random_hex(16))
    }

    /// SIGTERM or SIGINT was received: finish the current append, then leave.
    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.woken.notify_waiters();
    }

    /// First SIGTERM or SIGINT: stop after the current append. Second: leave at once, as a kill
    /// would; nothing is lost by it.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that ends the process"
    )]
    pub async fn stop_on_signals(&self) {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut int)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        ) else {
            return;
        };
        let mut asked = async || {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
        };
        asked().await;
        self.stop();
        tokio::select! {
            () = asked() => {}
            // Not even the answer could be given: a disk or a pipe that does not come back holds
            // the thread that would.
            () = tokio::time::sleep(GRACE + GRACE / 5) => {}
        }
        std::process::exit(12);
    }

    pub async fn stopped(&self) {
        let woken = self.woken.notified();
        tokio::pin!(woken);
        // Enabled before the look, so that a stop between the two is not missed.
        woken.as_mut().enable();
        if !self.stopping() {
            woken.await;
        }
    }

    /// Asked to stop, and that long ago that whatever still waits is left behind.
    #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
    pub async fn overdue(&self) {
        self.stopped().await;
        tokio::time::sleep(GRACE).await;
    }

    pub fn host(&self) -> Host {
        let read = |path: &str| {
            std::fs::read_to_string(path)
                .map(|s| s.trim().to_owned())
                .unwrap_or_default()
        };
        let namespace = std::fs::read_link("/proc/self/ns/pid")
            .map(|p| p.display().to_string())
            .unwrap_or_default();
        Host {
            boot_id: read("/proc/sys/kernel/random/boot_id"),
            pid_namespace: namespace,
            machine_id: read("/etc/machine-id"),
            hostname: read("/proc/sys/kernel/hostname"),
        }
    }

    pub fn process(&self) -> Process {
        let pid = std::process::id();
        Process {
            pid,
            started: self.started(pid).unwrap_or(0),
        }
    }

    /// Whether a process of this host still is the one that an entry names.
    pub fn alive(&self, process: Process) -> bool {
        self.started(process.pid) == Some(process.started)
    }

    /// Field 22 of /proc/PID/stat; a zombie counts as gone. The command name may hold spaces, so
    /// fields are counted from its last `)`.
    fn started(&self, pid: u32) -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let state = fields.next()?;
        if state == "Z" || state == "X" {
            None
        } else {
            fields.nth(18)?.parse().ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_are_alive_and_a_reused_number_is_not_us() {
        let world = World::default();
        let me = world.process();
        assert!(world.alive(me));
        assert!(!world.alive(Process {
            started: me.started + 1,
            ..me
        }));
        assert!(!world.alive(Process {
            pid: u32::MAX,
            started: 1
        }));
    }
}
