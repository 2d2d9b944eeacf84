//! Keys as their text.

use super::segment::encoded;
use super::{Key, PointDocument, ProofOf, folder};
use crate::journal::entry_name;
use std::fmt;

impl fmt::Display for PointDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point => f.write_str("point.json"),
            Self::Copy { source, target } => write!(f, "copies/{source}/{target}.json"),
            Self::Source { source, what } => write!(f, "sources/{source}/{}.json", what.as_str()),
            Self::Dump {
                run,
                source,
                database,
                target,
            } => {
                write!(
                    f,
                    "dumps/{run}/{source}/{}/{target}.json",
                    encoded(database)
                )
            }
            Self::Expired { target, run } => write!(f, "expired/{target}/{run}.json"),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Vault => f.write_str("vault.json"),
            Key::Policy(sha256) => write!(f, "policies/{sha256}.yaml"),
            Key::ProbeRecord { target, at } => write!(f, "targets/{target}/probe-{at}.json"),
            Key::Entry { policy, run, seq } => {
                write!(f, "runs/{policy}/{run}/{}", entry_name(*seq))
            }
            Key::Point {
                policy,
                slot,
                document,
            } => {
                write!(f, "points/{policy}/{slot}/{document}")
            }
            Key::Proof {
                policy,
                slot,
                run,
                of,
            } => {
                write!(f, "proofs/{policy}/{slot}/{run}/{of}.json")
            }
            Key::List {
                policy,
                slot,
                source,
            } => write!(
                f,
                "{}list.jsonl.zst",
                folder::manifests_of_source(policy, *slot, source)
            ),
            Key::Manifest {
                policy,
                slot,
                source,
                target,
            } => {
                let folder = folder::manifests_of_source(policy, *slot, source);
                write!(f, "{folder}targets/{target}.jsonl.zst")
            }
            Key::Object {
                policy,
                source,
                key,
                version,
            } => write!(f, "objects/{policy}/{source}/{key}/{}", encoded(version)),
            Key::LongObject {
                policy,
                source,
                key,
                version,
            } => write!(
                f,
                "objects-long/{policy}/{source}/{key}/{}",
                encoded(version)
            ),
            Key::DumpFile {
                policy,
                source,
                slot,
                run,
                name,
            } => {
                write!(f, "dump/{policy}/{source}/{slot}/{run}/{name}")
            }
            Key::Probe(rest) => write!(f, "probe/{rest}"),
            Key::Audit(rest) => write!(f, "audit/{rest}"),
        }
    }
}

impl fmt::Display for ProofOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (source, method, target) = (&self.source, self.method, &self.target);
        match &self.database {
            Some(database) => {
                let database = encoded(database.as_str());
                write!(f, "{source}/{method}/{database}/{target}")
            }
            None => write!(f, "{source}/{method}/{target}"),
        }
    }
}
