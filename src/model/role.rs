//! Who may do what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who may do a step. Each role has a key of its own (docs/TRUST.md).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Scheduler,
    Copier,
    /// Reads a server by SQL and writes its dumps.
    Dumper,
    Driller,
    Prober,
    /// Deletes what is ours and expired.
    Janitor,
    Auditor,
    Restorer,
    /// Holds the key of the audit log.
    Logger,
}

impl Role {
    pub const ALL: [Role; 9] = [
        Role::Scheduler,
        Role::Copier,
        Role::Dumper,
        Role::Driller,
        Role::Prober,
        Role::Janitor,
        Role::Auditor,
        Role::Restorer,
        Role::Logger,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Scheduler => "scheduler",
            Role::Copier => "copier",
            Role::Dumper => "dumper",
            Role::Driller => "driller",
            Role::Prober => "prober",
            Role::Janitor => "janitor",
            Role::Auditor => "auditor",
            Role::Restorer => "restorer",
            Role::Logger => "logger",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Role::ALL
            .into_iter()
            .find(|r| r.as_str() == text)
            .ok_or_else(|| {
                let all: Vec<_> = Role::ALL.iter().map(|r| r.as_str()).collect();
                format!("no role `{text}`; roles are {}", all.join(", "))
            })
    }
}
