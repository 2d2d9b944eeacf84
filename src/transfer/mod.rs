//! The copy engine: one source version to one vault key, server-side or streamed, hashed in one
//! pass.

mod by_store;
mod in_flight;
mod object;
mod once;

pub use by_store::one_credential;
pub use object::{Copied, CopyTask, SERVER_SIDE_MAX_BYTES, TagsSeen, copy_object};
pub use once::{Content, Sent, complete_once, digest, hold, put_once};
