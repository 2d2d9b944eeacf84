//! RDS: the query API's operations over clusters that are real servers and snapshots that are real
//! bytes.
//!
//! `state` knows what exists and what follows from it, `engine` has the effects, and the operations
//! between them first
//! change the state (kept on disk), then start the work, which reports back into the state.

pub mod allow;
mod clusters;
pub mod engine;
pub mod fault;
mod folders;
mod instances;
mod listing;
mod new_clusters;
mod params;
mod production;
mod service;
mod shared;
mod sharing;
mod snapshot_copies;
mod snapshots;
pub mod state;
mod tagging;
mod work;
mod xml;

pub use production::Production;
pub use service::RdsRegion;
pub use shared::{Durations, ENGINE, Rds, Surroundings};
pub use work::Leftovers;
