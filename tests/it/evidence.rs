//! Evidence never stands in the way of a restore: where the vault's journal cannot be written it is
//! kept elsewhere, and uploaded later.

use crate::cloud::{Cloud, Ran, confirmed};
use crate::crash::stage::{Stage, Template};
use crate::negative::sql;
use crate::stores::block_on;
use dr::model::{PolicyName, RunId, TargetName};
use dr::vault::{JournalStore, RunRead, Vault, VaultJournal};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const FILES: [&str; 6] = [
    "--target",
    "central",
    "--method",
    "files",
    "--to-bucket",
    "recovered-files",
];

/// What every version under a prefix is locked until.
fn locks(cloud: &Cloud, prefix: &str) -> Vec<jiff::Timestamp> {
    let bucket = "dr-vault-central";
    block_on(async {
        let admin = cloud.bucket("admin", "eu-central-1", bucket).await;
        let rows = admin.versions(prefix, 10_000).await.expect("listed");
        let mut until = Vec::new();
        for row in rows {
            match admin.lock_of(&row.key, &row.version).await.expect("told") {
                dr::aws::s3::LockState::Until(_, at) => until.push(at),
                other => panic!("{}: {other:?}", row.key),
            }
        }
        until
    })
}

#[test]
fn evidence_outlives_the_data_that_it_speaks_of() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    let path = cloud.root.join("lab/files.yaml");
    let text = std::fs::read_to_string(&path).expect("a policy");
    let rule = "\nevidence: {retention: 30d, max_lock_days: 40}\nschedule:";
    let longer = text.replacen("\nschedule:", rule, 1);
    assert_ne!(longer, text);
    std::fs::write(&path, &longer).expect("written");
    let stored = format!("policies/{}", dr::model::Sha256::of(longer.as_bytes()));
    let policy = ["--policy", "../lab/files.yaml"];
    let run = |verb: &[&str]| cloud.dr(&[verb, &["--json"], &policy].concat()).exits(0);
    run(&["tick"]);
    let now = dr::world::World::default().now();
    let days = |n: i64| now + jiff::SignedDuration::from_hours(24 * n);
    // The vault was made under another policy.
    for prefix in ["runs/shop/backup-", "points/", &stored] {
        let found = locks(&cloud, prefix);
        assert!(!found.is_empty(), "{prefix}");
        for until in found {
            assert!(until > days(29) && until < days(31), "{prefix}: {until}");
        }
    }
    // What later evidence refers to was there before, and its lock is extended.
    let vault = locks(&cloud, "vault.json");
    assert!(
        !vault.is_empty() && vault.iter().all(|u| *u > days(29)),
        "{vault:?}"
    );
    for prefix in ["objects/", "manifests/"] {
        let found = locks(&cloud, prefix);
        assert!(!found.is_empty(), "{prefix}");
        for until in found {
            assert!(until < days(2), "{prefix}: {until}");
        }
    }
    let verified = run(&["verify"]);
    assert_eq!(verified.findings(), Vec::<String>::new());
    // A restore from the vault alone takes the rule from the policy that lies there.
    let endpoint = cloud.endpoint("eu-central-1", "s3");
    let from = ["restore", "--json", "--from", "s3://dr-vault-central"];
    let vault = ["--region", "eu-central-1", "--endpoint", &endpoint];
    let words = [&from[..], &vault, &FILES[2..]].concat();
    let restored = confirmed(&words, |words| cloud.dr_as("aws", "restorer", words));
    assert_eq!(restored.exits(0).json()["journal"], "vault");
    for until in locks(&cloud, "runs/shop/restore-") {
        assert!(until > days(29) && until < days(31), "{until}");
    }
    let shown = run(&["vault", "policy"]).json();
    let told = shown.to_string();
    for sid in [
        "LockNotTooLong",
        "LockNotTooShort",
        "EvidenceNotTooLong",
        "EvidenceNotTooShort",
    ] {
        assert!(told.contains(sid), "{told}");
    }
}

struct Restore<'a> {
    cloud: &'a Cloud,
    folder: PathBuf,
    temporary: PathBuf,
}

impl<'a> Restore<'a> {
    fn new(cloud: &'a Cloud) -> Self {
        Self {
            cloud,
            folder: cloud.root.clone(),
            temporary: cloud.root.clone(),
        }
    }

    fn run(&self, words: &[&str]) -> Ran {
        let policy = self.cloud.root.join("lab/drill.yaml");
        let mut all = vec![
            "restore",
            "--json",
            "--policy",
            policy.to_str().expect("a path"),
        ];
        all.extend(words);
        let mut command = self.cloud.command(&all);
        command
            .current_dir(&self.folder)
            .env("TMPDIR", &self.temporary);
        command.output().expect("dr runs").into()
    }

    /// Shown, then confirmed by its hash.
    fn confirmed(&self, words: &[&str]) -> Ran {
        confirmed(words, |words| self.run(words))
    }

    /// A hint as it would be typed.
    fn typed(&self, hint: &str) -> Ran {
        let words: Vec<&str> = hint.split(' ').collect();
        assert_eq!(words[..2], ["dr", "restore"], "{hint}");
        let mut command = self.cloud.command(&[&words[1..], &["--json"]].concat());
        command.current_dir(&self.folder);
        command.output().expect("dr runs").into()
    }
}

fn warning(ran: &Ran) -> Value {
    let answer = ran.json();
    assert_eq!(answer["journal"], "local", "{answer}");
    let found = answer["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|f| f["code"] == "journal-local")
        .cloned();
    let found = found.unwrap_or_else(|| panic!("no journal-local in {answer}"));
    assert_eq!(found["severity"], "warning");
    found
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn refuse(cloud: &Cloud, operation: &str, thing: &str, nth: u64, code: &str, status: u16) {
    let wanted = json!({"service": "s3", "role": "restorer",
        "operation": operation, "thing": thing, "nth": nth});
    cloud.fault(
        &wanted,
        0,
        &json!({"kind": "refuse", "code": code, "status": status}),
    );
}

/// A run as the vault's journal tells it.
fn stored(cloud: &Cloud, run: &str) -> RunRead {
    block_on(async {
        let vault = Vault {
            bucket: cloud
                .bucket("admin", "eu-central-1", "dr-vault-central")
                .await,
            target: TargetName::new("central"),
        };
        let journal = JournalStore::Vault(VaultJournal { vault, lock: None });
        journal
            .read(&PolicyName::new("shop"), &RunId::parse(run).expect("a run"))
            .await
            .expect("a journal that holds")
            .expect("a run")
    })
}

fn runs(cloud: &Cloud) -> Vec<String> {
    block_on(async {
        cloud
            .bucket("admin", "eu-central-1", "dr-vault-central")
            .await
            .folders("runs/shop/restore-", None, 100)
            .await
            .expect("listed")
    })
}

fn journals_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").path());
    entries
        .filter(|p| p.extension().is_some_and(|e| e == "jsonl"))
        .collect()
}

#[test]
fn a_vault_that_is_read_only_does_not_stop_a_restore_and_gets_its_journal_later() {
    let template = Template::make(Stage::RestoreFiles);
    let cloud = template.copy();
    let restore = Restore::new(&cloud);
    refuse(
        &cloud,
        "PutObject",
        "dr-vault-central/*",
        1,
        "AccessDenied",
        403,
    );
    let ran = restore.confirmed(&FILES).exits(0);
    assert_eq!(ran.json()["objects"], 3, "{ran:?}");
    let warning = warning(&ran);
    let file = text(&warning, "thing").to_owned();
    assert_eq!(
        journals_in(&cloud.root),
        [cloud.root.join(&file)],
        "in the working directory"
    );
    assert_eq!(runs(&cloud), Vec::<String>::new());

    let refused = restore.typed(text(&warning, "hint")).exits(11);
    assert_eq!(
        refused.findings(),
        ["access-denied"],
        "the vault is read-only still"
    );
    cloud.clear_faults();
    let uploaded = restore.typed(text(&warning, "hint")).exits(0).json();
    let run = text(&uploaded["uploaded"], "run").to_owned();
    assert!(
        run.starts_with("restore-") && run.contains("-local-"),
        "{uploaded}"
    );
    let read = stored(&cloud, &run);
    assert!(
        read.state.finished.is_some()
            && read.state.plan.run.as_str() == run.split("-local-").next().unwrap_or_default(),
        "{:?}",
        read.state.plan.run
    );
    restore.typed(text(&warning, "hint")).exits(0);
    assert_eq!(runs(&cloud).len(), 1, "uploaded twice it is there once");
    let again = restore.confirmed(&FILES).exits(0).json();
    assert_eq!(
        (&again["resumed"], &again["executed"], &again["journal"]),
        (&json!(true), &json!(true), &json!("local")),
        "the same command finds what it did: {again}"
    );
    assert_eq!(again["phases"], json!([]), "and does nothing again");
}

#[test]
fn a_journal_that_is_refused_halfway_goes_on_outside_under_the_same_run() {
    let template = Template::make(Stage::RestoreSnapshot);
    let cloud = template.copy();
    let restore = Restore::new(&cloud);
    // Opened and Started are written; what the cluster came to is not.
    refuse(
        &cloud,
        "PutObject",
        "dr-vault-central/runs/*",
        3,
        "AccessDenied",
        403,
    );
    let ran = restore
        .confirmed(&[
            "--target",
            "central",
            "--method",
            "snapshot",
            "--cluster",
            "recovered",
        ])
        .exits(0);
    let answer = ran.json();
    assert_eq!(answer["cluster"], "recovered");
    let warning = warning(&ran);
    cloud.clear_faults();
    let uploaded = restore.typed(text(&warning, "hint")).exits(0).json();
    let run = text(&answer, "run").to_owned();
    assert_eq!(
        uploaded["uploaded"]["after"]["run"],
        json!(run),
        "{uploaded}"
    );
    assert_eq!(
        uploaded["uploaded"]["after"]["seq"], 1,
        "the newest entry that the vault has"
    );
    let (begun, local) = (
        stored(&cloud, &run),
        stored(&cloud, text(&uploaded["uploaded"], "run")),
    );
    assert!(
        begun.state.finished.is_none() && local.state.finished.is_some(),
        "nothing was spliced into the vault's journal"
    );
    assert_eq!(
        begun.state.head.sha256.0,
        text(&uploaded["uploaded"]["after"], "sha256")
    );
}

#[test]
fn a_journal_whose_key_is_gone_does_not_stop_a_restore() {
    let template = Template::make(Stage::RestoreDump);
    let cloud = template.copy();
    let restore = Restore::new(&cloud);
    for operation in ["PutObject", "GetObject"] {
        refuse(
            &cloud,
            operation,
            "dr-vault-central/runs/*",
            1,
            "KMS.DisabledException",
            400,
        );
    }
    sql(
        &cloud,
        "eu-west-3",
        "shop",
        "CREATE DATABASE elsewhere OWNER master TEMPLATE template0",
    );
    let url = std::fs::read_to_string(cloud.root.join("empty.url"))
        .expect("a URL")
        .replace("/rebuilt", "/elsewhere");
    let ran = restore
        .confirmed(&["--target", "central", "--method", "dump", "--into", &url])
        .exits(0);
    assert_eq!(ran.json()["tables"], 3, "{ran:?}");
    let hint = text(&warning(&ran), "hint").to_owned();
    assert!(
        !hint.contains("postgres://"),
        "a URL can hold a password: {hint}"
    );
}

#[test]
fn the_journal_goes_where_it_was_asked_for_else_to_tmpdir_else_to_stderr() {
    let template = Template::make(Stage::RestoreFiles);
    let cloud = template.copy();
    refuse(
        &cloud,
        "PutObject",
        "dr-vault-central/*",
        1,
        "AccessDenied",
        403,
    );
    let asked = cloud.root.join("home/asked-for.jsonl");
    let prefix = |name| [&FILES[..], &["--to-prefix", name]].concat();
    let ran = Restore::new(&cloud)
        .confirmed(
            &[
                &prefix("a")[..],
                &["--journal-file", asked.to_str().expect("a path")],
            ]
            .concat(),
        )
        .exits(0);
    assert_eq!(text(&warning(&ran), "thing"), asked.display().to_string());
    assert!(asked.is_file());

    // Nobody, not even root, makes a file there.
    let nowhere = Restore {
        folder: "/proc".into(),
        temporary: cloud.root.join("home"),
        cloud: &cloud,
    };
    let ran = nowhere
        .confirmed(&[&prefix("b")[..], &["--journal-file", "/proc/none/j.jsonl"]].concat())
        .exits(0);
    assert!(
        text(&warning(&ran), "thing").starts_with(&cloud.root.join("home").display().to_string()),
        "{ran:?}"
    );

    let nowhere = Restore {
        temporary: "/proc".into(),
        ..nowhere
    };
    let ran = nowhere.confirmed(&prefix("c")).exits(0);
    let told = warning(&ran);
    assert_eq!(text(&told, "thing"), "stderr");
    // What was saved of it can be uploaded, whatever stands between.
    let saved = cloud.root.join("home/saved");
    std::fs::write(&saved, format!("a line of the terminal\n{}", ran.stderr)).expect("written");
    cloud.clear_faults();
    let uploaded = nowhere
        .run(&["--upload-journal", saved.to_str().expect("a path")])
        .exits(0)
        .json();
    assert!(
        stored(&cloud, text(&uploaded["uploaded"], "run"))
            .state
            .finished
            .is_some()
    );
}

#[test]
fn a_local_journal_is_gone_on_with_by_the_same_command() {
    let template = Template::make(Stage::RestoreFiles);
    let cloud = template.copy();
    let restore = Restore::new(&cloud);
    refuse(
        &cloud,
        "PutObject",
        "dr-vault-central/*",
        1,
        "AccessDenied",
        403,
    );
    refuse(
        &cloud,
        "CopyObject",
        "recovered-files/*",
        1,
        "AccessDenied",
        403,
    );
    let stuck = restore.confirmed(&FILES).exits(11);
    let file = cloud.root.join(text(&warning(&stuck), "thing"));
    // As a crash in the middle of a line would leave it.
    let mut text_of = std::fs::read_to_string(&file).expect("a journal");
    text_of.push_str("{\"schema\":\"dr/entry/1\",\"seq\":9");
    std::fs::write(&file, text_of).expect("written");
    cloud.clear_faults();
    let done = restore.confirmed(&FILES).exits(0);
    let answer = done.json();
    assert_eq!(
        (&answer["resumed"], &answer["objects"], &answer["run"]),
        (&json!(true), &json!(3), &stuck.json()["run"]),
        "{answer}"
    );
    warning(&done);
    assert_eq!(
        runs(&cloud),
        Vec::<String>::new(),
        "one restore is told in one journal"
    );
    let uploaded = restore
        .run(&["--upload-journal", file.to_str().expect("a path")])
        .exits(0)
        .json();
    assert!(
        stored(&cloud, text(&uploaded["uploaded"], "run"))
            .state
            .finished
            .is_some()
    );
}
