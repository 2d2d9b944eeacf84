//! Real PostgreSQL servers on loopback: what a cluster of the lab is made of.

pub mod error;
pub mod managed;
pub mod owner;
pub mod programs;
pub mod server;
pub mod session;
pub mod snapshot;
pub mod sockets;
pub mod sweep;
pub mod template;
pub mod tree;
pub mod watchdog;

pub use error::PgError;
pub use owner::Owner;
pub use programs::Programs;
pub use server::{Server, Spec};
