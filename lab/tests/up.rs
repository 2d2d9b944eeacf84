//! `dr-lab up` as a process: its line, its doors, and that nothing is left however it ends.

use dr_lab::pg::{sockets, sweep};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A lab that is killed when a test fails, so that its watchdog sweeps.
struct Up {
    child: Child,
    ready: Value,
    dir: PathBuf,
}

impl Drop for Up {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

impl Up {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dr-lab"));
        let mut child = command
            .args(["up", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("a line");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        // The lab's own directory is where its lock is held open.
        let fds = std::fs::read_dir(format!("/proc/{}/fd", child.id())).expect("its files");
        let lock = fds
            .flatten()
            .filter_map(|f| std::fs::read_link(f.path()).ok())
            .find(|p| p.ends_with("lock"))
            .expect("a lock");
        Self {
            child,
            ready,
            dir: lock.parent().expect("a directory").to_owned(),
        }
    }

    fn text(&self, pointer: &str) -> &str {
        self.ready
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no {pointer} in {}", self.ready))
    }

    fn control(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let body = body.map(|b| b.to_string()).unwrap_or_default();
        let (status, answer) = ask(
            self.text("/control"),
            method,
            path,
            &[("content-type", "application/json")],
            &body,
        );
        (status, serde_json::from_str(&answer).unwrap_or(Value::Null))
    }

    fn terminate(mut self) -> (ExitStatus, PathBuf) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("told");
        (self.child.wait().expect("ended"), self.dir.clone())
    }

    fn kill(mut self) -> PathBuf {
        self.child.kill().expect("killed");
        let _status = self.child.wait().expect("ended");
        self.dir.clone()
    }
}

/// One request on a connection of its own.
fn ask(url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let host = url.strip_prefix("http://").expect("plain http");
    let mut stream = TcpStream::connect(host).expect("connected");
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    if !headers.iter().any(|(name, _)| *name == "host") {
        request.push_str(&format!("host: {host}\r\n"));
    }
    headers
        .iter()
        .for_each(|(name, value)| request.push_str(&format!("{name}: {value}\r\n")));
    stream
        .write_all(format!("{request}\r\n{body}").as_bytes())
        .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .expect("a status");
    (
        status,
        answer
            .split_once("\r\n\r\n")
            .map(|(_, body)| body.to_owned())
            .unwrap_or_default(),
    )
}

/// Signs as a program of AWS does.
fn signed(up: &Up, role: &str, service: &str, body: &str) -> (u16, String) {
    let region = "eu-west-3";
    let url = up
        .text(&format!("/endpoints/{region}/{service}"))
        .to_owned();
    let host = url.strip_prefix("http://").expect("plain http");
    let time = jiff::Timestamp::now()
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string();
    let scope = format!("{}/{region}/{service}/aws4_request", &time[..8]);
    let canonical = format!(
        "POST\n/\n\nhost:{host}\nx-amz-date:{time}\n\nhost;x-amz-date\n{}",
        hex::encode(Sha256::digest(body))
    );
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
        hex::encode(Sha256::digest(canonical))
    );
    let hmac = |key: &[u8], data: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
        mac.update(data.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let secret = format!(
        "AWS4{}",
        up.text(&format!("/roles/aws/{role}/secret_access_key"))
    );
    let key = scope
        .split('/')
        .fold(secret.into_bytes(), |key, part| hmac(&key, part));
    let id = up.text(&format!("/roles/aws/{role}/access_key_id"));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders=host;x-amz-date, Signature={}",
        hex::encode(hmac(&key, &to_sign))
    );
    let headers = [
        ("x-amz-date", time.as_str()),
        ("authorization", &authorization),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    ask(&url, "POST", "/", &headers, body)
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn refuses(url: &str) -> bool {
    TcpStream::connect(url.strip_prefix("http://").expect("plain http")).is_err()
}

fn nothing_left(dir: &Path) {
    assert_eq!(sweep::processes_under(dir), []);
    assert!(!sockets::directory(dir).exists());
}

#[test]
fn an_empty_lab_says_one_line_answers_and_leaves_nothing_after_sigterm() {
    let up = Up::start(&["--empty"]);
    assert_eq!(
        (up.text("/schema"), up.text("/latency_profile")),
        ("dr-lab/up/1", "none")
    );
    assert_eq!(up.ready["pid"], up.child.id());
    assert_eq!(up.ready["clusters"], json!([]));
    let (status, identity) = signed(
        &up,
        "scheduler",
        "sts",
        "Action=GetCallerIdentity&Version=2011-06-15",
    );
    assert_eq!(status, 200, "{identity}");
    assert!(
        identity.contains("<Account>111111111111</Account>")
            && identity.contains("assumed-role/scheduler/"),
        "{identity}"
    );

    let (_, calls) = up.control("GET", "/calls?since=0", None);
    assert_eq!(calls["calls"][0]["operation"], "GetCallerIdentity");
    let refusal = json!({"match": {"service": "sts"}, "do": {"kind": "refuse", "code": "Nope",
    "status": 418}});
    assert_eq!(
        up.control("POST", "/faults", Some(refusal)),
        (200, json!({"id": 1}))
    );
    assert_eq!(
        signed(&up, "auditor", "sts", "Action=GetCallerIdentity").0,
        418
    );
    assert_eq!(
        signed(&up, "auditor", "sts", "Action=GetCallerIdentity").0,
        200
    );
    assert_eq!(
        up.control("DELETE", "/faults", None),
        (200, json!({"faults": []}))
    );

    let (url, sts) = (
        up.text("/control").to_owned(),
        up.text("/endpoints/eu-west-3/sts").to_owned(),
    );
    assert_eq!(
        ask(&url, "GET", "/clock", &[("host", "lab.example")], "").0,
        403
    );
    assert_eq!(
        ask(&url, "GET", "/clock", &[("origin", "http://127.0.0.1")], "").0,
        403
    );
    assert_eq!(
        up.control(
            "POST",
            "/region",
            Some(json!({"region": "eu-west-3", "do": "down"}))
        )
        .0,
        200
    );
    assert!(refuses(&sts) && !refuses(up.text("/endpoints/eu-central-1/sts")));
    assert_eq!(up.control("POST", "/regions/eu-west-3/up", None).0, 200);
    assert!(!refuses(&sts));
    assert_eq!(up.control("POST", "/regions/mars/down", None).0, 422);
    assert_eq!(
        up.control("GET", "/leftovers", None).1,
        json!({"clusters": 0, "instances": 0, "uploads": 0, "processes": 0})
    );

    assert!(up.dir.join("policy.yaml").exists());
    let (status, dir) = up.terminate();
    assert!(status.success(), "{status}");
    assert!(!dir.exists() && refuses(&url) && refuses(&sts));
    nothing_left(&dir);
}

#[test]
fn after_kill_9_nothing_is_left_and_the_next_start_goes_on_with_ports_keys_and_clusters() {
    let dir = std::env::temp_dir().join(format!("drl-up-{}", std::process::id()));
    let shown = dir.to_str().expect("a path").to_owned();
    let first = Up::start(&["--dir", &shown, "--no-writers"]);
    assert_eq!(first.dir, dir);
    assert!(!sweep::processes_under(&dir).is_empty());
    assert_eq!(
        first
            .control("POST", "/clock", Some(json!({"advance_s": 7})))
            .1["offset_s"],
        7
    );
    let known = first.ready.clone();
    let url = first.text("/clusters/0/url").to_owned();
    let taken = Command::new(env!("CARGO_BIN_EXE_dr-lab"))
        .args(["up", "--dir", &shown])
        .output()
        .expect("ran");
    assert!(
        !taken.status.success()
            && String::from_utf8_lossy(&taken.stderr)
                .contains(&format!("kill {}", first.child.id()))
    );

    first.kill();
    // At once: it waits for the sweep of the one before.
    let second = Up::start(&["--dir", &shown, "--no-writers"]);
    for field in [
        "endpoints",
        "roles",
        "clusters",
        "buckets",
        "kms_keys",
        "control",
    ] {
        assert_eq!(second.ready[field], known[field], "{field}");
    }
    assert_eq!(second.control("GET", "/clock", None).1["offset_s"], 7);
    let (_, found) = second.control(
        "GET",
        &format!(
            "/digest?url={}",
            percent_encoding::utf8_percent_encode(&url, percent_encoding::NON_ALPHANUMERIC)
        ),
        None,
    );
    let (_, wanted) = second.control("GET", &format!("/expected?n={}", found["heartbeat"]), None);
    assert_eq!(found["tables"], wanted["tables"]);
    assert!(
        found["tables"].as_object().is_some_and(|t| t.len() >= 10),
        "{found}"
    );

    second.kill();
    wait_until("the watchdog sweeps", || {
        sweep::processes_under(&dir).is_empty() && !sockets::directory(&dir).exists()
    });
    std::fs::remove_dir_all(&dir).expect("removed");
}

#[test]
fn a_temporary_lab_that_is_killed_takes_its_directory_along() {
    let up = Up::start(&["--empty"]);
    let dir = up.kill();
    wait_until("the watchdog removes it", || !dir.exists());
    nothing_left(&dir);
}
