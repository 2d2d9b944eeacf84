//! Databases: today PostgreSQL alone.

mod postgres;

pub use postgres::*;
