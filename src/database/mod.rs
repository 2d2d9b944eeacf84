//! Databases: today PostgreSQL alone.

mod logins;
mod postgres;

pub use logins::Logins;
pub use postgres::*;
