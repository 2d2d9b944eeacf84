//! What is stored about copies: recovery points, per-target copies, object lists, dumps, proofs.
//! Types and their bytes; pure.
//!
//! Every document has a `schema` field with its version; docs/formats/ describes each,
//! docs/formats/golden/ holds a file of each version.

mod captured;
mod copy;
mod database;
mod digest;
mod exception;
mod list;
mod point;
mod proof;
mod reference;
mod roles;

pub use captured::{
    Captured, CapturedBucket, CapturedCluster, CapturedServer, HeartbeatColumn, SnapshotCopy, What,
};
pub use copy::{Copy, DumpHeld, DumpsHeld, FilesHeld, Held, SnapshotState, Verified};
pub use database::{DatabaseFacts, DatabaseRight, DatabaseSetting};
pub use digest::TableDigest;
pub use exception::Exception;
pub use list::{HashedBy, ListRow, Row, RowKind, Stored, StoredRow, read_rows, write_rows};
pub use point::{Point, PointSource, PointTarget, Vault};
pub use proof::{
    Check, CheckResult, ChunkRow, Dump, Measured, Proof, Section, TableRow, UnreadRows,
};
pub use reference::{
    Catalogue, CatalogueReference, DatabaseReference, MAX_RANGES, RangePair, Reading, Reference,
    ReferenceBefore, SequenceAt, SequenceBetween, ServerReading, StatementCount, TableRead,
    TableReference, ranges_from_hex, ranges_to_hex,
};
pub use roles::{Membership, ParameterGrant, RoleRow, RoleSetting, Roles};

use crate::model::short;
use crate::report::{Code, Fail};
use serde::Serialize;
use serde::de::{DeserializeOwned, Error};

/// A stored document of ours larger than this was not written by us.
pub const MAX_DOCUMENT_BYTES: u64 = 64 << 20;

/// Why stored bytes are not the document that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    #[error("not valid JSON for {wanted}")]
    Json {
        wanted: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("its schema is `{found}`, this program reads `{wanted}`")]
    Version { found: String, wanted: &'static str },
    #[error("{0}")]
    Damaged(String),
}

impl FormatError {
    /// Another version is no damage: a newer program wrote it.
    pub fn code(&self) -> Code {
        match self {
            FormatError::Version { .. } => Code::FormatUnknown,
            FormatError::Json { .. } | FormatError::Damaged(_) => Code::Damaged,
        }
    }
}

impl From<FormatError> for Fail {
    fn from(e: FormatError) -> Self {
        Fail::caused(e.code(), e)
    }
}

/// A document as it is written.
#[derive(Serialize)]
pub struct Whole<'a, D: ?Sized> {
    schema: &'static str,
    #[serde(flatten)]
    body: &'a D,
}

/// A stored document with its schema name.
pub trait Document: Serialize + DeserializeOwned {
    const SCHEMA: &'static str;

    /// Pretty JSON with the schema first and fields in the order of their type: an auditor reads it
    /// with `jq` or without,
    /// and two builds of this program write the same bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(&self.whole())
            .expect("documents are text, numbers and lists of them");
        bytes.push(b'\n');
        bytes
    }

    /// The same on one line, without its newline.
    fn to_line(&self) -> Vec<u8> {
        serde_json::to_vec(&self.whole()).expect("documents are text, numbers and lists of them")
    }

    fn whole(&self) -> Whole<'_, Self> {
        Whole {
            schema: Self::SCHEMA,
            body: self,
        }
    }

    /// # Errors
    /// Not JSON, another schema, or fields missing.
    fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let json = |e: serde_json::Error| FormatError::Json {
            wanted: Self::SCHEMA,
            source: Error::custom(short(&e.to_string())),
        };
        let mut value: serde_json::Value = serde_json::from_slice(bytes).map_err(json)?;
        let schema = value.as_object_mut().and_then(|o| o.remove("schema"));
        let found = schema.as_ref().and_then(|s| s.as_str()).unwrap_or("none");
        if found != Self::SCHEMA {
            return Err(FormatError::Version {
                found: found.chars().take(60).collect(),
                wanted: Self::SCHEMA,
            });
        }
        serde_json::from_value(value).map_err(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, serde::Serialize, Debug, PartialEq)]
    struct Small {
        zebra: u8,
        ant: u8,
    }
    impl Document for Small {
        const SCHEMA: &'static str = "dr/small/1";
    }

    #[test]
    fn the_schema_comes_first_and_fields_keep_their_order() {
        let small = Small { zebra: 1, ant: 2 };
        assert_eq!(
            small.to_line(),
            br#"{"schema":"dr/small/1","zebra":1,"ant":2}"#
        );
        assert_eq!(Small::from_bytes(&small.to_bytes()).unwrap(), small);
    }

    #[test]
    fn another_version_is_stuck_and_damage_is_a_finding() {
        let version = Small::from_bytes(br#"{"schema":"dr/small/2"}"#).unwrap_err();
        let fail = Fail::from(version);
        assert_eq!(fail.code, Code::FormatUnknown);
        assert!(fail.to_string().contains("dr/small/2"), "{fail}");
        assert_eq!(
            Fail::from(FormatError::Damaged("x".into())).code,
            Code::Damaged
        );
    }

    #[test]
    fn another_version_is_named_and_told_from_damage() {
        let newer = Small::from_bytes(br#"{"schema":"dr/small/2","zebra":1}"#).unwrap_err();
        assert!(matches!(&newer, FormatError::Version { found,
            wanted: "dr/small/1" } if found == "dr/small/2"));
        assert!(matches!(
            Small::from_bytes(br#"{"schema":"dr/small/1"}"#),
            Err(FormatError::Json { .. })
        ));
    }
}
