//! Each role's key against everything, allowed or not: what a stolen key can do. docs/TRUST.md
//! holds the table that this
//! test makes; `UPDATE=1` writes it.

use crate::cloud::Cloud;
use crate::crash::stage::{Stage, Template};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{ObjectLockRetention, ObjectLockRetentionMode};
use dr::world::World;
use serde_json::json;
use std::fmt::Write;

pub const ROLES: [&str; 7] = [
    "scheduler",
    "copier",
    "driller",
    "prober",
    "restorer",
    "auditor",
    "dumper",
];
pub const VAULT: &str = "dr-vault-central";

/// One thing to try, and which roles may: one letter each, in the order of `ROLES` (`+` may, `-`
/// may not).
struct Try {
    what: &'static str,
    may: &'static str,
    call: Call,
}

#[derive(Clone, Copy)]
enum Call {
    Read(&'static str),
    Create(&'static str),
    /// Without a condition, over what is there.
    Replace(&'static str),
    Delete(&'static str),
    Marker(&'static str),
    Shorten(&'static str),
    Bypass(&'static str),
    Extend(&'static str),
    Unlock(&'static str),
    Hold(&'static str),
    List,
    BucketPolicy,
    Lifecycle,
    LockConfiguration,
    DeleteBucket,
    ReadSource,
    WriteSource,
    DeleteSource,
    Rds(&'static str),
}

const fn t(what: &'static str, may: &'static str, call: Call) -> Try {
    Try { what, may, call }
}

/// Keys are by their first part; the test finds one that is there.
const TRIES: [Try; 53] = [
    t(
        "read the vault's document",
        "+++++++",
        Call::Read("vault.json"),
    ),
    t("read a policy copy", "+++++++", Call::Read("policies/")),
    t("read a journal entry", "+++++++", Call::Read("runs/")),
    t("read a recovery point", "+++++++", Call::Read("points/")),
    t("read a probe's record", "+++++++", Call::Read("targets/")),
    t("read a data object", "-++-++-", Call::Read("objects/")),
    t("read a dump chunk", "-++-+++", Call::Read("dump/")),
    t("list the vault", "+++++++", Call::List),
    t(
        "create a backup's entry",
        "++----+",
        Call::Create("runs/shop/backup-20990101T000000Z/00000000"),
    ),
    t(
        "create a drill's entry",
        "--++---",
        Call::Create("runs/shop/drill-20990101T000000Z/00000000"),
    ),
    t(
        "create a sweep's entry",
        "--+----",
        Call::Create("runs/shop/sweep-20990101T000000Z-1a2b3c4d/00000000"),
    ),
    t(
        "create a restore's entry",
        "----+--",
        Call::Create("runs/shop/restore-20990101T000000Z/00000000"),
    ),
    t(
        "create a probe's entry",
        "---+---",
        Call::Create("runs/shop/probe-20990101T000000Z-1a2b3c4d/00000000"),
    ),
    t(
        "create the entry of a policy's run",
        "++++--+",
        Call::Create("runs/shop/policy-20990101T000000Z-1a2b3c4d/00000000"),
    ),
    t(
        "create a verification's entry",
        "-----+-",
        Call::Create("runs/shop/verify-20990101T000000Z-1a2b3c4d/00000000"),
    ),
    t(
        "create the entry of a vault's making",
        "-------",
        Call::Create("runs/shop/init-20990101T000000Z-1a2b3c4d/00000000"),
    ),
    t(
        "create a policy copy",
        "+++++-+",
        Call::Create("policies/ff.yaml"),
    ),
    t(
        "create a point",
        "-+-----",
        Call::Create("points/shop/20990101T000000Z/point.json"),
    ),
    t(
        "create a copy's document",
        "-+-----",
        Call::Create("points/shop/20990101T000000Z/copies/files/central.json"),
    ),
    t(
        "create the document of a drill's dump",
        "--+----",
        Call::Create(
            "points/shop/20990101T000000Z/dumps/drill-20990101T000000Z/shop/shop/central.json",
        ),
    ),
    t(
        "create the document of a server's dump",
        "------+",
        Call::Create(
            "points/shop/20990101T000000Z/dumps/backup-20990101T000000Z/shop/shop/central.json",
        ),
    ),
    t(
        "create a proof",
        "--+----",
        Call::Create("proofs/shop/20990101T000000Z/drill-20990101T000000Z/shop/dump/central.json"),
    ),
    t(
        "create a probe's record",
        "---+---",
        Call::Create("targets/central/probe-20990101T000000Z.json"),
    ),
    t(
        "put a data object",
        "-+-----",
        Call::Create("objects/app-files/new/1"),
    ),
    t(
        "put a manifest",
        "-+-----",
        Call::Create("manifests/shop/20990101T000000Z/files/list"),
    ),
    t(
        "put a chunk of a drill's dump",
        "--+----",
        Call::Create("dump/shop/shop/20990101T000000Z/drill-20990101T000000Z/shop/1"),
    ),
    t(
        "put a chunk of a server's dump",
        "------+",
        Call::Create("dump/shop/shop/20990101T000000Z/backup-20990101T000000Z/shop/1"),
    ),
    t("put a probe object", "---+---", Call::Create("probe/1")),
    t(
        "put over a journal entry",
        "-------",
        Call::Replace("runs/"),
    ),
    t(
        "put over a policy copy",
        "-------",
        Call::Replace("policies/"),
    ),
    t("put over a point", "-------", Call::Replace("points/")),
    t(
        "put over a probe's record",
        "-------",
        Call::Replace("targets/"),
    ),
    t(
        "delete a journal entry's version",
        "-------",
        Call::Delete("runs/"),
    ),
    t(
        "delete a point's version",
        "-------",
        Call::Delete("points/"),
    ),
    t(
        "delete a data object's version",
        "-------",
        Call::Delete("objects/"),
    ),
    t(
        "delete a dump chunk's version",
        "-------",
        Call::Delete("dump/"),
    ),
    t(
        "set a delete marker on a data object",
        "-------",
        Call::Marker("objects/"),
    ),
    t(
        "set a delete marker on a journal entry",
        "-------",
        Call::Marker("runs/"),
    ),
    t(
        "shorten a data object's lock",
        "-------",
        Call::Shorten("objects/"),
    ),
    t(
        "shorten it with the bypass header",
        "-------",
        Call::Bypass("objects/"),
    ),
    t("take the lock away", "-------", Call::Unlock("objects/")),
    t(
        "extend a data object's lock",
        "-+-----",
        Call::Extend("objects/"),
    ),
    t(
        "put a legal hold on a data object",
        "-------",
        Call::Hold("objects/"),
    ),
    t("change the bucket's policy", "-------", Call::BucketPolicy),
    t("change the bucket's lifecycle", "-------", Call::Lifecycle),
    t(
        "change the bucket's lock configuration",
        "-------",
        Call::LockConfiguration,
    ),
    t("delete the bucket", "-------", Call::DeleteBucket),
    t("read the source bucket", "-+-----", Call::ReadSource),
    t("write to the source bucket", "-------", Call::WriteSource),
    t(
        "delete from the source bucket",
        "-------",
        Call::DeleteSource,
    ),
    t(
        "delete the production cluster",
        "-------",
        Call::Rds("delete-production"),
    ),
    t(
        "delete the snapshot's copy",
        "-------",
        Call::Rds("delete-copy"),
    ),
    t(
        "change the production cluster",
        "-------",
        Call::Rds("modify-production"),
    ),
];

struct Key<'a> {
    cloud: &'a Cloud,
    s3: aws_sdk_s3::Client,
    source: aws_sdk_s3::Client,
    role: &'a str,
    /// First version of a key under each part.
    known: &'a dyn Fn(&str) -> (String, String),
}

fn in_days(days: i64) -> DateTime {
    DateTime::from_secs(World::default().now().as_second() + days * 86_400)
}

fn lock(days: i64) -> ObjectLockRetention {
    ObjectLockRetention::builder()
        .mode(ObjectLockRetentionMode::Compliance)
        .retain_until_date(in_days(days))
        .build()
}

/// `Ok(true)`: done; `Ok(false)`: refused.
fn said<T, E: ProvideErrorMetadata + std::fmt::Debug, R: std::fmt::Debug>(
    result: Result<T, SdkError<E, R>>,
) -> bool {
    match result {
        Ok(_) => true,
        Err(e) => {
            let code = e.code().unwrap_or_default().to_owned();
            assert!(
                matches!(
                    code.as_str(),
                    "AccessDenied"
                        | "AccessDeniedException"
                        | "InvalidDBClusterStateFault"
                        | "InvalidParameterCombination"
                        | "DBClusterNotFoundFault"
                        | "DBClusterSnapshotNotFoundFault"
                ),
                "not a refusal: {code} {e:?}"
            );
            false
        }
    }
}

impl Key<'_> {
    /// A key of each role's own, so that one's does not stand in another's way.
    fn own(&self, key: &str) -> String {
        if key.contains("20990101T000000Z") {
            key.replace(
                "20990101T000000Z",
                &format!("20990101T000000Z-{}", self.role),
            )
        } else {
            format!("{key}{}", self.role)
        }
    }

    async fn attempt(&self, call: Call) -> bool {
        let s3 = &self.s3;
        let body = || ByteStream::from_static(b"tried");
        match call {
            Call::Read(part) => said(
                s3.get_object()
                    .bucket(VAULT)
                    .key((self.known)(part).0)
                    .send()
                    .await,
            ),
            Call::List => said(
                s3.list_object_versions()
                    .bucket(VAULT)
                    .prefix("points/")
                    .send()
                    .await,
            ),
            Call::Create(key) => said(
                s3.put_object()
                    .bucket(VAULT)
                    .key(self.own(key))
                    .if_none_match("*")
                    .body(body())
                    .send()
                    .await,
            ),
            Call::Replace(part) => said(
                s3.put_object()
                    .bucket(VAULT)
                    .key((self.known)(part).0)
                    .body(body())
                    .send()
                    .await,
            ),
            Call::Delete(part) => {
                let (key, version) = (self.known)(part);
                said(
                    s3.delete_object()
                        .bucket(VAULT)
                        .key(key)
                        .version_id(version)
                        .bypass_governance_retention(true)
                        .send()
                        .await,
                )
            }
            Call::Marker(part) => said(
                s3.delete_object()
                    .bucket(VAULT)
                    .key((self.known)(part).0)
                    .send()
                    .await,
            ),
            Call::Shorten(part) | Call::Bypass(part) | Call::Extend(part) => {
                let (key, version) = (self.known)(part);
                let days = if matches!(call, Call::Extend(_)) {
                    2
                } else {
                    0
                };
                let until = if days == 0 {
                    ObjectLockRetention::builder()
                        .mode(ObjectLockRetentionMode::Compliance)
                        .retain_until_date(DateTime::from_secs(
                            World::default().now().as_second() + 600,
                        ))
                        .build()
                } else {
                    lock(days)
                };
                let bypass = matches!(call, Call::Bypass(_)).then_some(true);
                said(
                    s3.put_object_retention()
                        .bucket(VAULT)
                        .key(key)
                        .version_id(version)
                        .retention(until)
                        .set_bypass_governance_retention(bypass)
                        .send()
                        .await,
                )
            }
            Call::Unlock(part) => {
                let (key, version) = (self.known)(part);
                said(
                    s3.put_object_retention()
                        .bucket(VAULT)
                        .key(key)
                        .version_id(version)
                        .retention(ObjectLockRetention::builder().build())
                        .bypass_governance_retention(true)
                        .send()
                        .await,
                )
            }
            Call::Hold(part) => {
                let (key, version) = (self.known)(part);
                let hold = aws_sdk_s3::types::ObjectLockLegalHold::builder()
                    .status(aws_sdk_s3::types::ObjectLockLegalHoldStatus::On)
                    .build();
                said(
                    s3.put_object_legal_hold()
                        .bucket(VAULT)
                        .key(key)
                        .version_id(version)
                        .legal_hold(hold)
                        .send()
                        .await,
                )
            }
            Call::BucketPolicy => said(
                s3.put_bucket_policy()
                    .bucket(VAULT)
                    .policy("{\"Statement\":[]}")
                    .send()
                    .await,
            ),
            Call::Lifecycle => said(s3.delete_bucket_lifecycle().bucket(VAULT).send().await),
            Call::LockConfiguration => {
                let enabled = aws_sdk_s3::types::ObjectLockConfiguration::builder()
                    .object_lock_enabled(aws_sdk_s3::types::ObjectLockEnabled::Enabled)
                    .build();
                said(
                    s3.put_object_lock_configuration()
                        .bucket(VAULT)
                        .object_lock_configuration(enabled)
                        .send()
                        .await,
                )
            }
            Call::DeleteBucket => said(s3.delete_bucket().bucket(VAULT).send().await),
            Call::ReadSource => said(
                self.source
                    .list_objects_v2()
                    .bucket("app-files")
                    .send()
                    .await,
            ),
            Call::WriteSource => said(
                self.source
                    .put_object()
                    .bucket("app-files")
                    .key("tried")
                    .body(body())
                    .send()
                    .await,
            ),
            Call::DeleteSource => said(
                self.source
                    .delete_object()
                    .bucket("app-files")
                    .key("tenants/1/0000-invoice.pdf")
                    .send()
                    .await,
            ),
            Call::Rds(what) => self.attempt_rds(what).await,
        }
    }

    async fn attempt_rds(&self, what: &str) -> bool {
        let (here, there) = (
            self.cloud.rds(self.role, "eu-west-3"),
            self.cloud.rds(self.role, "eu-central-1"),
        );
        match what {
            "delete-production" => said(
                here.delete_db_cluster()
                    .db_cluster_identifier("shop")
                    .skip_final_snapshot(true)
                    .send()
                    .await,
            ),
            "modify-production" => said(
                here.modify_db_cluster()
                    .db_cluster_identifier("shop")
                    .deletion_protection(false)
                    .apply_immediately(true)
                    .send()
                    .await,
            ),
            _ => said(
                there
                    .delete_db_cluster_snapshot()
                    .db_cluster_snapshot_identifier((self.known)("snapshot").0)
                    .send()
                    .await,
            ),
        }
    }
}

/// First key and version under a part of the vault, and the copy's name in RDS.
fn found(cloud: &Cloud, part: &str) -> (String, String) {
    if part == "snapshot" {
        let state: serde_json::Value = serde_json::from_slice(
            &std::fs::read(cloud.root.join("lab/rds/state.json")).expect("the state"),
        )
        .expect("JSON");
        let id = state["regions"]["eu-central-1"]["snapshots"]
            .as_object()
            .and_then(|s| s.keys().next().cloned())
            .expect("a copy");
        return (id, String::new());
    }
    crate::stores::block_on(async {
        let (rows, _) = cloud
            .bucket("admin", "eu-central-1", VAULT)
            .await
            .versions_after(part, None, 10)
            .await
            .expect("listed");
        let row = rows
            .first()
            .unwrap_or_else(|| panic!("nothing under {part}"));
        (row.key.clone(), row.version.clone())
    })
}

fn table(results: &[(usize, Vec<bool>)]) -> String {
    let mut text = format!(
        "| with the key of | {} |\n|---|{}\n",
        ROLES.join(" | "),
        "---|".repeat(ROLES.len())
    );
    for (n, row) in results {
        let cells: Vec<&str> = row
            .iter()
            .map(|may| if *may { "yes" } else { "no" })
            .collect();
        writeln!(text, "| {} | {} |", TRIES[*n].what, cells.join(" | ")).expect("text");
    }
    text
}

#[test]
fn a_stolen_key_can_do_what_the_table_says_and_nothing_else() {
    let template = Template::make(Stage::RestoreFiles);
    let cloud = template.copy();
    let parts = [
        "vault.json",
        "policies/",
        "runs/",
        "points/",
        "targets/",
        "objects/",
        "dump/",
        "snapshot",
    ];
    let known: Vec<(String, String)> = parts.iter().map(|p| found(&cloud, p)).collect();
    let known = |part: &str| known[parts.iter().position(|p| *p == part).expect("a part")].clone();
    let mut results = Vec::new();
    for (n, tried) in TRIES.iter().enumerate() {
        let mut row = Vec::new();
        for role in ROLES {
            let may = crate::stores::block_on(async {
                let key = Key {
                    cloud: &cloud,
                    s3: cloud.s3(role, "eu-central-1"),
                    source: cloud.s3(role, "eu-west-3"),
                    role,
                    known: &known,
                };
                key.attempt(tried.call).await
            });
            row.push(may);
        }
        let wanted: Vec<bool> = tried.may.chars().map(|c| c == '+').collect();
        assert_eq!(row, wanted, "{}: {ROLES:?}", tried.what);
        results.push((n, row));
    }
    let report: serde_json::Map<String, serde_json::Value> = ROLES
        .iter()
        .enumerate()
        .map(|(i, role)| {
            let allowed = results.iter().filter(|(_, row)| row[i]).count();
            (
                (*role).to_owned(),
                json!({"allowed": allowed, "denied": results.len() - allowed, "unexpected": 0}),
            )
        })
        .collect();
    crate::crash::report("roles.json", &json!(report));
    crate::cloud::say(&format!(
        "roles: {} things tried with {} keys each, 0 unexpected",
        TRIES.len(),
        ROLES.len()
    ));
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/TRUST.md");
    let text = std::fs::read_to_string(file).expect("docs/TRUST.md");
    let (head, rest) = text
        .split_once("<!-- table -->\n")
        .expect("the table's place");
    let (_, tail) = rest
        .split_once("<!-- table end -->")
        .expect("the table's end");
    let made = format!(
        "{head}<!-- table -->\n{}<!-- table end -->{tail}",
        table(&results)
    );
    if World::default().env("UPDATE").is_some() {
        std::fs::write(file, &made).expect("written");
        return;
    }
    assert!(
        made == text,
        "docs/TRUST.md is not what the keys can do; type: UPDATE=1 cargo nextest run -p dr roles"
    );
}
