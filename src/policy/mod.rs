//! The policy file: what is protected, where copies go, how often, and what is promised.
//!
//! Pure: text in, values and findings out. Nothing here reads a file, a clock or the network.

mod check;
mod cluster_shape;
mod coming;
mod databases;
mod locate;
mod methods;
mod objective;
mod parse;
mod references;
mod source_form;
mod sources;
mod timing;
mod tuning;
mod types;

pub use check::{Calendar, Trouble, check};
pub use cluster_shape::ClusterShape;
pub use coming::{ScratchServer, SnapshotLock, Verification, VerifyLevel};
pub use databases::{Databases, Heartbeat, Reader, SourceReading};
pub use methods::{Unit, unit};
pub use objective::Objective;
pub use parse::{MAX_BYTES, ParseError, parse, schema};
pub use references::{Dangling, Reference};
pub use sources::{AuroraSource, BucketSource, PostgresSource, Source};
pub use timing::{Missed, Schedule};
pub use tuning::{Concurrency, Probe, Retry, Runner, Timeouts};
pub use types::*;
