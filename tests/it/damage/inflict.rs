//! One kind of damage at one place of one target.

use crate::cloud::Cloud;
use crate::stores::block_on;
use bytes::Bytes;
use dr::aws::s3::{Listed, PutOptions};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    DeleteMarker,
    NewerVersion,
    FlippedByte,
    Truncation,
    Missing,
    ForeignObject,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    JournalEntry,
    Point,
    Manifest,
    PolicyCopy,
    DataObject,
    DumpChunk,
    Proof,
    Snapshot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    Central,
    Other,
}

impl Damage {
    pub const ALL: [Damage; 6] = [
        Damage::DeleteMarker,
        Damage::NewerVersion,
        Damage::FlippedByte,
        Damage::Truncation,
        Damage::Missing,
        Damage::ForeignObject,
    ];
}

impl Place {
    pub const ALL: [Place; 8] = [
        Place::JournalEntry,
        Place::Point,
        Place::Manifest,
        Place::PolicyCopy,
        Place::DataObject,
        Place::DumpChunk,
        Place::Proof,
        Place::Snapshot,
    ];

    /// Where the things of this place lie.
    fn prefix(self) -> &'static str {
        match self {
            Place::JournalEntry => "runs/shop/backup-",
            Place::Point => "points/shop/",
            Place::Proof => "proofs/shop/",
            Place::Manifest => "manifests/shop/",
            Place::PolicyCopy => "policies/",
            Place::DataObject => "objects/",
            Place::DumpChunk => "dump/shop/",
            Place::Snapshot => "",
        }
    }

    fn is(self, key: &str, target: Target) -> bool {
        match self {
            // One in the middle: the last one, when it is gone, is an entry that was never written.
            Place::JournalEntry => key.ends_with("/00000003"),
            Place::Point => key.ends_with("/point.json"),
            Place::Manifest => key.ends_with(&format!("/{}.jsonl.zst", target.name())),
            Place::Proof => key.ends_with(&format!("/files/{}.json", target.name())),
            Place::DumpChunk => key.contains("app.orders") || key.contains("orders-"),
            Place::PolicyCopy | Place::DataObject => true,
            Place::Snapshot => false,
        }
    }

    /// A key beside the thing that no run writes.
    fn foreign(self, key: &str) -> String {
        let folder = key.rsplit_once('/').map_or("", |(f, _)| f);
        match self {
            Place::JournalEntry => format!("{folder}/00000002-again"),
            Place::Point => format!("{folder}/point-2.json"),
            Place::Manifest => format!("{folder}/elsewhere.jsonl.zst"),
            Place::PolicyCopy => format!("policies/{}.yaml", "0".repeat(64)),
            Place::DataObject => format!("{folder}/planted"),
            Place::DumpChunk => format!("{folder}/999999999999.copy.zst"),
            Place::Proof => key.replace("/files/", "/files/moon-"),
            Place::Snapshot => String::new(),
        }
    }
}

impl Target {
    pub const ALL: [Target; 2] = [Target::Central, Target::Other];

    pub fn name(self) -> &'static str {
        match self {
            Target::Central => "central",
            Target::Other => "other",
        }
    }

    /// The other one.
    pub fn sibling(self) -> Self {
        match self {
            Target::Central => Target::Other,
            Target::Other => Target::Central,
        }
    }

    pub fn region(self) -> &'static str {
        match self {
            Target::Central => "eu-central-1",
            Target::Other => "other",
        }
    }

    pub fn bucket(self) -> &'static str {
        match self {
            Target::Central => "dr-vault-central",
            Target::Other => "dr-vault-other",
        }
    }

    fn admin(self) -> &'static str {
        match self {
            Target::Central => "admin",
            Target::Other => "other-admin",
        }
    }
}

/// What was harmed: its key (a snapshot's ARN), and the version that must be named, where it has
/// one.
#[derive(Clone, Debug)]
pub struct Harmed {
    pub key: String,
    pub version: Option<String>,
}

pub fn versions(cloud: &Cloud, target: Target, prefix: &str) -> Vec<Listed> {
    block_on(async {
        cloud
            .bucket(target.admin(), target.region(), target.bucket())
            .await
            .versions(prefix, 10_000)
            .await
            .expect("listed")
    })
}

pub fn inflict(cloud: &Cloud, damage: Damage, place: Place, target: Target) -> Harmed {
    if place == Place::Snapshot {
        return harm_snapshot(cloud, damage);
    }
    let mut rows = versions(cloud, target, place.prefix());
    if place == Place::PolicyCopy {
        // Of the point; the vault was made under another one.
        let text = std::fs::read(cloud.root.join("lab/drill.yaml")).expect("the policy");
        let key = format!("policies/{}.yaml", dr::model::Sha256::of(&text));
        rows.retain(|r| r.key == key);
    }
    let row = rows
        .iter()
        .find(|r| place.is(&r.key, target) && r.size_bytes > 10)
        .unwrap_or_else(|| {
            panic!(
                "no {place:?} at {target:?} among {:?}",
                rows.iter().map(|r| &r.key).collect::<Vec<_>>()
            )
        });
    harm(cloud, damage, (place, target), row)
}

/// An entry in the middle of the first run of a kind; its key.
pub fn harm_run(cloud: &Cloud, damage: Damage, kind: &str) -> String {
    let target = Target::Central;
    let rows = versions(cloud, target, &format!("runs/shop/{kind}-"));
    let row = rows.iter().find(|r| r.key.ends_with("/00000001"));
    let row = row.unwrap_or_else(|| panic!("no run of {kind}"));
    harm(cloud, damage, (Place::JournalEntry, target), row).key
}

fn harm(cloud: &Cloud, damage: Damage, (place, target): (Place, Target), row: &Listed) -> Harmed {
    let behind = |how: &str| {
        let done = cloud.tell(
            "/damage",
            &json!({"region": target.region(),
        "bucket": target.bucket(), "key": row.key, "version": row.version, "how": how}),
        );
        assert_eq!(done["version"], json!(row.version));
        row.version.clone()
    };
    let put = |key: &str| {
        block_on(async {
            cloud
                .bucket(target.admin(), target.region(), target.bucket())
                .await
                .put(
                    key,
                    Bytes::from_static(b"not what you think\n"),
                    &PutOptions::default(),
                )
                .await
                .expect("put")
                .version
        })
    };
    match damage {
        Damage::DeleteMarker => Harmed {
            key: row.key.clone(),
            version: Some(hide(cloud, target, &row.key)),
        },
        Damage::NewerVersion => Harmed {
            key: row.key.clone(),
            version: put(&row.key),
        },
        Damage::FlippedByte => Harmed {
            key: row.key.clone(),
            version: Some(behind("flip")),
        },
        Damage::Truncation => Harmed {
            key: row.key.clone(),
            version: Some(behind("truncate")),
        },
        // Documents are known by their names: nothing says which version is gone. Data is known by
        // its version.
        Damage::Missing => {
            let version = behind("remove");
            Harmed {
                key: row.key.clone(),
                version: matches!(
                    place,
                    Place::Manifest | Place::DataObject | Place::DumpChunk
                )
                .then_some(version),
            }
        }
        Damage::ForeignObject => {
            let key = place.foreign(&row.key);
            let version = put(&key);
            Harmed { key, version }
        }
    }
}

/// A plain DELETE: no lock refuses it, and it hides what is there.
fn hide(cloud: &Cloud, target: Target, key: &str) -> String {
    let client = cloud.s3("admin", target.region());
    let answer = block_on(async {
        client
            .delete_object()
            .bucket(target.bucket())
            .key(key)
            .send()
            .await
            .expect("a delete marker")
    });
    answer.version_id().expect("its version").to_owned()
}

/// The copy is deleted, or another one of its name takes its place.
fn harm_snapshot(cloud: &Cloud, damage: Damage) -> Harmed {
    let rds = cloud.rds("admin", "eu-central-1");
    let file = std::fs::read(cloud.root.join("lab/rds/state.json")).expect("the lab's state");
    let state: Value = serde_json::from_slice(&file).expect("JSON");
    let all = state["regions"]["eu-central-1"]["snapshots"]
        .as_object()
        .expect("snapshots");
    let id = all
        .keys()
        .find(|k| k.starts_with("dr-"))
        .expect("a snapshot copy")
        .clone();
    let arn = format!("arn:aws:rds:eu-central-1:222222222222:cluster-snapshot:{id}");
    block_on(async {
        match damage {
            Damage::Missing => drop(
                rds.delete_db_cluster_snapshot()
                    .db_cluster_snapshot_identifier(&id)
                    .send()
                    .await
                    .expect("deleted"),
            ),
            Damage::ForeignObject => {
                let tag = aws_sdk_rds::types::Tag::builder()
                    .key("dr:run")
                    .value("backup-of-somebody")
                    .build();
                drop(
                    rds.add_tags_to_resource()
                        .resource_name(&arn)
                        .tags(tag)
                        .send()
                        .await
                        .expect("tagged"),
                );
            }
            other => panic!("a snapshot has no {other:?}"),
        }
    });
    Harmed {
        key: arn,
        version: None,
    }
}
