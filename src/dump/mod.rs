//! The logical dump of a database: schema by `pg_dump` sections, rows by parallel COPY, zstd,
//! SHA-256 per chunk; and its restore.
//!
//! Streams go straight to the vault, with no file in between. Readable without this program: `zstd
//! -dc chunk | psql -c 'COPY …'`.

mod aside;
mod chunk;
mod compare;
mod facts;
mod fill;
mod load;
mod older;
mod queue;
mod reading;
mod roles;
mod rows;
mod section;
mod unread;
mod write;

pub use compare::{Compared, compare};
pub use load::{Loaded, load, standing};
pub use older::digest_older;
pub use reading::{ReadingInput, read_database};
pub use rows::{Digests, digest_database};
pub use section::{LoadInput, Scripts, facts_of, stored};
pub use write::{DumpInput, dump, readable};

use crate::aws;
use crate::database::{DatabaseError, SchemaError};
use crate::manifest::FormatError;
use crate::report::{Code, Fail};
use crate::vault::VaultError;

#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Format(#[from] FormatError),
    #[error("{0}")]
    Refused(String),
    /// The server took not all, and all was asked for.
    #[error(
        "the server refused {count} statements or tables, first {first}; with `--strict` the \
         database stays closed and unfinished: take away the cause and type the same command \
         again, or leave out `--strict`"
    )]
    NotAll { count: usize, first: String },
    /// There are tables, and the server gave the rows of none.
    #[error("of {count} tables none could be read, first {first}")]
    NoRows { count: usize, first: String },
    /// The server is older than that of the dump.
    #[error("{0}")]
    Older(String),
    /// No program here can read the server.
    #[error("{0}")]
    Client(String),
    /// The dump lacks what it must have.
    #[error("the dump has no section {0}")]
    Incomplete(&'static str),
    /// Stored bytes are not what the dump says; names key and version.
    #[error("{key} version {version}: {why}")]
    Damaged {
        key: String,
        version: String,
        why: String,
    },
    #[error("{0}: compression failed")]
    Compression(String, #[source] std::io::Error),
    /// A thread of ours ended in the middle.
    #[error("work beside the reading of rows ended in the middle")]
    Aside,
}

impl From<aws::Error> for DumpError {
    fn from(e: aws::Error) -> Self {
        DumpError::Vault(e.into())
    }
}

impl From<SchemaError> for DumpError {
    fn from(e: SchemaError) -> Self {
        match e {
            SchemaError::NoReader(why) => DumpError::Client(why),
            SchemaError::Database(e) => DumpError::Database(e),
        }
    }
}

impl From<DumpError> for Fail {
    fn from(e: DumpError) -> Self {
        match e {
            DumpError::Database(e) => e.into(),
            DumpError::Vault(e) => e.into(),
            DumpError::Format(e) => e.into(),
            DumpError::Refused(why) => Fail::new(Code::DatabaseNotEmpty, why),
            DumpError::NotAll { .. } | DumpError::NoRows { .. } => {
                Fail::new(Code::DatabaseRefused, e.to_string())
            }
            DumpError::Older(why) => Fail::new(Code::DatabaseRefused, why),
            DumpError::Client(why) => Fail::new(Code::ClientTooOld, why),
            DumpError::Aside => Fail::bug(e.to_string()),
            DumpError::Incomplete(_) | DumpError::Damaged { .. } | DumpError::Compression(..) => {
                Fail::caused(Code::DumpDamaged, e)
            }
        }
    }
}
