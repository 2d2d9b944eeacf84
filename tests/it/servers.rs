//! Two PostgreSQL servers and a vault, without a service around them: what a dump takes from one
//! and a load puts into the other.

use crate::cloud::{Cloud, place};
use dr::aws::s3::PutOptions;
use dr::database::{Address, AsFound, Database, Postgres, Secret, Takes, Watch};
use dr::dump::{Compared, DumpError, DumpInput, LoadInput, Loaded, Scripts, facts_of};
use dr::manifest::{DatabaseFacts, Dump};
use dr::model::{
    Lock, LockMode, ObjectKey, PolicyName, RunId, Seconds, Sha256, Slot, SourceId, TargetName,
};
use dr::plan::Refusals;
use dr::vault::Vault;
use dr_lab::pg::{Owner, Programs, Server, Spec, snapshot, sweep, template};
use futures_util::future::BoxFuture;
use std::path::PathBuf;
use std::sync::Mutex;
use tokio::runtime::Runtime;

const PATIENCE: Seconds = Seconds(30);

/// Asks nobody how far a load is.
struct Nobody;

impl Watch for Nobody {
    fn told(&self, _: u64, _: u64, _: &str) {}

    fn pause(&self) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(false))
    }
}

/// A server of its own, with a superuser `postgres`.
pub struct Bare {
    root: PathBuf,
    server: Server,
    programs: Programs,
}

impl Drop for Bare {
    fn drop(&mut self) {
        sweep::sweep(&self.root);
        drop(std::fs::remove_dir_all(&self.root));
    }
}

impl Bare {
    pub async fn start(name: &str) -> Self {
        Self::start_with(name, Programs::find().expect("PostgreSQL")).await
    }

    /// Of another version than the one that is found first.
    pub async fn start_with(name: &str, programs: Programs) -> Self {
        let (root, owner) = (place(name), Owner::of_this_process());
        let from =
            template::ensure(&root, &programs, owner, template::Kind::Plain).expect("a template");
        template::instantiate(&from, &root.join("data/1"), owner).expect("a data directory");
        let bare = Self::run(root, programs).await;
        bare.sql(
            "postgres",
            "CREATE ROLE postgres SUPERUSER LOGIN PASSWORD 'pw'",
        )
        .await;
        bare
    }

    /// What is in `data/1` below a folder.
    async fn run(root: PathBuf, programs: Programs) -> Self {
        let owner = Owner::of_this_process();
        owner.private_dir(&root.join("s")).expect("sockets");
        let server = Server::start(Spec {
            programs: programs.clone(),
            owner,
            data: root.join("data/1"),
            sockets: root.join("s"),
            port: dr_lab::listen::free_port().expect("a port"),
            log: root.join("log"),
        });
        Self {
            server: server.await.expect("started"),
            programs,
            root,
        }
    }

    /// A server that runs what a storage snapshot of this one holds.
    pub async fn copied(&self, name: &str) -> Self {
        let (root, owner) = (place(name), Owner::of_this_process());
        template::open_dir(&root.join("data")).expect("a folder");
        let session = self.server.admin("postgres").await.expect("the socket");
        let (from, to) = (self.root.join("data/1"), root.join("data/1"));
        snapshot::take(&session, &from, &to, owner)
            .await
            .expect("taken");
        Self::run(root, self.programs.clone()).await
    }

    /// As the superuser that no dump carries.
    pub async fn sql(&self, database: &str, sql: &str) {
        let session = self.server.admin(database).await.expect("the socket");
        session.batch(sql).await.expect("done");
    }

    pub async fn text(&self, database: &str, sql: &str) -> String {
        let session = self.server.admin(database).await.expect("the socket");
        session
            .text(sql)
            .await
            .expect("an answer")
            .unwrap_or_default()
    }

    /// Below its data directory.
    pub fn file(&self, path: &str) -> PathBuf {
        self.root.join("data/1").join(path)
    }

    pub fn address(&self, database: &str, user: &str) -> Address {
        Address {
            host: "127.0.0.1".into(),
            port: self.server.port(),
            database: database.into(),
            user: user.into(),
            password: Secret("pw".into()),
            ca_file: None,
        }
    }

    pub async fn connect(&self, database: &str) -> Postgres {
        let address = self.address(database, "postgres");
        Postgres::connect(&address, PATIENCE)
            .await
            .expect("connected")
    }
}

pub struct Rig {
    pub from: Bare,
    pub to: Bare,
    cloud: Cloud,
    runtime: Runtime,
    /// Who dumps.
    pub user: &'static str,
    as_found: Mutex<Option<AsFound>>,
}

impl Rig {
    /// Both servers hold an empty database `shop`.
    pub fn new(name: &str) -> Self {
        let found = || Programs::find().expect("PostgreSQL");
        Self::between(name, found(), found())
    }

    /// The same with servers of two versions.
    pub fn between(name: &str, from: Programs, to: Programs) -> Self {
        let cloud = Cloud::start(name, &["--no-writers"]);
        cloud.init();
        let runtime = Runtime::new().expect("a runtime");
        let (from, to) = runtime.block_on(async {
            let (from, to) =
                tokio::join!(Bare::start_with("from", from), Bare::start_with("to", to));
            for server in [&from, &to] {
                server
                    .sql("postgres", "CREATE DATABASE shop TEMPLATE template0")
                    .await;
            }
            (from, to)
        });
        Self {
            from,
            to,
            cloud,
            runtime,
            user: "postgres",
            as_found: Mutex::default(),
        }
    }

    /// What the next dump says of the database beside its rows.
    pub fn found(&self, as_found: Option<AsFound>) {
        *self.as_found.lock().expect("nobody panicked") = as_found;
    }

    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub async fn vault(&self) -> Vault {
        let bucket = self
            .cloud
            .bucket("admin", "eu-central-1", "dr-vault-central");
        Vault {
            bucket: bucket.await,
            target: TargetName::new("central"),
        }
    }

    pub fn lock() -> Lock {
        Lock {
            mode: LockMode::Governance,
            retain_until: dr::world::World::default().now() + jiff::SignedDuration::from_hours(48),
        }
    }

    pub async fn dump(&self) -> Result<Dump, DumpError> {
        self.dump_of(&self.from.address("shop", self.user)).await
    }

    /// Of another server.
    pub async fn dump_of(&self, address: &Address) -> Result<Dump, DumpError> {
        let vault = self.vault().await;
        let input = DumpInput {
            address,
            vault: &vault,
            lock: Self::lock(),
            prefix: "dump/shop/20260101T000000Z/drill-20260101T000000Z",
            streams: 2,
            part_size_bytes: 8 << 20,
            chunk_pages: 1000,
            timeout: PATIENCE,
            as_found: self.as_found.lock().expect("nobody panicked").take(),
        };
        let written = dr::dump::dump::<Postgres>(&input).await?;
        Ok(Dump {
            policy: PolicyName::new("shop"),
            slot: Slot::parse("20260101T000000Z").expect("a slot"),
            run: RunId::parse("drill-20260101T000000Z").expect("a run"),
            source: SourceId::new("shop-main"),
            target: TargetName::new("central"),
            at: dr::world::World::default().now(),
            database: "shop".into(),
            server_version: written.server_version,
            sections: written.sections,
            tables: written.tables,
            unread: written.unread,
            collations: written.collations,
            excluded: written.excluded,
        })
    }

    /// Of objects that are not complete.
    pub async fn uploads(&self) -> usize {
        let bucket = self.vault().await.bucket;
        bucket.uploads("").await.expect("listed").len()
    }

    /// Into a database of the second server.
    pub async fn load(&self, dump: &Dump, to: &Address) -> Result<Loaded, DumpError> {
        self.load_watched(dump, to, &Nobody).await
    }

    pub async fn load_watched(
        &self,
        dump: &Dump,
        to: &Address,
        watch: &dyn Watch,
    ) -> Result<Loaded, DumpError> {
        self.load_so(dump, to, (watch, Refusals::Told)).await
    }

    /// All of it, or nobody is let in.
    pub async fn load_strictly(&self, dump: &Dump, to: &Address) -> Result<Loaded, DumpError> {
        self.load_so(dump, to, (&Nobody, Refusals::End)).await
    }

    async fn load_so(
        &self,
        dump: &Dump,
        to: &Address,
        (watch, refusals): (&dyn Watch, Refusals),
    ) -> Result<Loaded, DumpError> {
        let vault = self.vault().await;
        let facts = facts_of(&vault, dump).await?;
        let input = LoadInput {
            watch,
            refusals,
            ..Self::input(dump, to, (&vault, facts.as_ref()))
        };
        dr::dump::load::<Postgres>(&input).await
    }

    /// What a database has otherwise than a dump, that was loaded into it, or into another.
    pub async fn compare(&self, dump: &Dump, to: &Address) -> Compared {
        let vault = self.vault().await;
        let facts = facts_of(&vault, dump).await.expect("read");
        let input = Self::input(dump, to, (&vault, facts.as_ref()));
        let scripts = Scripts::read::<Postgres>(&input).await.expect("read");
        let compared = dr::dump::compare::<Postgres>(&input, &scripts, &[]).await;
        compared.expect("compared")
    }

    fn input<'a>(
        dump: &'a Dump,
        address: &'a Address,
        (vault, facts): (&'a Vault, Option<&'a DatabaseFacts>),
    ) -> LoadInput<'a> {
        LoadInput {
            address,
            vault,
            dump,
            facts,
            mark: "a test",
            streams: 2,
            timeout: PATIENCE,
            takes: Takes::All { sessions: 3 },
            refusals: Refusals::Told,
            watch: &Nobody,
        }
    }

    /// As a restore does that looked at what it loaded.
    pub async fn forget(&self, to: &Address) {
        let session = Postgres::connect(to, PATIENCE).await.expect("connected");
        session.forget_load().await.expect("forgotten");
    }

    /// The text of a section.
    pub async fn section(&self, dump: &Dump, name: &str) -> String {
        let chunk = &dump
            .sections
            .iter()
            .find(|s| s.name == name)
            .expect(name)
            .chunk;
        let bucket = self.vault().await.bucket;
        let got = bucket
            .get(chunk.key.as_str(), Some(chunk.version.as_str()), 1 << 20)
            .await
            .expect("there");
        String::from_utf8(zstd::decode_all(&got.bytes[..]).expect("zstd")).expect("text")
    }

    /// The same dump with another text as a section, as somebody else's program would write it.
    pub async fn with_section(&self, dump: &Dump, name: &str, text: &str) -> Dump {
        let mut changed = dump.clone();
        let section = changed
            .sections
            .iter_mut()
            .find(|s| s.name == name)
            .expect(name);
        let bytes = zstd::encode_all(text.as_bytes(), 1).expect("zstd");
        let options = PutOptions {
            lock: Some(Self::lock()),
            ..Default::default()
        };
        let chunk = &mut section.chunk;
        chunk.key = ObjectKey::new(format!("{}-other", chunk.key));
        chunk.sha256 = Sha256::of(&bytes);
        let bucket = self.vault().await.bucket;
        let put = bucket
            .put(chunk.key.as_str(), bytes.into(), &options)
            .await
            .expect("put");
        chunk.version = dr::model::VersionId::new(put.version.expect("a version"));
        changed
    }
}
