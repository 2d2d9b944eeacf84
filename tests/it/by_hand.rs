//! The README's quick start and the auditor's runbook, typed as they stand, against a practice
//! cloud.

use crate::cloud::{Cloud, DR};
use crate::source;
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// The blocks of a page that are fenced as `sh`, one after the other.
fn script(page: &str) -> String {
    let text = source::read(page);
    text.split("```sh\n")
        .skip(1)
        .filter_map(|b| b.split("\n```").next())
        .map(|b| format!("{b}\n"))
        .collect()
}

/// bash with the cloud's directory as `/tmp/practice` of the page, and both programs in PATH.
fn bash(cloud: &Cloud, script: &str, path: &str) -> Command {
    let practice = cloud.root.join("lab").display().to_string();
    let mut command = Command::new("bash");
    command
        .arg("-c")
        .arg(script.replace("/tmp/practice", &practice));
    let programs = Path::new(DR).parent().unwrap().display();
    let inherited = dr::world::World::default().env("PATH").unwrap_or_default();
    command
        .env_clear()
        .env("PATH", format!("{programs}:{path}{inherited}"))
        .env("HOME", cloud.root.join("home"));
    command
        .current_dir(cloud.root.join("home"))
        .stdin(std::process::Stdio::null());
    command
}

fn succeeds(mut command: Command) -> String {
    let output = command.output().expect("bash");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{}\nstdout:\n{stdout}\nstderr:\n{stderr}",
        output.status
    );
    stdout
}

/// Where a person would type the name, the hash is given instead; the address that a person would
/// read is read from the answer.
const WITHOUT_A_TERMINAL: &str = r#"
set -euo pipefail
dr() {
    case "$*" in
        *"--method "*)
            shown=$(command dr "$@" --json) && exit 1
            command dr "$@" --json --yes --plan "$(jq -r .plan.hash <<<"$shown")" \
                | tee -a answers ;;
        *) command dr "$@" ;;
    esac
}
"#;

#[test]
fn the_quick_start_of_the_readme_protects_loses_and_recovers() {
    let cloud = Cloud::start("readme", &[]);
    let page = script("README.md").replace("AT=HOST:PORT", "AT=$(jq -rs '.[0].endpoint' answers)");
    assert!(
        page.contains("AT=$(jq"),
        "the page still says where the address goes"
    );
    let told = succeeds(bash(&cloud, &format!("{WITHOUT_A_TERMINAL}{page}"), ""));
    assert!(
        told.contains("policy.yaml: valid") && told.contains("newest proven"),
        "{told}"
    );
    let answers = std::fs::read_to_string(cloud.root.join("home/answers")).unwrap();
    let answers: Vec<serde_json::Value> = answers
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let paths: Vec<_> = answers
        .iter()
        .map(|a| (&a["plan"]["method"], &a["plan"]["target"], &a["executed"]))
        .collect();
    let yes = json!(true);
    let wanted = [
        ("snapshot", "central"),
        ("files", "central"),
        ("dump", "other"),
    ]
    .map(|(p, t)| (json!(p), json!(t)));
    assert_eq!(
        paths,
        wanted.iter().map(|(p, t)| (p, t, &yes)).collect::<Vec<_>>()
    );
    assert!(
        answers[0]["rows"].as_u64() > Some(1000) && answers[0]["rows"] == answers[2]["rows"],
        "{answers:?}"
    );
    assert!(answers[1]["objects"].as_u64() > Some(100), "{answers:?}");
    // The first region really was lost meanwhile.
    assert!(
        std::net::TcpStream::connect(
            cloud
                .endpoint("eu-west-3", "s3")
                .trim_start_matches("http://")
        )
        .is_err()
    );
}

/// Folder of the Python environment with the AWS CLI, made where it is not there.
fn python_programs() -> String {
    let mut command = Command::new("bash");
    command
        .args(["-c", "source scripts/lab.sh; venv; dirname \"$python\""])
        .current_dir(source::root());
    succeeds(command).trim().to_owned()
}

fn by_hand(cloud: &Cloud, target: (&str, &str, &str), path: &str) -> Command {
    let (bucket, region, profile) = target;
    let mut command = bash(cloud, &script("runbooks/check-a-point-by-hand.md"), path);
    command
        .env("BUCKET", bucket)
        .env("POLICY", "shop")
        .env("SAMPLE", "2")
        .env("AWS_PROFILE", profile)
        .env("AWS_DEFAULT_REGION", region);
    command.env(
        "AWS_SHARED_CREDENTIALS_FILE",
        cloud.root.join("lab/credentials"),
    );
    command.env("AWS_ENDPOINT_URL_S3", cloud.endpoint(region, "s3"));
    command
}

#[test]
fn an_auditor_checks_a_point_without_the_program_and_finds_what_is_wrong() {
    let path = python_programs() + ":";
    let cloud = Cloud::start("by-hand", &["--no-writers"]);
    cloud.init();
    cloud.dr(&["tick", "--json"]).exits(0);
    let central = ("dr-vault-central", "eu-central-1", "auditor");
    let told = succeeds(by_hand(&cloud, central, &path));
    assert!(
        told.contains("2 of ")
            && told.contains("the chain is whole")
            && told.contains("shop by snapshot from central: passed"),
        "{told}"
    );
    let told = succeeds(by_hand(
        &cloud,
        ("dr-vault-other", "other", "other-auditor"),
        &path,
    ));
    assert!(told.contains("at other: as recorded"), "{told}");
    // One flipped byte in the manifest, and the same page says so.
    let status = cloud.dr(&["status", "--json"]).exits(0).json();
    let slot = status["policies"][0]["newest"]["point"]
        .as_str()
        .unwrap()
        .to_owned();
    let key = format!("manifests/shop/{slot}/app-files/targets/central.jsonl.zst");
    cloud.tell(
        "/damage",
        &json!({"region": "eu-central-1", "bucket": "dr-vault-central", "key": key, "how": "flip"}),
    );
    let output = by_hand(&cloud, central, &path).output().unwrap();
    assert!(
        !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("DIFFERS"),
        "{output:?}"
    );
}
