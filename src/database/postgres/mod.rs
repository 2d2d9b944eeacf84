//! PostgreSQL connections. The only room that imports the driver.

mod catalog;
mod connect;
mod copy;
mod lex;
mod program;
mod text;

pub use catalog::{SequencesBehind, Table};
pub use connect::{Address, Connection, PgError, Secret};
pub use copy::{CopyInto, Lines};
pub use lex::{Kind, Piece, pieces};
pub use program::schema_section;
pub use text::{ident, literal, qualified};
