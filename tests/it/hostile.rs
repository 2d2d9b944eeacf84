//! Input by somebody who means harm: policies, stored objects, names in a database, URLs with
//! passwords.

use crate::cloud::{Cloud, Ran, confirmed, place};
use crate::crash::stage::{Stage, Template};
use crate::negative::sql;
use crate::source;
use crate::stores::block_on;
use dr::aws::s3::PutOptions;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};

/// No policy is worth more than this, however it is written.
const MEMORY_BYTES: u64 = 512 << 20;
const CPU_S: u64 = 10;

/// `dr` with limits: what loops or swells ends with a signal, not with an exit code of ours.
fn limited(arguments: &[&str]) -> Ran {
    let mut command = Command::new("prlimit");
    command
        .arg(format!("--as={MEMORY_BYTES}"))
        .arg(format!("--cpu={CPU_S}"))
        .args(["--", crate::cloud::DR])
        .args(arguments);
    command
        .env_clear()
        .current_dir(source::root())
        .stdin(Stdio::null())
        .output()
        .expect("prlimit runs")
        .into()
}

fn policies() -> Vec<(&'static str, Vec<u8>)> {
    let good = source::read("policies/files-only.yaml");
    let laughs: String = (1..=30)
        .map(|n| {
            format!(
                "l{n}: &l{n} [*l{p}, *l{p}, *l{p}, *l{p}, *l{p}, *l{p}, *l{p}, *l{p}, *l{p}]\n",
                p = n - 1
            )
        })
        .collect();
    let merges: String = (1..=40)
        .map(|n| format!("m{n}: &m{n}\n  <<: [*m{p}, *m{p}]\n  k{n}: 1\n", p = n - 1))
        .collect();
    vec![
        (
            "billion laughs",
            format!("l0: &l0 ha\n{laughs}name: *l30\n").into_bytes(),
        ),
        (
            "billion merges",
            format!("m0: &m0 {{k: 1}}\n{merges}version: 1\n").into_bytes(),
        ),
        ("an alias of itself", b"version: &v [*v]\n".to_vec()),
        (
            "deep flow",
            format!("version: {}", "[".repeat(100_000)).into_bytes(),
        ),
        (
            "deep map",
            format!("version: {}", "{a: ".repeat(50_000)).into_bytes(),
        ),
        (
            "deep block",
            (0..500)
                .map(|n| format!("{}- \n", " ".repeat(n)))
                .collect::<String>()
                .into_bytes(),
        ),
        (
            "10 MB",
            format!("# {}\n{good}", "x".repeat(10 << 20)).into_bytes(),
        ),
        (
            "one line",
            format!("version: {}", "9".repeat(200_000)).into_bytes(),
        ),
        ("two documents", format!("{good}---\n{good}").into_bytes()),
        (
            "a key twice",
            good.replacen("version: 1", "version: 1\nversion: 1", 1)
                .into_bytes(),
        ),
        ("tabs", good.replacen("\n  ", "\n\t", 1).into_bytes()),
        (
            "a name of other letters",
            good.replacen("name: ", "name: ｆｉｌеѕ-", 1).into_bytes(),
        ),
        (
            "a name that writes backwards",
            good.replacen("name: ", "name: \u{202e}", 1).into_bytes(),
        ),
        (
            "an escape code",
            good.replacen("name: ", "name: \"\\e[31m\"#", 1)
                .into_bytes(),
        ),
        (
            "a raw escape code",
            good.replacen("name: ", "name: \u{1b}[31m", 1).into_bytes(),
        ),
        ("no text", vec![0xff, 0xfe, 0x00, 0x80]),
        ("zeros", vec![0; 4096]),
        (
            "a tag",
            good.replacen(
                "version: 1",
                "version: !!python/object/apply:os.system [id]",
                1,
            )
            .into_bytes(),
        ),
    ]
}

#[test]
fn a_policy_that_means_harm_is_refused_in_bounded_time_and_memory() {
    let folder = place("hostile");
    for (name, bytes) in policies() {
        let file = folder.join(name.replace(' ', "-"));
        std::fs::write(&file, bytes).expect("written");
        let file = file.to_str().expect("a path");
        for arguments in [
            &["policy", "check", file][..],
            &["policy", "check", file, "--json"],
            &["tick", "--policy", file],
        ] {
            let ran = limited(arguments);
            assert_eq!(ran.code, 2, "{name}: {ran:?}");
            let told = format!("{}{}", ran.stdout, ran.stderr);
            assert!(told.len() < 4_000, "{name}: {} bytes are told", told.len());
            assert!(
                !told.chars().any(
                    |c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c)
                ),
                "{name}: {told:?}"
            );
        }
    }
    std::fs::remove_dir_all(folder).expect("removed");
}

#[test]
fn a_policy_that_never_ends_is_not_read_to_its_end() {
    let ran = limited(&["policy", "check", "/dev/zero"]);
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[test]
fn a_byte_order_mark_and_carriage_returns_are_no_reason_to_refuse() {
    let folder = place("bom");
    let file = folder.join("policy.yaml");
    let text = source::read("policies/files-only.yaml");
    std::fs::write(&file, format!("\u{feff}{}", text.replace('\n', "\r\n"))).expect("written");
    let ran = limited(&["policy", "check", file.to_str().expect("a path")]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    std::fs::remove_dir_all(folder).expect("removed");
}

/// Wherever a secret was pasted, the message shows the place and not the secret.
#[test]
fn a_secret_pasted_into_a_policy_is_never_shown() {
    let folder = place("secret");
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let good = source::read("policies/files-only.yaml");
    let lines = good.lines().count();
    let mut refused = 0;
    // In place of each value, and as a line of its own.
    for n in 0..lines {
        for how in [
            |l: &str, s: &str| l.split_once(": ").map(|(k, _)| format!("{k}: {s}")),
            |l: &str, s: &str| Some(format!("{l}\n{s}")),
            |l: &str, s: &str| l.split_once(": ").map(|(k, v)| format!("{k}{s}: {v}")),
        ] {
            let Some(changed) = how(good.lines().nth(n).expect("a line"), secret) else {
                continue;
            };
            let text: String = good
                .lines()
                .enumerate()
                .map(|(m, l)| format!("{}\n", if m == n { &changed } else { l }))
                .collect();
            let file = folder.join("policy.yaml");
            std::fs::write(&file, text).expect("written");
            let ran = limited(&["policy", "check", file.to_str().expect("a path")]);
            let told = format!("{}{}", ran.stdout, ran.stderr);
            assert!(
                !told.contains(secret) && !told.contains(&secret[..20]),
                "line {}: {told}",
                n + 1
            );
            refused += usize::from(ran.code == 2);
        }
    }
    assert!(
        refused > lines,
        "{refused} of {lines} lines were refused with a secret in them"
    );
    std::fs::remove_dir_all(folder).expect("removed");
}

const PASSWORD: &str = "hunter2-Xq7";

fn holds(folder: &Path, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holds(&path, needle));
        } else if std::fs::read(&path).is_ok_and(|b| b.windows(needle.len()).any(|w| w == needle)) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_password_in_a_url_is_never_printed_nor_stored() {
    let template = Template::make(Stage::RestoreDump);
    let cloud = template.copy();
    // A user of its own, whose password is the one to look for.
    sql(
        &cloud,
        "eu-west-3",
        "shop",
        &format!("CREATE ROLE restorer SUPERUSER LOGIN PASSWORD '{PASSWORD}'"),
    );
    let url = std::fs::read_to_string(cloud.root.join("empty.url")).expect("a URL");
    let (_, at) = url.rsplit_once('@').expect("a host");
    let good = format!("postgres://restorer:{PASSWORD}@{at}");
    let restore = |more: &[&str]| {
        let mut command = cloud.command(&[
            "restore",
            "--policy",
            "../lab/drill.yaml",
            "--target",
            "other",
            "--method",
            "dump",
        ]);
        Ran::from(command.args(more).output().expect("dr runs"))
    };
    let told = std::cell::RefCell::new(String::new());
    let keep = |ran: Ran, code: i32, what: &str| {
        assert_eq!(ran.code, code, "{what}: {ran:?}");
        told.borrow_mut()
            .push_str(&format!("{what}\n{}{}", ran.stdout, ran.stderr));
        ran
    };
    keep(restore(&["--into", &good]), 2, "the plan");
    let shown = keep(restore(&["--into", &good, "--json"]), 2, "the plan in JSON");
    let hash = shown.plan_hash();
    keep(
        restore(&["--into", &good, "--yes", "--plan", "0000"]),
        2,
        "a plan that changed",
    );
    keep(
        restore(&[
            "--into",
            &good,
            "--to-bucket",
            &format!("https://u:{PASSWORD}@x"),
        ]),
        2,
        "a bucket that is a URL",
    );
    for url in [
        format!("postgres://u:{PASSWORD}@/x"),
        format!("postgres://u:{PASSWORD}@h:no/x"),
        format!("https://u:{PASSWORD}@h/x"),
        PASSWORD.to_owned(),
    ] {
        keep(restore(&["--into", &url]), 2, "not a database");
    }
    keep(restore(&[&good]), 2, "in the wrong place");
    keep(
        restore(&[&format!("--intoo={good}")]),
        2,
        "a flag that is not one",
    );
    let s3 = format!("https://u:{PASSWORD}@s3.example.com");
    for flags in [
        &["--endpoint", &s3][..],
        &["--endpoint", &format!("s3={s3}")],
        &["--endpoint", &format!("xy={s3}")],
        &["--to-bucket-endpoint", &s3],
    ] {
        let mut command = cloud.command(&[
            "restore",
            "--from",
            "s3://dr-vault-central",
            "--region",
            "eu-central-1",
            "--method",
            "files",
            "--to-bucket",
            "recovered-files",
        ]);
        command
            .env_remove("DR_POLICY")
            .env("AWS_ACCESS_KEY_ID", "x")
            .env("AWS_SECRET_ACCESS_KEY", "y");
        let ran = Ran::from(command.args(flags).output().expect("dr runs"));
        assert_ne!(ran.code, 0);
        told.borrow_mut().push_str(
            &format!("{flags:?}\n{}{}", ran.stdout, ran.stderr).replace(&format!("{flags:?}"), ""),
        );
    }
    let wrong = cloud
        .command(&[
            "restore",
            "--from",
            &format!("s3://u:{PASSWORD}@bucket/x"),
            "--region",
            "eu-central-1",
        ])
        .env_remove("DR_POLICY")
        .output()
        .expect("dr runs");
    keep(wrong.into(), 2, "a vault that is a URL");
    // A refused password, then the real thing.
    let refused = format!("postgres://restorer:no{PASSWORD}@{at}");
    let ran = restore(&["--into", &refused, "--yes", "--plan", &hash]);
    assert_ne!(ran.code, 0, "{ran:?}");
    told.borrow_mut()
        .push_str(&format!("{}{}", ran.stdout, ran.stderr));
    keep(
        restore(&["--into", &good, "--yes", "--plan", &hash, "--json"]),
        0,
        "the restore",
    );
    let told = told.into_inner();
    assert!(
        !told.contains(PASSWORD),
        "{}",
        told.lines()
            .filter(|l| l.contains(PASSWORD))
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert_eq!(
        holds(&cloud.root.join("lab/s3"), PASSWORD.as_bytes()),
        Vec::<String>::new()
    );
    assert_eq!(
        holds(&cloud.root.join("home"), PASSWORD.as_bytes()),
        Vec::<String>::new()
    );
}

/// Whatever PostgreSQL takes as a name.
const NASTY: &str = r#"
GRANT CREATE ON DATABASE shop TO shop_owner;
SET ROLE shop_owner;
CREATE SCHEMA "quote""s; DROP SCHEMA app CASCADE; --";
CREATE TABLE "quote""s; DROP SCHEMA app CASCADE; --"."new
line" ("tab	bed" serial PRIMARY KEY, "back\slash" text, "it's" text,
 "%s {} $1" bytea, "Ünï-код-🦀" timestamptz);
INSERT INTO "quote""s; DROP SCHEMA app CASCADE; --"."new
line" ("back\slash", "it's", "%s {} $1", "Ünï-код-🦀") VALUES (E'a\tb\nc\\N\r', '\N', '\x00ff0a',
 'infinity'), (NULL, '', '', NULL), ('\.', E'\x1b[31m', '\x5c2e', now());
CREATE SEQUENCE app."seq""uence '; --" START 7;
SELECT nextval('app."seq""uence ''; --"');
CREATE TABLE app."'; DROP TABLE app.orders; --" ("select" int PRIMARY KEY, ctid_ int,
 "SELECT" int GENERATED ALWAYS AS IDENTITY);
INSERT INTO app."'; DROP TABLE app.orders; --" SELECT n, n FROM generate_series(1, 50) n;
CREATE TABLE app."../../etc/passwd" (a int);
INSERT INTO app."../../etc/passwd" VALUES (1);
CREATE TABLE app."$$" (a int);
CREATE TABLE app.nothing ();
INSERT INTO app.nothing DEFAULT VALUES;
CREATE TABLE app."a.b" (a int); CREATE SCHEMA "app.a"; CREATE TABLE "app.a".b (a int);
INSERT INTO app."a.b" VALUES (1); INSERT INTO "app.a".b VALUES (2);
"#;

#[test]
fn names_that_hold_quotes_newlines_and_commands_are_dumped_loaded_and_equal() {
    let template = Template::make(Stage::Whole);
    let cloud = template.copy();
    sql(&cloud, "eu-west-3", "shop", NASTY);
    let ticked = Stage::Whole.run(&cloud).exits(0).json();
    let results: Vec<&Value> = ticked["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|r| &r["result"])
        .collect();
    assert_eq!(results, ["complete", "complete"], "{ticked}");
    let status = cloud
        .dr(&["status", "--json", "--policy", "../lab/drill.yaml"])
        .json();
    let proven = status["policies"][0]["newest_proven"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let dumps = proven.iter().filter(|p| p["method"] == "dump").count();
    assert_eq!(dumps, 2, "proven from both targets: {status}");
    cloud
        .dr(&["verify", "--json", "--policy", "../lab/drill.yaml"])
        .exits(0);
    // The load into a database that somebody names is the same code; what it made is asked for by
    // name.
    let url = std::fs::read_to_string(cloud.root.join("empty.url")).expect("a URL");
    let restore = [
        "restore",
        "--json",
        "--policy",
        "../lab/drill.yaml",
        "--target",
        "other",
        "--method",
        "dump",
        "--into",
        &url,
    ];
    confirmed(&restore, |words| cloud.dr(words)).exits(0);
    let encoded = |url: &str| {
        percent_encoding::utf8_percent_encode(url, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let digest = |url: &str| cloud.ask(&format!("/digest?url={}", encoded(url)))["tables"].clone();
    let (source, restored) = (digest(&url.replace("/rebuilt", "/shop")), digest(&url));
    assert_eq!(source, restored);
    assert!(
        source
            .as_object()
            .is_some_and(|t| t.len() >= 9 && t.keys().any(|k| k.contains('\n'))),
        "{source}"
    );
}

async fn plant(cloud: &Cloud, key: &str, bytes: Vec<u8>) {
    let bucket = cloud
        .bucket("admin", "eu-central-1", "dr-vault-central")
        .await;
    bucket
        .put(
            key,
            bytes.into(),
            &PutOptions {
                create_only: true,
                ..Default::default()
            },
        )
        .await
        .unwrap_or_else(|e| panic!("{key}: {e:?}"));
}

/// What an attacker with a stolen key could leave beside what is real: never newer than it in
/// truth, always by its name.
fn planted() -> Vec<(String, Vec<u8>)> {
    let deep = |n: usize| {
        [
            b"{\"schema\":\"dr/point/1\",\"policy\":".as_slice(),
            &b"[".repeat(n),
        ]
        .concat()
    };
    let point = source::read("docs/formats/golden/point.json");
    let slot = |n: u32| format!("2099010{n}T000000Z");
    let evil = point
        .replace("shop-prod", "\\u001b]0;owned\\u0007\\u001b[31mshop")
        .replace("\"central\"", "\"../../etc\"")
        .replace(
            "manifests/shop/20261124T000000Z/shop-files/list.jsonl.zst",
            "../../../../etc/passwd",
        );
    // It says that it is this vault's own, and locked until the end of time.
    let eternal = point
        .replace("shop-vault-central", "dr-vault-central")
        .replace("\"retain_until\": \"20", "\"retain_until\": \"99");
    assert!(
        eternal.contains("dr-vault-central") && eternal.contains("\"retain_until\": \"99"),
        "{eternal}"
    );
    vec![
        (format!("points/shop/{}/point.json", slot(1)), deep(200_000)),
        (
            format!("points/shop/{}/point.json", slot(2)),
            b"{\"schema\":\"dr/point/9\"}".to_vec(),
        ),
        (
            format!("points/shop/{}/point.json", slot(3)),
            evil.into_bytes(),
        ),
        (
            format!("points/shop/{}/point.json", slot(4)),
            vec![b' '; 65 << 20],
        ),
        (format!("points/shop/{}/point.json", slot(5)), Vec::new()),
        (
            format!("points/shop/{}/point.json", slot(6)),
            eternal.into_bytes(),
        ),
        (
            "points/shop/\u{1b}[31m\u{7}evil/point.json".into(),
            point.into_bytes(),
        ),
        ("points/shop/%2e%2e/point.json".into(), b"x".to_vec()),
        (
            "runs/shop/backup-20260102T000000Z/00000000".into(),
            deep(200_000),
        ),
        (
            "runs/shop/backup-20260103T000000Z/00000000".into(),
            vec![b' '; 2 << 20],
        ),
        (
            "runs/shop/backup-20260104T000000Z/00000000".into(),
            b"{\"schema\":\"dr/entry/7\"}".to_vec(),
        ),
        (
            "runs/shop/backup-20260105T000000Z/00000000".into(),
            source::read("docs/formats/golden/entry.json")
                .replace("\"seq\": 0", "\"seq\": 4")
                .into_bytes(),
        ),
        (
            "runs/shop/backup-20260106T000000Z/99999999999999999999".into(),
            b"{}".to_vec(),
        ),
        (
            "runs/shop/backup-\u{1b}[2J20260106/00000000".into(),
            b"{}".to_vec(),
        ),
    ]
}

#[test]
fn planted_objects_are_named_and_stand_in_nobodys_way() {
    let template = Template::make(Stage::RestoreFiles);
    let cloud = template.copy();
    block_on(async {
        for (key, bytes) in planted() {
            plant(&cloud, &key, bytes).await;
        }
    });
    let s3 = format!("s3={}", cloud.endpoint("eu-central-1", "s3"));
    let from = [
        "restore",
        "--from",
        "s3://dr-vault-central",
        "--region",
        "eu-central-1",
        "--endpoint",
        &s3,
        "--of",
        "shop",
    ];
    let policy = |verb: &str, json: bool| {
        cloud.dr(&[
            &[verb, "--policy", "../lab/drill.yaml"][..],
            if json { &["--json"] } else { &[] },
        ]
        .concat())
    };
    let mut told = Vec::new();
    for json in [false, true] {
        let with = |arguments: &[&str]| {
            cloud.dr_as(
                "aws",
                "restorer",
                &[arguments, if json { &["--json"] } else { &[] }].concat(),
            )
        };
        told.push(("restore --from", with(&from)));
        for verb in ["status", "verify", "tick"] {
            told.push((verb, policy(verb, json)));
        }
    }
    for (verb, ran) in &told {
        assert!(matches!(ran.code, 0 | 3 | 4 | 11), "{verb}: {ran:?}");
        assert!(
            !format!("{}{}", ran.stdout, ran.stderr)
                .chars()
                .any(|c| c.is_control() && c != '\n'),
            "{verb} writes control characters: {ran:?}"
        );
        assert!(
            ran.stdout.len() + ran.stderr.len() < 100_000,
            "{verb} tells {} bytes",
            ran.stdout.len() + ran.stderr.len()
        );
    }
    // The real point is found by its vault alone, and restores.
    let shown = cloud
        .dr_as("aws", "restorer", &[&from[..], &["--json"]].concat())
        .json();
    let real = |w: &&Value| {
        w["proven"] == true
            && w["method"] == "files"
            && w["point"].as_str().is_some_and(|p| p.starts_with("2026"))
    };
    assert!(
        shown["ways"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|w| real(&w)),
        "{shown}"
    );
    Stage::RestoreFiles.run(&cloud).exits(0);
    let verified = policy("verify", true).json();
    assert!(
        verified["tested"].as_u64() > Some(0) && verified["tested"] == verified["population"],
        "{verified}"
    );
    let status = policy("status", true).json();
    let names = |answer: &Value, thing: &str| {
        answer["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|f| f["thing"] == thing)
    };
    for n in [1, 2, 4, 5] {
        let key = format!("points/shop/2099010{n}T000000Z/point.json");
        assert!(
            names(&verified, &key) && names(&status, &key),
            "{key} is not named: {verified:#} {status:#}"
        );
    }
    for n in 2..=6 {
        let run = format!("backup-2026010{n}T000000Z");
        assert!(names(&status, &run), "{run} is not named: {status:#}");
    }
    assert_eq!(json!(0), cloud.ask("/leftovers")["clusters"]);
}
