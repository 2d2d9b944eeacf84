//! What a verb does: takes a request, returns an answer with its findings, prints nothing.

pub mod drill;
pub mod log;
pub mod plan;
pub mod policy_check;
pub mod policy_file;
pub mod restore;
pub mod status;
pub mod tick;
pub mod vault;
pub mod vault_alone;
pub mod verify;

mod closing;
mod edited_policy;
mod joining;
mod known_runs;
mod links;
mod local_journal;
mod planning;
mod policy_copy;
mod run_told;
mod session;
mod sweep;

pub use policy_file::{Loaded, load};
pub use run_told::word;

use crate::steps::Progress;
use crate::world::World;

/// What every operation is given of its surroundings.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    pub world: &'a World,
    pub progress: &'a dyn Progress,
}
