//! A shop that never stands still: a database that one writer changes by a known law, and a bucket
//! of files beside it.
//!
//! Everything that operation n does is computable (`operation`), so what a restored database must
//! hold after its last
//! heartbeat n is known exactly (`model`).

mod chance;
pub mod database;
pub mod digest;
pub mod files;
mod hash_partition;
pub mod history;
pub mod line;
pub mod log;
pub mod model;
pub mod operation;
pub mod read;
mod rows;
pub mod running;
pub mod writer;

/// Of `dr_reader`, who reads the running database (roles.sql).
pub const READER_PASSWORD: &str = "reader-of-the-practice-cloud";

pub use digest::TableDigest;
pub use log::OperationsLog;
pub use model::Model;
pub use read::{Reading, digest_of_database};
pub use running::Workload;
