//! A database beside what is in it, as the catalogues hold it.

use super::Document;
use serde::{Deserialize, Serialize};

/// `dump/<policy>/<slot>/<drill run>/database.json.zst`: what belongs to a database and to no
/// schema of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseFacts {
    pub encoding: String,
    pub collate: String,
    pub ctype: String,
    /// `libc`, `icu` or `builtin`.
    pub provider: String,
    /// Of a provider that is not `libc`.
    pub locale: Option<String>,
    pub owner: String,
    /// -1: none.
    pub connection_limit: i64,
    pub comment: Option<String>,
    pub settings: Vec<DatabaseSetting>,
    /// `None`: as every new one has it.
    pub rights: Option<Vec<DatabaseRight>>,
}

impl Document for DatabaseFacts {
    const SCHEMA: &'static str = "dr/database/1";
}

/// `ALTER DATABASE … SET`, or `ALTER ROLE … IN DATABASE … SET`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseSetting {
    /// `None`: whoever enters.
    pub role: Option<String>,
    pub name: String,
    /// Byte for byte as it is stored: of a list, the list with its quotes.
    pub value: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseRight {
    /// `None`: everybody.
    pub role: Option<String>,
    pub privilege: String,
    pub grantable: bool,
}
