//! Databases: what they are asked, whatever their kind, and the kinds: today PostgreSQL alone.

mod address;
mod answers;
mod comparable;
mod error;
mod found;
mod kind;
mod logins;
mod postgres;
mod quote;
mod structure;

pub use address::{Address, Secret};
pub use answers::{Answers, Each};
pub use comparable::Comparable;
pub use error::DatabaseError;
pub use found::{
    AsFound, Begun, Control, Damage, Destination, Difference, Dropped, Holds, Keep, LeftOut, Pages,
    RangedRows, Refused, Rows, SchemaAsFound, SchemaError, SchemaPart, Seen, SequencesBehind,
    Table, Takes, Undone, Watch, Which,
};
pub use kind::{Database, RowsIn, RowsOut};
pub use logins::Logins;
pub use postgres::{DumpProgram, Postgres};
pub use quote::literal;
pub use structure::{Sample, Structure};
