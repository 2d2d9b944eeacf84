//! What must be true after damage: it is named, nothing is appended to a damaged run, the next
//! backup and the next restore work.

use super::inflict::{Damage, Harmed, Place, Target, versions};
use crate::cloud::{Cloud, Ran};
use crate::negative::sql;
use serde_json::Value;

/// What became of one case.
#[derive(Debug, Default)]
pub struct Outcome {
    pub finding: Option<String>,
    pub next_backup_ok: bool,
    pub next_restore_ok: bool,
    pub wrong: Vec<String>,
}

fn run(cloud: &Cloud, arguments: &[&str]) -> Ran {
    let mut command = cloud.command(arguments);
    command.current_dir(&cloud.root);
    command.output().expect("dr runs").into()
}

/// `verify` says exactly this and nothing else.
pub fn named(cloud: &Cloud, harmed: &Harmed, target: Target, outcome: &mut Outcome) {
    let ran = run(cloud, &["verify", "--json", "--policy", "lab/drill.yaml"]);
    if ran.code != 3 {
        outcome.wrong.push(format!(
            "verify exits {}: {}{}",
            ran.code, ran.stdout, ran.stderr
        ));
        return;
    }
    let answer = ran.json();
    let findings: Vec<&Value> = answer["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let thing = harmed.version.as_ref().map_or_else(
        || harmed.key.clone(),
        |v| format!("{} version {v}", harmed.key),
    );
    let exact = findings
        .iter()
        .find(|f| f["thing"].as_str().is_some_and(|t| t == thing) && f["place"] == target.name());
    outcome.finding = exact.and_then(|f| f["code"].as_str()).map(str::to_owned);
    if exact.is_none() {
        outcome.wrong.push(format!(
            "verify does not name {thing} at {}: {findings:#?}",
            target.name()
        ));
    }
    for finding in findings.iter().filter(|f| {
        !f["thing"]
            .as_str()
            .is_some_and(|t| t.starts_with(&harmed.key))
    }) {
        outcome
            .wrong
            .push(format!("verify names something else: {finding}"));
    }
}

/// A tick makes the next point, complete at both targets, and leaves the damaged run alone.
pub fn backed_up(cloud: &Cloud, place: Place, outcome: &mut Outcome) {
    let policy = std::fs::read_to_string(cloud.root.join("lab/drill.yaml")).expect("the policy");
    let next = policy.replacen(
        "schedule: {cron: \"0 0 1 1 *\"",
        "schedule: {cron: \"0 * * * *\"",
        1,
    );
    assert_ne!(policy, next, "the template's schedule reads otherwise");
    std::fs::write(cloud.root.join("lab/next.yaml"), next).expect("written");
    let before = entries(cloud);
    let ran = run(cloud, &["tick", "--json", "--policy", "lab/next.yaml"]);
    // A journal that is damaged is told for as long as it is among the newest.
    let expected: &[i32] = if place == Place::JournalEntry {
        &[0, 3]
    } else {
        &[0]
    };
    let answer = if ran.stdout.is_empty() {
        Value::Null
    } else {
        ran.json()
    };
    let runs = answer["runs"].as_array().cloned().unwrap_or_default();
    let complete =
        runs.len() == 1 && runs[0]["kind"] == "backup" && runs[0]["result"] == "complete";
    outcome.next_backup_ok = complete && expected.contains(&ran.code);
    if !outcome.next_backup_ok {
        outcome.wrong.push(format!(
            "the next backup exits {}: {}{}",
            ran.code, ran.stdout, ran.stderr
        ));
    }
    let after: Vec<String> = entries(cloud)
        .into_iter()
        .filter(|k| before.iter().any(|b| folder(b) == folder(k)))
        .collect();
    if after != before {
        outcome.wrong.push(format!(
            "something was appended to an old run: {:?}",
            after
                .iter()
                .filter(|k| !before.contains(k))
                .collect::<Vec<_>>()
        ));
    }
    // The new point is whole: nothing that was harmed is part of it.
    let verified = run(cloud, &["verify", "--json", "--policy", "lab/next.yaml"]);
    let strange = |f: &&Value| f["severity"] == "error";
    let new_slot = runs
        .first()
        .and_then(|r| r["slot"].as_str())
        .unwrap_or("none")
        .to_owned();
    if verified.code != 0 {
        let answer = verified.json();
        let of_new: Vec<&Value> = answer["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(strange)
            .filter(|f| f["thing"].as_str().is_some_and(|t| t.contains(&new_slot)))
            .collect();
        if answer["point"] != new_slot.as_str() || !of_new.is_empty() {
            outcome
                .wrong
                .push(format!("the next point is not whole: {}", verified.stdout));
        }
    }
}

fn folder(key: &str) -> &str {
    key.rsplit_once('/').map_or("", |(f, _)| f)
}

/// Versions under `runs/`, each once.
fn entries(cloud: &Cloud) -> Vec<String> {
    versions(cloud, Target::Central, "runs/")
        .into_iter()
        .map(|r| format!("{} {}", r.key, r.version))
        .collect()
}

/// One restore of the proven point, by hash and all.
fn restore(cloud: &Cloud, way: &[&str]) -> Ran {
    let mut words = vec!["restore", "--json", "--policy", "lab/drill.yaml"];
    words.extend(way);
    let shown = run(cloud, &words);
    if shown.code != 2 {
        return shown;
    }
    let hash = shown.json()["plan"]["hash"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    words.extend(["--yes", "--plan", &hash]);
    run(cloud, &words)
}

/// From the harmed target where that still works, else from the other one; a failure names what is
/// wrong.
pub fn restored(
    cloud: &Cloud,
    damage: Damage,
    place: Place,
    target: Target,
    outcome: &mut Outcome,
) {
    let empty = |name: &str| {
        sql(
            cloud,
            "eu-west-3",
            "shop",
            &format!("CREATE DATABASE {name} OWNER master TEMPLATE template0"),
        );
        let url =
            std::fs::read_to_string(cloud.root.join("empty.url")).expect("the template's URL");
        url.replace("/rebuilt", &format!("/{name}"))
    };
    let by = |target: Target, database: &str| match place {
        Place::DumpChunk => vec![
            "--target".to_owned(),
            target.name().into(),
            "--method".into(),
            "dump".into(),
            "--into".into(),
            empty(database),
        ],
        _ => [
            "--target",
            target.name(),
            "--method",
            "files",
            "--to-bucket",
            "recovered-files",
            "--to-prefix",
            target.name(),
        ]
        .map(str::to_owned)
        .to_vec(),
    };
    let attempt =
        |way: &[String]| restore(cloud, &way.iter().map(String::as_str).collect::<Vec<_>>());
    let first = match place {
        Place::Snapshot => restore(
            cloud,
            &[
                "--target",
                "central",
                "--method",
                "snapshot",
                "--cluster",
                "recovered",
            ],
        ),
        _ => attempt(&by(target, "first")),
    };
    if first.code == 0 {
        outcome.next_restore_ok = true;
        return;
    }
    let harmful = matches!(
        damage,
        Damage::FlippedByte | Damage::Truncation | Damage::Missing
    ) || place == Place::Snapshot;
    if !harmful {
        outcome.wrong.push(format!(
            "a restore from {} fails although every referenced byte is there: {}{}",
            target.name(),
            first.stdout,
            first.stderr
        ));
    }
    if first.code != 3 {
        outcome.wrong.push(format!(
            "a restore from {} exits {}: {}{}",
            target.name(),
            first.code,
            first.stdout,
            first.stderr
        ));
    }
    let second = match place {
        Place::Snapshot => restore(
            cloud,
            &[
                "--target",
                "central",
                "--method",
                "dump",
                "--into",
                &empty("second"),
            ],
        ),
        _ => attempt(&by(target.sibling(), "second")),
    };
    outcome.next_restore_ok = second.code == 0;
    if second.code != 0 {
        outcome.wrong.push(format!(
            "a restore from {} fails: {}{}",
            target.sibling().name(),
            second.stdout,
            second.stderr
        ));
    }
}
