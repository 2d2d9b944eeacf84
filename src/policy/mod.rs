//! The policy file: what is protected, where copies go, how often, and what is promised.
//!
//! Pure: text in, values and findings out. Nothing here reads a file, a clock or the network.

mod check;
mod endpoint;
mod ids;
mod locate;
mod parse;
mod tuning;
mod types;
mod units;

pub use check::{Calendar, Severity, Trouble, check};
pub use endpoint::{endpoint_allowed, is_loopback, on_loopback};
pub use ids::{
    AccountId, BucketName, ClusterId, KmsKey, Name, PolicyName, Region, Role, TargetName,
};
pub use parse::{MAX_BYTES, ParseError, parse, schema, short};
pub use tuning::{Concurrency, Probe, Retry, Runner, Timeouts};
pub use types::*;
pub use units::Seconds;
