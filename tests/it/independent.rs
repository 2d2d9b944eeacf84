//! An S3 server that others wrote, started on loopback and ended with its test.

use crate::cloud::{place, until};
use crate::loopback;
use std::process::{Child, Command, Stdio};

/// Its server for IPv4 takes the port of `GATEWAY_LISTEN` and not the address.
const LOOPBACK_FIRST: &str = "
import runpy
from twisted.internet import endpoints
made = endpoints.TCP4ServerEndpoint.__init__
def on_loopback(self, reactor, port, backlog=50, interface='127.0.0.1'):
    made(self, reactor, port, backlog, interface)
endpoints.TCP4ServerEndpoint.__init__ = on_loopback
runpy.run_module('localstack.runtime.main', run_name='__main__')
";

/// The independent server, from its own Python environment (scripts/localstack.sh makes it).
pub struct LocalStack {
    child: Child,
    pub url: String,
    pub root: std::path::PathBuf,
}

impl LocalStack {
    pub fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/localstack.sh");
        let made = Command::new("bash")
            .arg(script)
            .stderr(Stdio::inherit())
            .output()
            .expect("bash runs");
        assert!(made.status.success(), "scripts/localstack.sh failed");
        let python = String::from_utf8_lossy(&made.stdout).trim().to_owned();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a free port")
            .port();
        let root = place("localstack");
        let mut command = Command::new(python);
        command
            .args(["-c", LOOPBACK_FIRST])
            .current_dir(&root)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
            .env("SERVICES", "s3")
            .env("SKIP_SSL_CERT_DOWNLOAD", "1")
            .env("DISABLE_EVENTS", "1")
            .env("HOME", &root)
            .env("TMPDIR", &root);
        command.env("GATEWAY_LISTEN", format!("127.0.0.1:{port}"));
        let child = command.spawn().expect("LocalStack starts");
        let url = format!("http://127.0.0.1:{port}");
        let mut stack = Self { child, url, root };
        until("LocalStack answers", || {
            ureq::get(format!("{}/_localstack/health", stack.url))
                .call()
                .ok()
        });
        if let Err(why) = loopback::only(&mut stack.child) {
            panic!("{why}");
        }
        stack
    }
}

impl Drop for LocalStack {
    fn drop(&mut self) {
        // It holds no state that anyone wants.
        let _gone = self.child.kill();
        let _ended = self.child.wait();
        let _removed = std::fs::remove_dir_all(&self.root);
    }
}
