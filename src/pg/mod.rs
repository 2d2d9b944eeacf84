//! PostgreSQL connections. The only room that imports the driver.

mod connect;
mod copy;
mod text;

pub use connect::{Address, Connection, PgError, Secret};
pub use copy::{CopyInto, Lines};
pub use text::{ident, literal, qualified};
