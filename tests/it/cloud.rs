//! The practice cloud as a process of its own, and `dr` as a user runs it.

use crate::stores::{bucket, clients, raw};
use dr::aws::s3::Bucket;
use dr::model::Provider;
use dr::world::World;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A child that is not ready or does not end after this long is a failure, not a slow machine.
pub const PATIENCE_S: u64 = 120;

/// `dr`, as cargo built it for these tests.
pub const DR: &str = env!("CARGO_BIN_EXE_dr");

/// `dr-lab` beside it. Cargo builds only the binaries of the package under test: `make test` builds
/// both first.
pub fn dr_lab() -> PathBuf {
    let path = Path::new(DR).with_file_name("dr-lab");
    assert!(
        path.is_file(),
        "{} is missing; type: cargo build --workspace --bins",
        path.display()
    );
    path
}

/// A directory of its own that the database's user can walk into; memory where there is some.
pub fn place(name: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let base = if Path::new("/dev/shm").is_dir() {
        PathBuf::from("/dev/shm")
    } else {
        std::env::temp_dir()
    };
    let path = base.join(format!(
        "dr-it-{name}-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    ));
    drop(std::fs::remove_dir_all(&path));
    std::fs::create_dir_all(&path).expect("a directory");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o711)).expect("its mode");
    path
}

pub struct Cloud {
    child: Child,
    _stdout: BufReader<ChildStdout>,
    pub root: PathBuf,
    pub ready: Value,
    keep: bool,
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

impl Ran {
    /// The answer of a command that ran with `--json`.
    pub fn json(&self) -> Value {
        let line = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON ({e}): {self:?}"))
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// The hash of the plan that a restore showed.
    #[track_caller]
    pub fn plan_hash(&self) -> String {
        let shown = self.json();
        let hash = shown["plan"]["hash"].as_str();
        hash.unwrap_or_else(|| panic!("no plan: {shown}"))
            .to_owned()
    }

    /// Codes of the findings of a `--json` answer.
    pub fn findings(&self) -> Vec<String> {
        self.json()["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|f| f["code"].as_str().map(str::to_owned))
            .collect()
    }
}

/// A restore as two commands: its plan is shown, then confirmed by its hash.
#[track_caller]
pub fn confirmed(words: &[&str], run: impl Fn(&[&str]) -> Ran) -> Ran {
    let hash = run(words).exits(2).plan_hash();
    run(&[words, &["--yes", "--plan", &hash]].concat())
}

impl Cloud {
    /// A new lab: `&[]`, `&["--no-writers"]`, `&["--empty"]`.
    pub fn start(name: &str, flags: &[&str]) -> Self {
        Self::start_in(place(name), flags)
    }

    /// A lab in a directory that may hold the state of an earlier one.
    pub fn start_in(root: PathBuf, flags: &[&str]) -> Self {
        let mut command = Command::new(dr_lab());
        command
            .args(["up", "--json", "--dir"])
            .arg(root.join("lab"))
            .args(flags);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().expect("dr-lab starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        // It says one line when it is ready, and closes its end when it cannot start.
        stdout.read_line(&mut line).expect("a line of dr-lab");
        let ready: Value = serde_json::from_str(&line)
            .unwrap_or_else(|e| panic!("dr-lab did not become ready ({e}): {line}"));
        std::fs::create_dir_all(root.join("home")).expect("a home");
        Self {
            child,
            _stdout: stdout,
            root,
            ready,
            keep: false,
        }
    }

    pub fn policy(&self) -> PathBuf {
        self.root.join("lab/policy.yaml")
    }

    /// Writes another policy beside the lab's own: its text, changed.
    pub fn policy_with(&self, name: &str, change: impl FnOnce(String) -> String) -> PathBuf {
        let text = change(std::fs::read_to_string(self.policy()).expect("the lab's policy"));
        let path = self.root.join("lab").join(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    pub fn endpoint(&self, region: &str, service: &str) -> String {
        self.ready["endpoints"][region][service]
            .as_str()
            .unwrap_or_else(|| panic!("no {service} in {region}"))
            .to_owned()
    }

    /// Access key and secret of a role at `aws` or `other`.
    pub fn key(&self, provider: &str, role: &str) -> (String, String) {
        let key = &self.ready["roles"][provider][role];
        let text = |name: &str| key[name].as_str().expect("a key").to_owned();
        (text("access_key_id"), text("secret_access_key"))
    }

    /// `dr` with an environment of its own and nothing of ours.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(DR);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", World::default().env("PATH").unwrap_or_default());
        command
            .env("HOME", self.root.join("home"))
            .env("DR_POLICY", self.policy())
            .current_dir(self.root.join("home"));
        command.stdin(Stdio::null());
        command
    }

    pub fn dr(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().expect("dr runs").into()
    }

    /// With the keys of one role in the environment, and no policy.
    pub fn dr_as(&self, provider: &str, role: &str, arguments: &[&str]) -> Ran {
        let (id, secret) = self.key(provider, role);
        let mut command = self.command(arguments);
        command
            .env_remove("DR_POLICY")
            .env("AWS_ACCESS_KEY_ID", id)
            .env("AWS_SECRET_ACCESS_KEY", secret);
        command.output().expect("dr runs").into()
    }

    /// Vaults made and probed.
    pub fn init(&self) -> &Self {
        self.dr(&[
            "vault",
            "init",
            "--profile",
            "admin",
            "--profile",
            "other=other-admin",
        ])
        .exits(0);
        self
    }

    fn url(&self, path: &str) -> String {
        format!(
            "{}{path}",
            self.ready["control"].as_str().expect("a control endpoint")
        )
    }

    /// Asks the control endpoint.
    pub fn ask(&self, path: &str) -> Value {
        let answer = ureq::get(self.url(path)).call();
        answer
            .and_then(|mut a| a.body_mut().read_json())
            .unwrap_or_else(|e| panic!("GET {path}: {e}"))
    }

    pub fn tell(&self, path: &str, body: &Value) -> Value {
        let answer = ureq::post(self.url(path)).send_json(body);
        answer
            .and_then(|mut a| a.body_mut().read_json())
            .unwrap_or_else(|e| panic!("POST {path} {body}: {e}"))
    }

    /// The number of the newest call.
    pub fn now(&self) -> u64 {
        let calls = self.calls(0);
        calls.last().and_then(|c| c["n"].as_u64()).unwrap_or(0)
    }

    pub fn calls(&self, since: u64) -> Vec<Value> {
        self.ask(&format!("/calls?since={since}"))["calls"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// Adds a fault; its id.
    pub fn fault(&self, wanted: &Value, times: u64, what: &Value) -> u64 {
        self.tell(
            "/faults",
            &json!({"match": wanted, "times": times, "do": what}),
        )["id"]
            .as_u64()
            .expect("an id")
    }

    pub fn clear_faults(&self) {
        let answer = ureq::delete(self.url("/faults")).call();
        assert!(answer.is_ok(), "{answer:?}");
    }

    /// What a fault has seen and holds.
    pub fn fault_state(&self, id: u64) -> Value {
        let all = self.ask("/faults");
        all["faults"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|f| f["id"] == id)
            .cloned()
            .unwrap_or_else(|| panic!("no fault {id}"))
    }

    pub fn region(&self, region: &str, what: &str) {
        self.tell("/region", &json!({"region": region, "do": what}));
    }

    /// Ends the lab in order and keeps its directory for another.
    pub fn stop_and_keep(mut self) -> PathBuf {
        self.keep = true;
        self.stop();
        self.root.clone()
    }

    fn stop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX));
        // Gone already is as good.
        let _gone = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        drop(self.child.wait());
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        if !self.keep {
            self.stop();
            let left = dr_lab::pg::sweep::processes_under(&self.root);
            drop(std::fs::remove_dir_all(&self.root));
            if !std::thread::panicking() {
                assert_eq!(left, [], "processes outlived the lab");
            }
        }
    }
}

/// Waits for a condition, with the patience of all tests.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = World::default().monotonic();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            start.elapsed().as_secs() < PATIENCE_S,
            "{what}: not within {PATIENCE_S} s"
        );
        std::thread::yield_now();
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
}

/// A figure of a test, for people who read its output.
#[expect(
    clippy::print_stdout,
    reason = "the one place where a test tells what it measured"
)]
pub fn say(line: &str) {
    println!("{line}");
}

impl Cloud {
    /// A bucket with the key of a profile of D/credentials (`admin`, `other-copier`, …).
    pub async fn bucket(&self, profile: &str, region: &str, name: &str) -> Bucket {
        let file = self.root.join("lab/credentials");
        let provider = if region == "other" {
            Provider::Compatible
        } else {
            Provider::Aws
        };
        bucket(
            &clients(file.to_str().expect("a path"), profile),
            &self.endpoint(region, "s3"),
            region,
            name,
            provider,
        )
        .await
    }

    /// S3 of a region with a role's key: the SDK itself, for what `dr` never does.
    pub fn s3(&self, role: &str, region: &str) -> aws_sdk_s3::Client {
        let provider = if region == "other" { "other" } else { "aws" };
        let (id, secret) = self.key(provider, role);
        raw(&self.endpoint(region, "s3"), region, &id, &secret)
    }

    /// RDS of a region with a role's key.
    pub fn rds(&self, role: &str, region: &str) -> aws_sdk_rds::Client {
        let (id, secret) = self.key("aws", role);
        let config = aws_sdk_rds::Config::builder()
            .behavior_version(aws_sdk_rds::config::BehaviorVersion::v2026_01_12())
            .region(aws_sdk_rds::config::Region::new(region.to_owned()))
            .endpoint_url(self.endpoint(region, "rds"))
            .credentials_provider(aws_credential_types::Credentials::new(
                id, secret, None, None, "test",
            ));
        aws_sdk_rds::Client::from_conf(config.build())
    }
}
