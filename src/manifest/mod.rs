//! What is stored about copies: recovery points, per-target copies, object lists, dumps, proofs. Types and their bytes; pure.
//!
//! Every document has a `schema` field with its version; docs/formats/ describes each, tests/formats/ holds a golden file of each.

mod digest;
mod list;
mod point;
mod proof;

pub use digest::{Sha256Hex, TableDigest, sha256_hex};
pub use list::{HashedBy, ListRow, RowKind, Stored, StoredRow, read_rows, stored_key, write_rows};
pub use point::{
    CapturedBucket, CapturedCluster, Copy, HeartbeatColumn, NativeCopy, NativeState, Point, PointTarget, Vault, VaultId, Verified,
};
pub use proof::{Check, CheckResult, ChunkRow, Dump, Measured, Proof, Section, TableRow};

use serde::{Serialize, de::DeserializeOwned};

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

/// A stored document with its schema name.
pub trait Document: Serialize + DeserializeOwned {
    const SCHEMA: &'static str;

    /// Pretty JSON with the schema first: an auditor reads it with `jq` or without.
    fn to_bytes(&self) -> Vec<u8> {
        let mut whole = serde_json::Map::new();
        whole.insert("schema".into(), Self::SCHEMA.into());
        if let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(self) {
            whole.extend(fields);
        }
        let mut bytes = serde_json::to_vec_pretty(&whole).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// # Errors
    /// Not JSON, another schema, or fields missing.
    fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let json = |source| FormatError::Json {
            wanted: Self::SCHEMA,
            source,
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
