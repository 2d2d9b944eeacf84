//! Rows that name files: what a drill looks up in the copied bucket.

use crate::model::{Name, SourceId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rows that name files: a drill looks whether each of them is in the point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Its name in proofs; absent: the source that has the files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Name>,
    /// The source whose database is asked.
    pub source: SourceId,
    /// Which of its databases: absent where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<Name>,
    /// First a column of keys; then, if the rows know them, any of the columns `version_id`,
    /// `sha256` (hex or base64), `size_bytes` and `etag`. A key that is NULL names no file, another
    /// value that is NULL is not compared.
    pub sql: String,
    /// The source that has the files.
    #[serde(rename = "in")]
    pub files: SourceId,
    #[serde(default, skip_serializing_if = "Dangling::is_none")]
    pub dangling: Dangling,
}

/// The database is read at one instant and the bucket listed at a later one: between them a file
/// may be deleted, and one whose row is committed before it is put may not be there yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dangling {
    /// So many rows may name a file that a restore of the same point does not bring back. A file
    /// that is there with other bytes than its row says is never one of them.
    pub most: u64,
}

impl Dangling {
    fn is_none(&self) -> bool {
        self.most == 0
    }
}

impl Reference {
    /// As proofs call it.
    pub fn name(&self) -> &str {
        self.id.as_ref().map_or(self.files.as_str(), Name::as_str)
    }
}
