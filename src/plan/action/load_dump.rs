//! A dump, loaded into a database of the user's.

use crate::model::{ObjectKey, Sha256, Slot, SourceId, TargetName, VersionId};
use serde::{Deserialize, Serialize};

/// What becomes of a load of which the server refuses something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusals {
    /// All else is loaded, and what is not there is told.
    #[default]
    Told,
    /// The database stays closed and unfinished.
    End,
}

impl Refusals {
    fn told(&self) -> bool {
        *self == Self::Told
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadDump {
    pub source: SourceId,
    pub target: TargetName,
    pub dump_key: ObjectKey,
    pub dump_version: VersionId,
    pub host: String,
    pub port: u16,
    pub database: String,
    pub user: String,
    pub streams: u32,
    #[serde(default, skip_serializing_if = "Refusals::told")]
    pub refusals: Refusals,
}

impl LoadDump {
    /// What the database says of its load. Of what is loaded, not of how: `--strict` may be left
    /// out, or added, on the way.
    pub fn mark(&self, slot: Slot) -> String {
        let dump = format!("{} {}", self.dump_key, self.dump_version);
        let dump = Sha256::of(dump.as_bytes());
        format!("{slot} {} {}", &dump.0[..16], self.target)
    }
}
