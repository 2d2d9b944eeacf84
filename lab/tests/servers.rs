//! Real servers: the workload's law against what PostgreSQL holds, also in a snapshot taken while
//! it writes, and after kills.

use dr_lab::pg::server::Stop;
use dr_lab::pg::{
    Owner, Programs, Server, Spec, managed, session, snapshot, sweep, template, tree,
};
use dr_lab::workload::operation::{FileChange, FileContent};
use dr_lab::workload::writer::{self, Shared, Writer};
use dr_lab::workload::{OperationsLog, database};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;

struct Place {
    root: PathBuf,
    owner: Owner,
    programs: Programs,
}

impl Drop for Place {
    fn drop(&mut self) {
        sweep::sweep(&self.root);
        let _best_effort = std::fs::remove_dir_all(&self.root);
    }
}

impl Place {
    fn new(name: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let root = std::env::temp_dir().join(format!("drl-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&root).expect("a directory");
        std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o711)).expect("mode");
        let owner = Owner::of_this_process();
        owner.private_dir(&root.join("s")).expect("sockets");
        Self {
            root,
            owner,
            programs: Programs::find().expect("PostgreSQL"),
        }
    }

    async fn start(&self, data: &Path) -> Server {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a port")
            .port();
        let spec = Spec {
            programs: self.programs.clone(),
            owner: self.owner,
            data: data.to_owned(),
            sockets: self.root.join("s"),
            port,
            log: self.root.join("log"),
        };
        Server::start(spec).await.expect("started")
    }

    async fn shop(&self) -> Server {
        let template = template::ensure(
            &self.root,
            &self.programs,
            self.owner,
            template::Kind::Managed,
        )
        .expect("template");
        let data = self.root.join("clusters/shop");
        template::instantiate(&template, &data, self.owner).expect("copied");
        let server = self.start(&data).await;
        let admin = server.admin("postgres").await.expect("admin");
        admin
            .batch(&managed::master("master", "x y%z"))
            .await
            .expect("role");
        admin
            .batch("CREATE DATABASE shop OWNER master")
            .await
            .expect("database");
        server
    }

    fn shared(&self) -> Arc<Shared> {
        let log = OperationsLog::open(&self.root.join("operations.log")).expect("log");
        Arc::new(Shared::new(
            log,
            Arc::new(jiff::Timestamp::now),
            BTreeMap::new(),
        ))
    }
}

fn url(server: &Server) -> String {
    session::inside(server.sockets(), server.port(), "shop")
}

async fn equal(server: &Server, shared: &Arc<Shared>) {
    let equal = writer::reading_equals(&url(server), shared)
        .await
        .expect("readable");
    assert_eq!(equal, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_law_holds_after_stops_kills_and_in_snapshots() {
    let place = Place::new("law");
    let server = place.shop().await;
    let session = session::Session::url(&url(&server))
        .await
        .expect("connected");
    database::create(&session).await.expect("seeded");
    let shared = place.shared();
    equal(&server, &shared).await;

    // By hand, with files, far enough that deletes of every kind happen.
    let mut hand = Writer::connect(&url(&server), shared.clone())
        .await
        .expect("writer");
    for n in 1..=900i64 {
        if n % 40 == 0 {
            let content = (n % 120 != 0).then(|| FileContent {
                version: n.to_string(),
                sha256: format!("{n:064x}"),
            });
            shared.file_changed(FileChange {
                key: format!("tenants/1/{} 'ü'.txt", n / 120),
                content,
            });
        }
        hand.step().await.expect("a step");
    }
    drop(hand);
    equal(&server, &shared).await;

    // On its own, with a snapshot taken meanwhile, and the server killed under it.
    let (stop, told) = watch::channel(false);
    let running = tokio::spawn(writer::run(url(&server), shared.clone(), 400, told));
    while shared.progress().last_operation < 1_000 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let taken = place.root.join("snapshots/one");
    snapshot::take(
        &server.admin("postgres").await.expect("admin"),
        server.data(),
        &taken,
        place.owner,
    )
    .await
    .expect("a snapshot");
    let at_least = shared.progress().last_operation;
    while shared.progress().last_operation < at_least + 100 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let data = server.data().to_owned();
    server.kill().await;
    assert_eq!(sweep::processes_under(&data), []);
    stop.send(true).expect("told");
    running.await.expect("stopped");
    let acked = shared.progress().last_operation;

    let again = place.start(&data).await;
    // A new process of the lab would read the log from disk.
    let shared = place.shared();
    equal(&again, &shared).await;
    let mut hand = Writer::connect(&url(&again), shared.clone())
        .await
        .expect("writer");
    let next = hand.step().await.expect("a step");
    assert!(
        next == acked + 1 || next == acked + 2,
        "{next} after {acked}"
    );
    equal(&again, &shared).await;

    let restored = place.root.join("clusters/restored");
    tree::copy(&taken, &restored, place.owner, tree::Taken::All).expect("copied");
    let restored = place.start(&restored).await;
    let reading = dr_lab::workload::digest_of_database(&url(&restored))
        .await
        .expect("readable");
    assert!(
        reading
            .heartbeat
            .is_some_and(|n| (1_000..=at_least + 2).contains(&n)),
        "{:?}",
        reading.heartbeat
    );
    equal(&restored, &shared).await;
    restored.stop(Stop::Quick).await;
    again.stop(Stop::Clean).await;
    assert_eq!(sweep::processes_under(&place.root), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_ends_what_a_dead_lab_left() {
    let place = Place::new("sweep");
    let server = place.shop().await;
    let session = session::Session::url(&url(&server))
        .await
        .expect("connected");
    let busy = tokio::spawn(async move {
        session
            .batch("DO $$ BEGIN LOOP NULL; END LOOP; END $$")
            .await
            .is_err()
    });
    let root = place.root.clone();
    let ended = tokio::task::spawn_blocking(move || sweep::sweep(&root))
        .await
        .expect("swept");
    assert!(ended >= 4, "{ended} processes");
    assert_eq!(sweep::processes_under(&place.root), []);
    assert!(busy.await.expect("joined"));
}
