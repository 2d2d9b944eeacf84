//! PostgreSQL connections. The only module that imports the driver.

mod catalog;
mod client;
mod condition;
mod connect;
mod copy;
mod error;
mod lex;
mod roles;
mod server;
mod text;

pub use catalog::{SequencesBehind, Table};
pub use client::DumpProgram;
pub use connect::{Address, Connection, Secret};
pub use copy::{CopyInto, Lines};
pub use error::PgError;
pub use lex::{Kind, Piece, pieces};
pub use roles::{Action, Difference, actions, by_hand, differences, platform};
pub use server::Dropped;
pub use text::{ident, literal, qualified};
