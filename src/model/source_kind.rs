//! Kinds of things that are protected.

use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// An Aurora PostgreSQL cluster.
    Aurora,
    /// A PostgreSQL server by its address.
    Postgres,
    Bucket,
}

impl SourceKind {
    /// As a policy writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            SourceKind::Aurora => "aurora",
            SourceKind::Postgres => "postgres",
            SourceKind::Bucket => "bucket",
        }
    }
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
