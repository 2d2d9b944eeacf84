//! The ways to restore.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A way to restore.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// The snapshot's copy in the second region.
    Snapshot,
    /// The logical dump, into any PostgreSQL.
    Dump,
    /// Files.
    Files,
}

impl Method {
    pub const ALL: [Method; 3] = [Method::Snapshot, Method::Dump, Method::Files];
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Snapshot => "snapshot",
            Method::Dump => "dump",
            Method::Files => "files",
        }
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Method {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Method::ALL
            .into_iter()
            .find(|m| m.as_str() == text)
            .ok_or_else(|| format!("no method `{text}`; methods are snapshot, dump and files"))
    }
}
