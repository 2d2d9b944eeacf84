//! The whole practice cloud in one directory: started, described in one line, stopped without a
//! trace.

mod command;
mod doors;
mod error;
mod kept;
mod lab;
mod latency;
mod opening;
mod options;
mod place;
pub mod policy;
mod ready;
mod regions;
mod running;

pub use command::{Args, run, wait_for_signal};
pub use error::LabError;
pub use kept::{Kept, Ports};
pub use lab::{Lab, Leftovers};
pub use latency::LatencyProfile;
pub use options::Options;
pub use place::{Place, write_private};
pub use ready::Ready;
pub use running::{Control, Up};
