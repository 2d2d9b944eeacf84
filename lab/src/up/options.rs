//! How a lab is started.

use super::latency::LatencyProfile;
use std::path::PathBuf;

/// How a lab is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Kept from one start to the next; `None`: a new one, removed at the end.
    pub dir: Option<PathBuf>,
    /// `dr-lab` itself, for the watchdog; `None`: whoever starts us sweeps.
    pub program: Option<PathBuf>,
    /// Neither database nor files.
    pub empty: bool,
    /// Database and files stand still.
    pub no_writers: bool,
    pub latency: LatencyProfile,
    /// Where PostgreSQL's programs are; `None`: the newest that is installed.
    pub pg: Option<PathBuf>,
}
