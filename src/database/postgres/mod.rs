//! PostgreSQL. The only module that imports the driver and holds SQL: every question in the file of
//! its subject, `kind.rs` says which they are.

mod amcheck;
mod as_found;
mod beside;
mod builds;
mod catalog;
mod client;
mod condition;
mod connect;
mod control;
mod copy;
mod error;
mod facts;
mod joined;
mod kind;
mod large;
mod lex;
mod load;
mod platform;
mod ranged;
mod restored;
mod rights;
mod roles;
mod running;
mod same;
mod schema;
mod script;
mod second;
mod secrets;
mod secured;
mod sequences;
mod server;
mod session;
mod settings;
mod snapshot;
mod statements;
mod url;
mod writers;

pub use client::DumpProgram;
pub use connect::Postgres;
