//! What must hold of any answer of a service. Shared with the fuzzer's targets (fuzz/).

use super::entries::told_shortly;
use dr::aws::{Clients, Credential, Keys, Place, Tuning};
use dr::model::{BucketName, Provider, Region, Role, Seconds};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

type Next = Arc<Mutex<(u16, Vec<u8>)>>;

/// A service that answers every request with the newest bytes it was given, and a client of it.
pub struct Service {
    url: String,
    next: Next,
    clients: Clients,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Service {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let next = Next::default();
        let given = next.clone();
        std::thread::spawn(move || {
            listener
                .incoming()
                .flatten()
                .for_each(|stream| answer(stream, &given))
        });
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("credentials");
        std::fs::write(&file, "[p]\naws_access_key_id=a\naws_secret_access_key=b\n")
            .expect("written");
        let only = Some(Credential::Profile {
            name: "p".into(),
            file: Some(file.display().to_string()),
        });
        let keys = Keys {
            file: None,
            profiles: BTreeMap::new(),
            by_target: BTreeMap::new(),
            by_source: BTreeMap::new(),
            only,
        };
        let clients = Clients::new(
            keys,
            Tuning {
                connect: Seconds(2),
                call: Seconds(5),
                attempts: 1,
            },
            BTreeMap::new(),
            None,
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        Self {
            url,
            next,
            clients,
            runtime,
            _folder: folder,
        }
    }

    /// Asks all that is answered in XML; `true` where something was found in it.
    pub fn answers(&self, status: u16, bytes: &[u8]) -> bool {
        *self.next.lock().expect("one thread") = (status, bytes.to_vec());
        self.runtime.block_on(self.asked())
    }

    async fn asked(&self) -> bool {
        let (region, name, endpoint) = (
            Region::new("eu-central-1"),
            BucketName::new("vault"),
            Some(self.url.as_str()),
        );
        let place = Place {
            region: &region,
            endpoint,
            bucket: &name,
            provider: Provider::Aws,
            kms_key: None,
            target: None,
            source: None,
        };
        let bucket = self.clients.bucket(Role::Copier, &place).await;
        let rds = self.clients.rds(Role::Copier, &region, endpoint).await;
        let mut found = false;
        let mut note = |result: Result<bool, dr::aws::Error>| match result {
            Ok(something) => found |= something,
            Err(e) => told_shortly(&e.to_string()),
        };
        note(bucket.versions("", 100).await.map(|rows| !rows.is_empty()));
        note(bucket.folders("", None, 100).await.map(|v| !v.is_empty()));
        note(bucket.keys("", 100).await.map(|v| !v.is_empty()));
        note(bucket.uploads("").await.map(|v| !v.is_empty()));
        note(
            bucket
                .lock_of("k", "v")
                .await
                .map(|v| matches!(v, dr::aws::s3::LockState::Until(..))),
        );
        note(
            rds.snapshot("s")
                .await
                .map(|v| v.is_some_and(|s| !s.arn.is_empty())),
        );
        note(rds.clusters().await.map(|v| !v.is_empty()));
        note(rds.shared_with("s").await.map(|v| !v.is_empty()));
        found
    }
}

/// One request, whatever it asks.
fn answer(mut stream: TcpStream, given: &Next) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = text
        .split("content-length: ")
        .nth(1)
        .and_then(|r| r.split('\r').next()?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    let _cut = stream.read_exact(&mut body);
    let (status, bytes) = given.lock().expect("one thread").clone();
    let _gone = write!(
        stream,
        "HTTP/1.1 {status} X\r\ndate: Tue, 24 Nov 2026 00:00:00 GMT\r\ncontent-type: \
         text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        bytes.len()
    );
    let _gone = stream.write_all(&bytes);
}
