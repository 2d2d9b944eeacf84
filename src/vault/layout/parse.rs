//! What a key names, read from its text.

use super::segment::decoded;
use super::{Key, PointDocument, ProofOf, SourceDocument};
use crate::journal::entry_name;
use crate::model::{
    Method, Name, ObjectKey, PolicyName, RunId, Sha256, Slot, SourceId, TargetName,
};
use std::str::FromStr;

impl Key {
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
            ("proofs", [policy, slot, run, of @ ..]) => Some(Key::Proof {
                policy: PolicyName::new(word(policy)?),
                slot: Slot::parse(slot).ok()?,
                run: RunId::parse(run).ok()?,
                of: ProofOf::parse(of)?,
            }),
            ("manifests", [policy, slot, rest @ ..]) => manifest(policy, slot, rest),
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

/// `manifests/<policy>/<slot>/…`
fn manifest(policy: &str, slot: &str, rest: &[&str]) -> Option<Key> {
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
        [source, "targets", target] => {
            let source = SourceId::new(word(source)?);
            let target = TargetName::new(word(target.strip_suffix(".jsonl.zst")?)?);
            Some(Key::Manifest {
                policy,
                slot,
                source,
                target,
            })
        }
        _ => None,
    }
}

impl ProofOf {
    fn parse(parts: &[&str]) -> Option<Self> {
        let (source, method, database, target) = match parts {
            [source, method, target] => (source, method, None, target),
            [source, method, database, target] => (source, method, Some(database), target),
            _ => return None,
        };
        let database = database.map(|d| decoded(word(d)?));
        Some(Self {
            source: SourceId::new(word(source)?),
            method: Method::from_str(method).ok()?,
            database: match database {
                Some(decoded) => Some(Name::new(decoded?)),
                None => None,
            },
            target: json_of(target)?,
        })
    }
}

impl PointDocument {
    fn parse(parts: &[&str]) -> Option<Self> {
        match parts {
            ["point.json"] => Some(Self::Point),
            ["copies", source, target] => Some(Self::Copy {
                source: SourceId::new(word(source)?),
                target: json_of(target)?,
            }),
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
