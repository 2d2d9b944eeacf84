//! Keys of everything in a vault, made and read in one place (DESIGN: the vault).

pub mod folder;
mod parse;
mod segment;
mod write;

use crate::manifest::Proof;
use crate::model::{
    Method, Name, ObjectKey, PolicyName, RunId, Sha256, Slot, SourceId, SourceVersion, TargetName,
};

/// S3's limit.
const MAX_KEY_BYTES: usize = 1024;

/// One thing in a vault: the kind of document, and the ids that tell it from others of its kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `vault.json`
    Vault,
    /// `policies/<sha256>.yaml`
    Policy(Sha256),
    /// `targets/<target>/probe-<time>.json`
    ProbeRecord { target: TargetName, at: Slot },
    /// `runs/<policy>/<run>/<seq>`
    Entry {
        policy: PolicyName,
        run: RunId,
        seq: u64,
    },
    /// A document of one recovery point.
    Point {
        policy: PolicyName,
        slot: Slot,
        document: PointDocument,
    },
    /// `proofs/<policy>/<slot>/<run>/<source>/<method>/<target>.json`, of a dump
    /// `…/<source>/dump/<database>/<target>.json`
    Proof {
        policy: PolicyName,
        slot: Slot,
        run: RunId,
        of: ProofOf,
    },
    /// `manifests/<policy>/<slot>/<source>/list.jsonl.zst`
    List {
        policy: PolicyName,
        slot: Slot,
        source: SourceId,
    },
    /// `manifests/<policy>/<slot>/<source>/targets/<target>.jsonl.zst`
    Manifest {
        policy: PolicyName,
        slot: Slot,
        source: SourceId,
        target: TargetName,
    },
    /// `objects/<policy>/<source>/<key>/<version>`: the source's version, as a plain object.
    Object {
        policy: PolicyName,
        source: SourceId,
        key: ObjectKey,
        version: String,
    },
    /// `objects-long/<policy>/<source>/<sha256 of the key>/<version>`: of a key that is too long,
    /// or that a store may rewrite.
    LongObject {
        policy: PolicyName,
        source: SourceId,
        key: Sha256,
        version: String,
    },
    /// `dump/<policy>/<source>/<slot>/<run>/…`
    DumpFile {
        policy: PolicyName,
        source: SourceId,
        slot: Slot,
        run: RunId,
        name: String,
    },
    /// `probe/…`: tried, and deleted again.
    Probe(String),
    /// `audit/…`
    Audit(String),
}

/// `points/<policy>/<slot>/…`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PointDocument {
    /// `point.json`
    Point,
    /// `sources/<source>/<what>.json`
    Source {
        source: SourceId,
        what: SourceDocument,
    },
    /// `copies/<source>/<target>.json`
    Copy {
        source: SourceId,
        target: TargetName,
    },
    /// `dumps/<run>/<source>/<database>/<target>.json`
    Dump {
        run: RunId,
        source: SourceId,
        database: String,
        target: TargetName,
    },
    /// `expired/<target>/<run>.json`
    Expired { target: TargetName, run: RunId },
}

/// What is told of a source beside its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceDocument {
    /// What was captured of it.
    Captured,
    /// What the source was read to hold before its snapshot was asked for.
    ReferenceBefore,
    /// What it held before and after.
    Reference,
    /// What makes a cluster production.
    Shape,
    /// A bucket's configuration.
    Bucket,
}

impl SourceDocument {
    const ALL: [Self; 5] = [
        Self::Captured,
        Self::ReferenceBefore,
        Self::Reference,
        Self::Shape,
        Self::Bucket,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Captured => "captured",
            Self::ReferenceBefore => "reference-before",
            Self::Reference => "reference",
            Self::Shape => "shape",
            Self::Bucket => "bucket",
        }
    }
}

/// What a proof speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProofOf {
    pub source: SourceId,
    pub method: Method,
    /// Of a dump.
    pub database: Option<Name>,
    pub target: TargetName,
}

impl ProofOf {
    pub fn of(proof: &Proof) -> Self {
        Self {
            source: proof.source.clone(),
            method: proof.method,
            database: proof.database.clone(),
            target: proof.target.clone(),
        }
    }
}

impl Key {
    pub fn point(policy: &PolicyName, slot: Slot, document: PointDocument) -> Self {
        Self::Point {
            policy: policy.clone(),
            slot,
            document,
        }
    }

    pub fn entry(policy: &PolicyName, run: &RunId, seq: u64) -> Self {
        Self::Entry {
            policy: policy.clone(),
            run: run.clone(),
            seq,
        }
    }

    /// Of a version in a source bucket.
    pub fn object(
        policy: &PolicyName,
        source: &SourceId,
        key: &ObjectKey,
        version: &SourceVersion,
    ) -> Self {
        let (policy, source, version) = (policy.clone(), source.clone(), version.segment());
        let plain = Self::Object {
            policy: policy.clone(),
            source: source.clone(),
            key: key.clone(),
            version: version.clone(),
        };
        if stays_as_it_is(key.as_str()) && plain.to_string().len() <= MAX_KEY_BYTES {
            return plain;
        }
        let key = Sha256::of(key.as_str().as_bytes());
        Self::LongObject {
            policy,
            source,
            key,
            version,
        }
    }
}

/// Keys that a store may rewrite: empty, `.` or `..` segments, a backslash, control characters;
/// those go by their hash.
fn stays_as_it_is(key: &str) -> bool {
    !key.chars().any(|c| c.is_control() || c == '\\')
        && key
            .split('/')
            .all(|s| !s.is_empty() && s != "." && s != "..")
}

#[cfg(test)]
mod tests;
