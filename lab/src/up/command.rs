//! `dr-lab up`: in the foreground until SIGINT or SIGTERM.

use super::error::LabError;
use super::latency::LatencyProfile;
use super::options::Options;
use super::running::{Control, Up};
use std::io::Write;
use std::path::PathBuf;
use tokio::signal::unix::{Signal, SignalKind, signal};

#[derive(clap::Args, Clone, Debug, Default)]
pub struct Args {
    /// Keep everything here, and go on with what is here; default: a new directory, removed at the
    /// end
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// One line of JSON when ready (dr-lab/up/1) instead of text
    #[arg(long)]
    pub json: bool,
    /// Start without database and files
    #[arg(long)]
    pub empty: bool,
    /// Let database and files stand still
    #[arg(long)]
    pub no_writers: bool,
    /// How long states of snapshots, clusters and instances take
    #[arg(long, value_name = "PROFILE", value_enum, default_value = "none")]
    pub latency_profile: LatencyProfile,
    /// PostgreSQL's programs of another version: the directory with postgres and initdb
    #[arg(long, value_name = "DIR")]
    pub pg: Option<PathBuf>,
}

impl Args {
    /// # Errors
    /// Our own executable cannot be found.
    pub fn options(&self) -> Result<Options, LabError> {
        let program = std::env::current_exe()
            .map_err(|e| LabError::told(format!("finding our own executable: {e}")))?;
        Ok(Options {
            dir: self.dir.clone(),
            program: Some(program),
            empty: self.empty,
            no_writers: self.no_writers,
            latency: self.latency_profile,
            pg: self.pg.clone(),
        })
    }
}

/// # Errors
/// The lab does not come up.
pub async fn run(args: &Args, control: Control) -> Result<(), LabError> {
    let mut signals = Signals::new()?;
    // A signal while it starts drops what was started so far: the watchdog sweeps the servers.
    let up = tokio::select! {
        up = Up::start(args.options()?, control) => up?,
        () = signals.one() => return Ok(()),
    };
    let shown = if args.json {
        serde_json::to_string(&up.ready())
            .map_err(|e| LabError::told(e.to_string()))
            .map(|l| l + "\n")
    } else {
        Ok(up.ready().text(up.dir()))
    };
    let told = shown.and_then(|text| {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|e| LabError::told(format!("writing the ready line: {e}")))
    });
    if told.is_ok() {
        signals.one().await;
    }
    up.stop().await;
    told
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self, LabError> {
        let on =
            |kind| signal(kind).map_err(|e| LabError::told(format!("listening to signals: {e}")));
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
        })
    }

    async fn one(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Returns at SIGINT or SIGTERM.
///
/// # Errors
/// Signals cannot be listened to.
pub async fn wait_for_signal() -> Result<(), LabError> {
    Signals::new()?.one().await;
    Ok(())
}
