//! What is on the lab's disk, in a form that two runs can be compared by.

use super::call::masked;
use crate::cloud::Cloud;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Fields whose values are a run's own: times, durations, ids that a store made up.
/// docs/formats/volatile.md has the list.
pub const VOLATILE: [&str; 24] = [
    "at",
    "before_at",
    "after_at",
    "horizon",
    "file",
    "opened_at",
    "deadline_at",
    "created",
    "retain_until",
    "retain_until_min",
    "snapshot_at",
    "listed_at",
    "heartbeat_at",
    "rto_s",
    "rpo_s",
    "snapshot_lag_s",
    "took_s",
    "version",
    "manifest_version",
    "manifest_sha256",
    "why",
    "dump",
    "run",
    "actor",
];

#[derive(Debug, Default)]
pub struct Stored {
    /// Key with its bucket, by kind: how often it is there.
    keys: BTreeMap<(String, &'static str), usize>,
    /// SHA-256 of data: objects and dump chunks. Equal in every version.
    data: BTreeMap<String, BTreeSet<String>>,
    /// Documents without what is a run's own.
    documents: BTreeMap<String, Value>,
    /// Snapshots and clusters, by region, without their tags' times.
    rds: BTreeMap<String, String>,
    failed_proofs: usize,
    /// What the buckets call themselves: a new vault's id is a run's own, and one for all of them.
    vaults: BTreeSet<String>,
    /// Records of probes, by their own names: how often.
    probes: BTreeMap<String, usize>,
    /// Entries of journals, by key: how often.
    journal: BTreeMap<String, usize>,
    pub left: String,
}

fn json_files(folder: &Path) -> Vec<Value> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let read = |path: std::path::PathBuf| {
        serde_json::from_slice(&std::fs::read(path).expect("readable")).expect("JSON")
    };
    entries
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .map(read)
        .collect()
}

/// A copy of a document without volatile fields.
fn stripped(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .filter(|(k, _)| !VOLATILE.contains(&k.as_str()))
                .map(|(k, v)| (k.clone(), stripped(v)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(stripped).collect()),
        other => other.clone(),
    }
}

impl Stored {
    /// What a lab holds when it has stopped; its directory is gone afterwards.
    pub fn after(cloud: Cloud) -> Self {
        let left = cloud.ask("/leftovers");
        let root = cloud.stop_and_keep();
        let stored = Self::read(&root.join("lab"), &left);
        drop(std::fs::remove_dir_all(&root));
        stored
    }

    /// Keys that end like this, in all buckets.
    pub fn count(&self, end: &str) -> usize {
        self.keys.keys().filter(|(k, _)| k.ends_with(end)).count()
    }

    pub fn rds_count(&self, start: &str) -> usize {
        self.rds.keys().filter(|k| k.starts_with(start)).count()
    }

    /// Versions beyond the first of each key; names of probes are masked, and there are several.
    pub fn duplicates(&self, start: &str) -> usize {
        self.keys
            .iter()
            .filter(|((k, _), _)| k.starts_with(start) && !k.contains("/targets/"))
            .map(|(_, n)| n - 1)
            .sum()
    }

    /// Entries that more than one runner wrote.
    pub fn doubled_entries(&self) -> Vec<String> {
        self.journal
            .iter()
            .filter(|(_, n)| **n > 1)
            .map(|(k, _)| k.clone())
            .collect()
    }

    fn read(lab: &Path, left: &Value) -> Self {
        let mut stored = Self {
            left: left.to_string(),
            ..Self::default()
        };
        for region in ["eu-west-3", "eu-central-1", "other"] {
            let buckets = lab.join("s3").join(region).join("buckets");
            for bucket in std::fs::read_dir(&buckets)
                .into_iter()
                .flatten()
                .map(|e| e.expect("an entry"))
            {
                stored.read_bucket(
                    &bucket.path(),
                    &format!("{region}/{}", bucket.file_name().to_string_lossy()),
                );
            }
        }
        stored.read_rds(&lab.join("rds/state.json"));
        stored
    }

    fn read_bucket(&mut self, folder: &Path, bucket: &str) {
        for version in json_files(&folder.join("versions")) {
            let key = version["key"].as_str().unwrap_or_default();
            if key.starts_with("runs/") {
                *self.journal.entry(format!("{bucket}/{key}")).or_default() += 1;
            }
            if key.starts_with("runs/") || key.starts_with("probe/") || key.starts_with("policies/")
            {
                continue;
            }
            if key.starts_with("targets/") {
                *self.probes.entry(format!("{bucket}/{key}")).or_default() += 1;
            }
            let name = format!("{bucket}/{}", masked(key));
            let kind = if version["marker"] == true {
                "marker"
            } else {
                "object"
            };
            *self.keys.entry((name.clone(), kind)).or_default() += 1;
            let bytes = std::fs::read(
                folder
                    .join("data")
                    .join(version["data"].as_str().unwrap_or_default()),
            )
            .unwrap_or_default();
            self.read_object(key, name, &bytes);
        }
    }

    fn read_object(&mut self, key: &str, name: String, bytes: &[u8]) {
        if key.ends_with(".json") {
            let mut document: Value = serde_json::from_slice(bytes).unwrap_or(Value::Null);
            if key == "vault.json" {
                let id = document.as_object_mut().and_then(|d| d.remove("id"));
                self.vaults.insert(id.unwrap_or_default().to_string());
            }
            self.failed_proofs +=
                usize::from(key.starts_with("proofs/") && document["passed"] == false);
            self.documents.insert(name, stripped(&document));
        } else if !key.starts_with("manifests/") {
            self.data
                .entry(name)
                .or_default()
                .insert(hex::encode(Sha256::digest(bytes)));
        }
    }

    fn read_rds(&mut self, file: &Path) {
        let state: Value =
            serde_json::from_slice(&std::fs::read(file).expect("the state")).expect("JSON");
        for (region, all) in state["regions"].as_object().into_iter().flatten() {
            for what in ["snapshots", "clusters", "instances"] {
                for (id, thing) in all[what].as_object().into_iter().flatten() {
                    let role = thing["tags"]["dr:role"].as_str().unwrap_or("none");
                    let ready = thing["making"]["done"].as_bool().unwrap_or(false);
                    self.rds.insert(
                        format!("{region} {what} {id}"),
                        format!("role {role}, ready {ready}"),
                    );
                }
            }
        }
    }

    /// What another run stored otherwise. A red drill may lack dumps, and then has proofs that say
    /// so.
    pub fn differences(&self, other: &Stored) -> Vec<String> {
        let red = other.failed_proofs > 0;
        let mut wrong = Vec::new();
        for (key, kind) in self.keys.keys().filter(|k| !other.keys.contains_key(*k)) {
            if !(red && (key.contains("/dump/") || key.contains("/dumps/"))) {
                wrong.push(format!("{kind} {key} is missing"));
            }
        }
        for ((key, kind), n) in &other.keys {
            let wanted = self.keys.get(&(key.clone(), kind)).copied().unwrap_or(0);
            // Where writes are not conditional, a second copy with equal bytes is tolerated.
            // Probes have a record each, named by its time: how many there are is a run's own, and
            // each is there once.
            let probes = key.contains("/targets/") && wanted > 0;
            let tolerated = probes
                || key.starts_with("other/")
                    && self
                        .data
                        .get(key)
                        .or(other.data.get(key))
                        .is_none_or(|d| d.len() == 1);
            if wanted == 0 || (*n != wanted && !tolerated) {
                wrong.push(format!(
                    "{kind} {key} is there {n} times, in the clean run {wanted}"
                ));
            }
        }
        let doubled = other
            .probes
            .iter()
            .filter(|(key, n)| **n > 1 && !key.starts_with("other/"));
        wrong.extend(doubled.map(|(key, n)| format!("{key} is there {n} times")));
        for (key, digests) in &other.data {
            if self.data.get(key).is_some_and(|d| d != digests) {
                wrong.push(format!("{key} holds other bytes"));
            }
        }
        for (key, document) in &other.documents {
            if !red && self.documents.get(key).is_some_and(|d| d != document) {
                wrong.push(format!(
                    "{key} says {document}, in the clean run {}",
                    self.documents[key]
                ));
            }
        }
        if other.vaults.len() > 1 {
            wrong.push(format!("one vault has the ids {:?}", other.vaults));
        }
        if self.rds != other.rds {
            wrong.push(format!(
                "RDS holds {:?}, after the clean run {:?}",
                other.rds, self.rds
            ));
        }
        if self.left != other.left {
            wrong.push(format!(
                "left over: {}, after the clean run {}",
                other.left, self.left
            ));
        }
        wrong
    }
}
