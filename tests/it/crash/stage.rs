//! Where a run begins: a lab whose directory is copied for each case, small enough to be copied
//! often.

use crate::cloud::{Cloud, Ran, place};
use crate::negative::sql;
use crate::stores::block_on;
use dr::aws::s3::PutOptions;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// A vault that was made; nothing backed up. A policy without a cluster.
    Files,
    /// The same, and a run may be taken over after a few seconds.
    Race,
    /// A server that is dumped by its address, beside the files.
    Servers,
    /// With a cluster.
    Backup,
    /// Backup and drill in one.
    Whole,
    /// A point; nothing proven.
    Drill,
    /// Nothing: no vault yet.
    Init,
    /// Vaults, and nothing in them.
    Probe,
    /// A point that is read again.
    Verify,
    /// A proven point, by each path.
    RestoreSnapshot,
    RestoreDump,
    RestoreFiles,
}

/// The source, small: three tables of one chunk.
const SMALL: &str = "DROP SCHEMA app, billing CASCADE;
CREATE SCHEMA app AUTHORIZATION shop_owner;
SET ROLE shop_owner;
CREATE TABLE app.tenants(id int PRIMARY KEY, name text NOT NULL);
INSERT INTO app.tenants SELECT n, 'tenant ' || n FROM generate_series(1, 5) n;
CREATE TABLE app.orders(id serial PRIMARY KEY, tenant int REFERENCES app.tenants, total numeric);
INSERT INTO app.orders(tenant, total) SELECT 1 + n % 5, n * 1.5 FROM generate_series(1, 40) n;
CREATE TABLE app.heartbeat(id bigint PRIMARY KEY, at timestamptz NOT NULL);
INSERT INTO app.heartbeat VALUES (1, now());
ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.orders FORCE ROW LEVEL SECURITY;
RESET ROLE;
ALTER ROLE dr_reader BYPASSRLS;
GRANT pg_read_all_data TO dr_reader;";

/// One slot a year: it is the same in every run of a day's tests.
const CRON: &str = "0 0 1 1 *";

/// The lab's policy, cut down: three files, one thing at a time, nothing waits longer than it must.
fn policy(text: &str, drill: bool) -> String {
    let (head, tail) = text.split_once("\nschedule:").expect("a schedule");
    let (_, rest) = tail.split_once("\ndrill:").expect("a drill");
    let (drill_text, _) = rest.split_once("\nconcurrency:").expect("concurrency");
    let head = head.replace(
        "account: \"111111111111\"\n\ntargets",
        "account: \"111111111111\"\n    prefix: small/\n\ntargets",
    );
    assert!(
        head.contains("prefix:"),
        "the lab's policy names its bucket in another way: {head}"
    );
    let assertions = drill_text.find("  assertions:").unwrap_or(drill_text.len());
    let drill_text = drill_text[..assertions]
        .replace("30 3 * * *", CRON)
        .replace("heartbeat_max_age: 60s", "heartbeat_max_age: 30d");
    let drill_text = if drill {
        format!("\ndrill:{drill_text}")
    } else {
        String::new()
    };
    format!(
        "{head}\nschedule: {{cron: \"{CRON}\", deadline: 1h}}\n{drill_text}
concurrency: {{objects: 1, streams: 1}}
runner: {{alive_every: 20s, takeover_after: 30s, margin: 2s}}
timeouts: {{connect: 1s, call: 3s, poll_every: 0s}}
retry: {{requests: 2, steps: 3, backoff: 0s}}
probe: {{control: 1s, lock: 30s}}
"
    )
}

fn without_cluster(text: &str) -> String {
    let (head, rest) = text.split_once("\n  - id: shop\n").expect("a cluster");
    let (_, rest) = rest.split_once("\n  - id: app-files").expect("files");
    let text = format!("{head}\n  - id: app-files{rest}");
    let (head, rest) = text
        .split_once("\n    snapshots:")
        .expect("a place for snapshots");
    let (_, rest) = rest
        .split_once("\n  # Another provider")
        .expect("the other target");
    format!("{head}\n  # Another provider{rest}")
}

/// The production server, by its address; the password lies beside the policy.
fn with_server(files: &str, cloud: &Cloud) -> String {
    let url = cloud.ready["clusters"][0]["url"].as_str();
    let url = url.expect("the production URL");
    let (_, place) = url.split_once('@').expect("a login");
    let (_, port) = place.split_once(':').expect("a port");
    let port = port.split('/').next().expect("a database");
    let server = format!(
        "sources:\n  - {{id: server, kind: postgres, host: 127.0.0.1, port: {port}, \
         databases: [shop], heartbeat: {{database: shop, table: app.heartbeat}}, \
         reader: {{user: dr_reader, password_file: reader.password}}}}\n"
    );
    files.replacen("sources:\n", &server, 1)
}

impl Stage {
    fn arguments(self, cloud: &Cloud) -> Vec<String> {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        match self {
            Stage::Files => words("tick --json --policy lab/files.yaml"),
            Stage::Servers => words("tick --json --policy lab/servers.yaml"),
            Stage::Backup => words("tick --json --policy lab/backup.yaml"),
            Stage::Race => words("tick --json --policy lab/race.yaml"),
            Stage::Drill | Stage::Whole => words("tick --json --policy lab/drill.yaml"),
            Stage::Init => words(
                "vault init --json --policy lab/backup.yaml --profile admin --profile \
                 other=other-admin",
            ),
            Stage::Probe => words("vault probe --json --policy lab/backup.yaml"),
            Stage::Verify => words("verify --json --policy lab/drill.yaml"),
            _ => {
                let way = match self {
                    Stage::RestoreSnapshot => {
                        "--target central --method snapshot --cluster recovered".to_owned()
                    }
                    Stage::RestoreDump => format!(
                        "--target other --method dump --into {}",
                        std::fs::read_to_string(cloud.root.join("empty.url")).expect("a URL")
                    ),
                    _ => "--target central --method files --to-bucket recovered-files".to_owned(),
                };
                let mut words = words(&format!("restore --json --policy lab/drill.yaml {way}"));
                // Without the hash it is shown and nothing is done.
                if let Ok(hash) = std::fs::read_to_string(cloud.root.join(format!("{self:?}.plan")))
                {
                    words.extend(["--yes".to_owned(), "--plan".to_owned(), hash]);
                }
                words
            }
        }
    }

    pub fn command(self, cloud: &Cloud) -> Command {
        let arguments = self.arguments(cloud);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = cloud.command(&arguments);
        command.current_dir(&cloud.root);
        command
    }

    pub fn run(self, cloud: &Cloud) -> Ran {
        self.command(cloud).output().expect("dr runs").into()
    }

    pub fn start(self, cloud: &Cloud) -> Child {
        self.command(cloud)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("dr starts")
    }

    /// Nothing is left to do. A drill that ends red has ended too; a journal that could not be
    /// brought into the vault is brought there by the same command.
    pub fn finished(self, ran: &Ran) -> bool {
        let beside = || ran.findings().contains(&"journal-local".to_owned());
        match self {
            Stage::Init | Stage::Probe => ran.code == 0 && !beside(),
            // What a target did not take, the next tick brings there.
            Stage::Drill | Stage::Whole if ran.findings().contains(&"target-behind".into()) => {
                false
            }
            _ => ran.code == 0 || self.red(ran),
        }
    }

    /// What must hold when it has ended, beside what is stored.
    pub fn sound(self, cloud: &Cloud) -> Result<(), String> {
        let (policy, kind) = match self {
            Stage::Init => ("../lab/backup.yaml", "init"),
            Stage::Probe => ("../lab/backup.yaml", "probe"),
            _ => {
                let verified = cloud.dr(&["verify", "--json", "--policy", "../lab/drill.yaml"]);
                let said = format!("verify says {}: {}", verified.code, verified.stdout);
                return (verified.code == 0).then_some(()).ok_or(said);
            }
        };
        let log = cloud.dr(&["log", "--whole", "--json", "--policy", policy]);
        let runs = log.json()["runs"].as_array().cloned().unwrap_or_default();
        let complete = |r: &Value| r["kind"] == kind && r["result"] == "complete";
        if log.code != 0 || !runs.iter().any(complete) {
            return Err(format!("log says {}: {}", log.code, log.stdout));
        }
        let left = std::fs::read_dir(&cloud.root).expect("the folder");
        let names = left.map(|e| e.expect("an entry").file_name());
        let journal = |n: &std::ffi::OsString| n.to_string_lossy().ends_with(".jsonl");
        match names.into_iter().find(journal) {
            Some(name) => Err(format!("{} is left", name.display())),
            None => Ok(()),
        }
    }

    pub fn red(self, ran: &Ran) -> bool {
        matches!(self, Stage::Drill | Stage::Whole)
            && ran.code == 3
            && ran.json()["runs"][0]["result"] == "complete"
    }
}

/// Three files, one of them empty.
fn three_files(cloud: &Cloud) {
    block_on(async {
        let bucket = cloud.bucket("admin", "eu-west-3", "app-files").await;
        for (name, size) in [
            ("small/empty", 0),
            ("small/note.txt", 1_000),
            ("small/photo.bin", 40_000),
        ] {
            let bytes: Vec<u8> = (0..size)
                .map(|i: u32| u8::try_from(i * 7 % 251).unwrap_or(0))
                .collect();
            bucket
                .put(name, bytes.into(), &PutOptions::default())
                .await
                .expect("put");
        }
    });
}

/// A stopped lab that cases start from. Its ports are its worker's: two workers never meet.
pub struct Template {
    root: PathBuf,
    case: PathBuf,
}

impl Template {
    pub fn make(stage: Stage) -> Self {
        let root = place(&format!("template-{stage:?}"));
        let cloud = Cloud::start_in(root.clone(), &["--no-writers"]);
        sql(&cloud, "eu-west-3", "shop", SMALL);
        sql(
            &cloud,
            "eu-west-3",
            "shop",
            "CREATE DATABASE rebuilt OWNER master TEMPLATE template0",
        );
        let url = cloud.ready["clusters"][0]["url"]
            .as_str()
            .expect("the production URL")
            .replace("/shop", "/rebuilt");
        std::fs::write(root.join("empty.url"), url).expect("written");
        three_files(&cloud);
        let text = std::fs::read_to_string(cloud.policy()).expect("the lab's policy");
        for (name, drill) in [("backup.yaml", false), ("drill.yaml", true)] {
            std::fs::write(root.join("lab").join(name), policy(&text, drill)).expect("written");
        }
        let files = without_cluster(&policy(&text, false));
        let race = files
            .replace(
                "alive_every: 20s, takeover_after: 30s, margin: 2s",
                "alive_every: 1s, takeover_after: 4s, margin: 1s",
            )
            .replace("call: 3s", "call: 2s");
        let servers = with_server(&files, &cloud);
        for (name, text) in [
            ("files.yaml", files),
            ("race.yaml", race),
            ("servers.yaml", servers),
        ] {
            std::fs::write(root.join("lab").join(name), text).expect("written");
        }
        cloud.tell("/states", &json!({}));
        let init = [
            "vault",
            "init",
            "--policy",
            "../lab/backup.yaml",
            "--profile",
            "admin",
            "--profile",
            "other=other-admin",
        ];
        if stage != Stage::Init {
            cloud.dr(&init).exits(0);
        }
        if matches!(
            stage,
            Stage::Drill
                | Stage::Verify
                | Stage::RestoreSnapshot
                | Stage::RestoreDump
                | Stage::RestoreFiles
        ) {
            // Two roles, one run: shared with the drill's account, and no drill yet.
            for role in ["scheduler", "copier"] {
                cloud
                    .dr(&["tick", "--policy", "../lab/drill.yaml", "--role", role])
                    .exits(0);
            }
        }
        if matches!(
            stage,
            Stage::RestoreSnapshot | Stage::RestoreDump | Stage::RestoreFiles
        ) {
            Stage::Drill.run(&cloud).exits(0);
            let hash = stage.run(&cloud).exits(2).plan_hash();
            std::fs::write(root.join(format!("{stage:?}.plan")), hash).expect("written");
        }
        let kept = cloud.stop_and_keep();
        let case = place(&format!("case-{stage:?}"));
        Self { root: kept, case }
    }

    /// A lab that starts from here. The database is there already; nothing is written to it.
    pub fn copy(&self) -> Cloud {
        drop(std::fs::remove_dir_all(&self.case));
        copy(&self.root, &self.case);
        Cloud::start_in(self.case.clone(), &["--empty"])
    }
}

impl Drop for Template {
    fn drop(&mut self) {
        for path in [&self.root, &self.case] {
            let _left = std::fs::remove_dir_all(path);
        }
    }
}

/// With owners and modes: the database's files are another user's.
fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp")
        .arg("-a")
        .arg(from)
        .arg(to)
        .status()
        .expect("cp runs");
    assert!(done.success(), "cp -a {} {}", from.display(), to.display());
}
