//! Keys of everything in a vault, made and read in one place (DESIGN: the vault).

use crate::journal::entry_name;
use crate::model::{
    Method, ObjectKey, PolicyName, RunId, Sha256, Slot, SourceId, SourceVersion, TargetName,
};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use std::fmt;
use std::str::FromStr;

/// S3's limit.
const MAX_KEY_BYTES: usize = 1024;

/// What cannot stand in one segment of a key as it is.
const SEGMENT: &AsciiSet = &CONTROLS.add(b'/').add(b'\\').add(b'%');

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
    /// `proofs/<policy>/<slot>/<run>/<source>/<method>/<target>.json`
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
    /// `manifests/<policy>/<slot>/<target>.jsonl.zst`
    Manifest {
        policy: PolicyName,
        slot: Slot,
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
    /// or
    /// that a store may rewrite.
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
    /// `copies/<target>.json`
    Copy(TargetName),
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
    /// Digests read at the source.
    Reference,
    /// What makes a cluster production.
    Shape,
    /// A bucket's configuration.
    Bucket,
}

impl SourceDocument {
    const ALL: [Self; 3] = [Self::Reference, Self::Shape, Self::Bucket];

    fn as_str(self) -> &'static str {
        match self {
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
    pub target: TargetName,
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

    /// What kind of thing a key names; `None`: nothing that this program puts there.
    pub fn parse(text: &str) -> Option<Self> {
        let (folder, rest) = match text {
            "vault.json" => return Some(Key::Vault),
            _ => text.split_once('/')?,
        };
        let parts: Vec<&str> = rest.split('/').collect();
        match (folder, &parts[..]) {
            ("policies", [name]) => sha256(name.strip_suffix(".yaml")?).map(Key::Policy),
            ("targets", [target, probe]) => {
                let at = probe.strip_prefix("probe-")?.strip_suffix(".json")?;
                let (target, at) = (TargetName::new(word(target)?), Slot::parse(at).ok()?);
                Some(Key::ProbeRecord { target, at })
            }
            ("runs", [policy, run, seq]) => {
                let seq = seq.parse().ok().filter(|n| entry_name(*n) == *seq)?;
                let (policy, run) = (PolicyName::new(word(policy)?), RunId::parse(run).ok()?);
                Some(Key::Entry { policy, run, seq })
            }
            ("points", [policy, slot, document @ ..]) => Some(Key::Point {
                policy: PolicyName::new(word(policy)?),
                slot: Slot::parse(slot).ok()?,
                document: PointDocument::parse(document)?,
            }),
            ("proofs", [policy, slot, run, source, method, target]) => Some(Key::Proof {
                policy: PolicyName::new(word(policy)?),
                slot: Slot::parse(slot).ok()?,
                run: RunId::parse(run).ok()?,
                of: ProofOf {
                    source: SourceId::new(word(source)?),
                    method: Method::from_str(method).ok()?,
                    target: json_of(target)?,
                },
            }),
            ("manifests", [policy, slot, rest @ ..]) => {
                let (policy, slot) = (PolicyName::new(word(policy)?), Slot::parse(slot).ok()?);
                match rest {
                    [source, "list.jsonl.zst"] => {
                        let source = SourceId::new(word(source)?);
                        Some(Key::List {
                            policy,
                            slot,
                            source,
                        })
                    }
                    [target] => {
                        let target = TargetName::new(word(target.strip_suffix(".jsonl.zst")?)?);
                        Some(Key::Manifest {
                            policy,
                            slot,
                            target,
                        })
                    }
                    _ => None,
                }
            }
            ("dump", [policy, source, slot, run, name @ ..]) if !name.is_empty() => {
                Some(Key::DumpFile {
                    policy: PolicyName::new(word(policy)?),
                    source: SourceId::new(word(source)?),
                    slot: Slot::parse(slot).ok()?,
                    run: RunId::parse(run).ok()?,
                    name: name.join("/"),
                })
            }
            ("objects", [policy, source, key @ .., version]) if !key.is_empty() => {
                Some(Key::Object {
                    policy: PolicyName::new(word(policy)?),
                    source: SourceId::new(word(source)?),
                    key: ObjectKey::new(key.join("/")),
                    version: decoded(version)?,
                })
            }
            ("objects-long", [policy, source, key, version]) => Some(Key::LongObject {
                policy: PolicyName::new(word(policy)?),
                source: SourceId::new(word(source)?),
                key: sha256(key)?,
                version: decoded(version)?,
            }),
            ("probe", _) => Some(Key::Probe(rest.to_owned())),
            ("audit", _) => Some(Key::Audit(rest.to_owned())),
            _ => None,
        }
    }
}

impl PointDocument {
    fn parse(parts: &[&str]) -> Option<Self> {
        match parts {
            ["point.json"] => Some(Self::Point),
            ["copies", target] => json_of(target).map(Self::Copy),
            ["sources", source, what] => {
                let what = what.strip_suffix(".json")?;
                let what = SourceDocument::ALL
                    .into_iter()
                    .find(|w| w.as_str() == what)?;
                Some(Self::Source {
                    source: SourceId::new(word(source)?),
                    what,
                })
            }
            ["dumps", run, source, database, target] => Some(Self::Dump {
                run: RunId::parse(run).ok()?,
                source: SourceId::new(word(source)?),
                database: decoded(word(database)?)?,
                target: json_of(target)?,
            }),
            ["expired", target, run] => Some(Self::Expired {
                target: TargetName::new(word(target)?),
                run: RunId::parse(run.strip_suffix(".json")?).ok()?,
            }),
            _ => None,
        }
    }
}

/// Keys that a store may rewrite (CASES B14): empty, `.` or `..` segments, a backslash, control
/// characters; those go by their hash.
fn stays_as_it_is(key: &str) -> bool {
    !key.chars().any(|c| c.is_control() || c == '\\')
        && key
            .split('/')
            .all(|s| !s.is_empty() && s != "." && s != "..")
}

fn word(text: &str) -> Option<&str> {
    (!text.is_empty() && text != "." && text != "..").then_some(text)
}

fn json_of(text: &str) -> Option<TargetName> {
    Some(TargetName::new(word(text.strip_suffix(".json")?)?))
}

fn sha256(text: &str) -> Option<Sha256> {
    let hex = text.len() == 64
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    hex.then(|| Sha256(text.to_owned()))
}

fn encoded(text: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(text, SEGMENT)
}

fn decoded(text: &str) -> Option<String> {
    let plain = percent_decode_str(text).decode_utf8().ok()?.into_owned();
    (encoded(&plain).to_string() == text && !plain.is_empty()).then_some(plain)
}

impl fmt::Display for PointDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point => f.write_str("point.json"),
            Self::Copy(target) => write!(f, "copies/{target}.json"),
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
                let ProofOf {
                    source,
                    method,
                    target,
                } = of;
                write!(
                    f,
                    "proofs/{policy}/{slot}/{run}/{source}/{method}/{target}.json"
                )
            }
            Key::List {
                policy,
                slot,
                source,
            } => {
                write!(f, "manifests/{policy}/{slot}/{source}/list.jsonl.zst")
            }
            Key::Manifest {
                policy,
                slot,
                target,
            } => {
                write!(f, "manifests/{policy}/{slot}/{target}.jsonl.zst")
            }
            Key::Object {
                policy,
                source,
                key,
                version,
            } => {
                write!(f, "objects/{policy}/{source}/{key}/{}", encoded(version))
            }
            Key::LongObject {
                policy,
                source,
                key,
                version,
            } => {
                write!(
                    f,
                    "objects-long/{policy}/{source}/{key}/{}",
                    encoded(version)
                )
            }
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

/// What keys begin with, for listings.
pub mod folder {
    use super::{PolicyName, RunId, Slot, SourceId, TargetName};

    pub const POINTS: &str = "points/";
    pub const PROBE: &str = "probe/";

    pub fn probes(target: &TargetName) -> String {
        format!("targets/{target}/")
    }
    pub fn runs(policy: &PolicyName) -> String {
        format!("runs/{policy}/")
    }
    pub fn run(policy: &PolicyName, run: &RunId) -> String {
        format!("runs/{policy}/{run}/")
    }
    pub fn points(policy: &PolicyName) -> String {
        format!("points/{policy}/")
    }
    pub fn point(policy: &PolicyName, slot: Slot) -> String {
        format!("points/{policy}/{slot}/")
    }
    pub fn proofs(policy: &PolicyName) -> String {
        format!("proofs/{policy}/")
    }
    pub fn proofs_of(policy: &PolicyName, slot: Slot) -> String {
        format!("proofs/{policy}/{slot}/")
    }
    pub fn manifests(policy: &PolicyName) -> String {
        format!("manifests/{policy}/")
    }
    pub fn manifests_of(policy: &PolicyName, slot: Slot) -> String {
        format!("manifests/{policy}/{slot}/")
    }
    pub fn dumps(policy: &PolicyName, source: &SourceId, slot: Slot) -> String {
        format!("dump/{policy}/{source}/{slot}/")
    }
    pub fn objects(policy: &PolicyName) -> [String; 2] {
        [
            format!("objects/{policy}/"),
            format!("objects-long/{policy}/"),
        ]
    }
    pub fn dump(policy: &PolicyName, source: &SourceId, slot: Slot, run: &RunId) -> String {
        format!("dump/{policy}/{source}/{slot}/{run}/")
    }
}

#[cfg(test)]
mod tests;
