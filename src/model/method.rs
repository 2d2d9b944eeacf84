//! The ways to restore, by name. What each can do is in the tables of the layers above.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A way to restore.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// A cluster out of its snapshot's copy in a second region.
    Snapshot,
    /// A logical dump, into any PostgreSQL.
    Dump,
    /// Plain objects, into any bucket.
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

    /// `snapshot, dump and files`
    pub fn listed() -> String {
        let names: Vec<&str> = Method::ALL.iter().map(|m| m.as_str()).collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
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
            .ok_or_else(|| format!("no method `{text}`; methods are {}", Method::listed()))
    }
}
