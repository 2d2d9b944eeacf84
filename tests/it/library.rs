//! The operations without the command line, and every action performed twice in a row: what a crash
//! between an effect and its entry makes of it.

use crate::cloud::Cloud;
use crate::servers::Bare;
use dr::aws::Clients;
use dr::aws::s3::PutOptions;
use dr::database::{Address, Logins, Secret};
use dr::engine::RunExit;
use dr::journal::{Event, Outcome, RunState, StepState, fold};
use dr::manifest::Document;
use dr::model::{
    BucketName, ClusterId, Method, Name, ObjectKey, Region, Role, RunId, RunKind, Slot, SourceId,
    TargetName,
};
use dr::operations::restore::{
    BucketDestination, ClusterDestination, DatabaseDestination, RestoreRequest, RestoreSource,
    choose, execute, options, reach,
};
use dr::operations::vault_alone::Endpoints;
use dr::operations::{Loaded, Surroundings, drill, load, tick};
use dr::plan::{
    BackupInput, Evidence, Plan, SpreadProofs, StoredAction, SweepDrill, SweepInput, Teardown,
    VerbInput, VerifyPoint, WriteProofs, backup, sweep,
};
use dr::policy::{Databases, PostgresSource, Reader, Source};
use dr::steps::{Context, Progress, Said, Secrets, perform};
use dr::world::World;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::runtime::Runtime;

/// With as much stack as a process begins with: unoptimized futures are large.
fn on_main(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(8 << 20);
    let ended = thread.spawn(work).expect("a thread").join();
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

struct Silent;

impl Progress for Silent {
    fn report(&self, _: &str, _: u64, _: u64, _: &str) {}
}

fn loaded(cloud: &Cloud) -> Loaded {
    load(&cloud.policy()).expect("the lab's policy")
}

/// A restore by the policy, with nothing said but the method.
fn request(cloud: &Cloud, method: Method) -> RestoreRequest {
    RestoreRequest {
        source: RestoreSource::Policy(Box::new(loaded(cloud))),
        profile: None,
        endpoints: Endpoints::default(),
        method: Some(method),
        of: None,
        of_database: None,
        point: None,
        before: None,
        target: None,
        cluster: ClusterDestination::default(),
        database: DatabaseDestination::default(),
        bucket: BucketDestination::default(),
        postgres_ca_file: None,
        incident_at: None,
        take_over: false,
        journal_file: None,
    }
}

fn to_files(cloud: &Cloud) -> RestoreRequest {
    let mut request = request(cloud, Method::Files);
    request.bucket.bucket = Some(BucketName::new("recovered-files"));
    request.bucket.region = Some(Region::new("eu-central-1"));
    request
}

fn to_cluster(cloud: &Cloud, id: &str) -> RestoreRequest {
    let mut request = request(cloud, Method::Snapshot);
    request.cluster.id = Some(ClusterId::new(id));
    request.cluster.master_password = Some(Secret("a-password-of-a-test".into()));
    request
}

#[test]
fn a_backup_a_drill_and_a_restore_need_no_command_line() {
    on_main(backup_drill_restore);
}

fn backup_drill_restore() {
    let cloud = Cloud::start("library", &["--no-writers"]);
    cloud.init();
    let world = World::default();
    let around = Surroundings {
        world: &world,
        progress: &Silent,
    };
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let policy = loaded(&cloud);
        let request = tick::TickRequest { role: None };
        let ticked = Box::pin(tick::tick(around, &policy, &request))
            .await
            .expect("ticked");
        let left = |r: &dr::engine::Report| matches!(r.left, RunExit::Finished(Outcome::Complete));
        assert!(ticked.runs.iter().all(left) && ticked.runs.len() == 2);
        assert!(ticked.findings.is_empty(), "{:?}", ticked.findings);
        let request = drill::DrillRequest {
            point: None,
            role: None,
        };
        let drilled = Box::pin(drill::drill(around, &policy, &request))
            .await
            .expect("drilled");
        assert!(drilled.passed && left(&drilled.report));
        assert!(drilled.proofs.len() >= 5, "{}", drilled.proofs.len());
        let request = to_files(&cloud);
        let places = reach(&world, &request).await.expect("reached");
        let all = options(&places, None);
        let choice = choose(&places, &all, Method::Files, &request).await;
        let choice = choice.expect("a choice");
        let began = world.now();
        let restored = Box::pin(execute(around, &request, &places, &choice, began)).await;
        let restored = restored.expect("restored");
        assert!(left(&restored.report) && restored.measured.objects > 0);
    });
}

/// Every version in both vaults, every cluster and every snapshot, by name. Probes put new objects
/// each time: that is what they are for.
async fn everything(cloud: &Cloud) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let places = [
        ("eu-central-1", "dr-vault-central"),
        ("other", "dr-vault-other"),
        ("eu-central-1", "dr-scratch"),
        ("eu-central-1", "recovered-files"),
    ];
    for (region, name) in places {
        let profile = if region == "other" {
            "other-admin"
        } else {
            "admin"
        };
        let bucket = cloud.bucket(profile, region, name).await;
        let rows = bucket.versions("", 100_000).await.expect("listed");
        let probes = |key: &str| key.starts_with("probe/") || key.contains("/probe-");
        let kept = rows.iter().filter(|r| !probes(&r.key));
        all.extend(kept.map(|r| format!("{name}/{} {}", r.key, r.version)));
    }
    for region in ["eu-west-3", "eu-central-1"] {
        let rds = cloud.rds("admin", region);
        let clusters = rds.describe_db_clusters().send().await.expect("clusters");
        let ids = clusters.db_clusters().iter();
        all.extend(ids.filter_map(|c| Some(format!("cluster {}", c.db_cluster_identifier()?))));
        let snapshots = rds.describe_db_cluster_snapshots().send().await;
        let snapshots = snapshots.expect("snapshots");
        let ids = snapshots.db_cluster_snapshots().iter();
        all.extend(ids.filter_map(|s| Some(s.db_cluster_snapshot_arn()?.to_owned())));
    }
    all
}

/// Without how long it took and when it was asked.
fn told(evidence: &Evidence) -> Value {
    let mut value = serde_json::to_value(evidence).expect("stored form");
    for field in ["took_s", "answered_at"] {
        if let Some(fields) = value.as_object_mut() {
            fields.remove(field);
        }
    }
    value
}

struct Twice<'a> {
    cloud: &'a Cloud,
    clients: &'a Clients,
    world: &'a World,
    logins: &'a Logins,
    policy: &'a str,
    plan: Plan,
    state: RunState,
    secrets: Secrets,
    database: Option<Address>,
    seen: BTreeSet<String>,
}

impl Twice<'_> {
    async fn step(&mut self, n: usize) {
        let step = self.plan.steps[n].clone();
        let context = Context {
            world: self.world,
            clients: self.clients,
            plan: &self.plan,
            state: &self.state,
            role: step.role,
            step: &step.id,
            progress: &Silent,
            secrets: self.secrets.clone(),
            logins: self.logins,
            database: self.database.as_ref(),
            policy: Some(self.policy),
            said: &Said::default(),
        };
        let name = step.action.name();
        let first = perform(&step.action, &context).await;
        let first = first.unwrap_or_else(|e| panic!("{name}: {}", dr::report::full(&e)));
        let after = everything(self.cloud).await;
        let second = perform(&step.action, &context).await;
        let second = second.unwrap_or_else(|e| panic!("{name} again: {}", dr::report::full(&e)));
        assert_eq!(
            everything(self.cloud).await,
            after,
            "{name} changed something again"
        );
        match (&step.action, told(&first), told(&second)) {
            // What is gone is not deleted again, what is there is not put again, what is restored
            // is skipped: the counts say so.
            (StoredAction::Teardown(_) | StoredAction::SweepDrill(_), once, again) => {
                assert_ne!(once["deleted"], json!([]));
                assert_eq!(again["deleted"], json!([]));
            }
            (StoredAction::SpreadProofs(_), once, again) => {
                assert_ne!(once["brought"], json!([]));
                assert_eq!(again["brought"], json!([]));
            }
            (StoredAction::CopyObjects(_), mut once, mut again) => {
                for field in ["put", "reused", "extended"] {
                    once[field] = Value::Null;
                    again[field] = Value::Null;
                }
                assert_eq!(once, again, "{name}");
            }
            // It says when it looked.
            (StoredAction::ReadServer(_), mut once, mut again) => {
                once["at"] = Value::Null;
                again["at"] = Value::Null;
                assert_eq!(once, again, "{name}");
            }
            (StoredAction::LoadScratch(_) | StoredAction::LoadDump(_), mut once, again) => {
                assert_eq!(again["bytes"], 0, "{name} loaded something again");
                once["bytes"] = 0.into();
                assert_eq!(once, again, "{name}");
            }
            (_, once, again) => assert_eq!(once, again, "{name}"),
        }
        self.seen.insert(name.to_owned());
        self.state
            .steps
            .insert(step.id, StepState::Succeeded(first));
    }
}

/// The state of a run of which nothing was done: its own first entry, under another plan.
fn begun(report: &RunState, plan: &Plan) -> RunState {
    let entry = dr::journal::Entry {
        seq: 0,
        prev: None,
        at: plan.opened_at,
        by: report.opened_by.clone(),
        event: Event::Opened {
            plan: Box::new(plan.clone()),
            after: Vec::new(),
        },
    };
    let sha = dr::model::Sha256::of(&entry.to_line());
    fold([(&entry, sha)]).expect("one entry")
}

/// The same plan as another run of its kind, so that nothing of the first is there yet.
fn as_another_run(plan: &Plan) -> Plan {
    let text = serde_json::to_string(plan).expect("stored form");
    let (run, slot) = (plan.run.to_string(), plan.run.slot());
    let later = dr::model::Slot::at(slot.time() + jiff::SignedDuration::from_secs(1));
    let other = dr::model::RunId::scheduled(plan.kind, later).to_string();
    serde_json::from_str(&text.replace(&run, &other)).expect("a plan")
}

/// A backup of a server that holds one table, and how it is entered.
async fn backup_of_server(loaded: &Loaded, of: &Plan, server: &Bare) -> (Plan, Logins) {
    server
        .sql("postgres", "CREATE DATABASE ledger TEMPLATE template0")
        .await;
    let table = "CREATE TABLE t(id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 50)";
    server.sql("ledger", table).await;
    let at = server.address("ledger", "postgres");
    let password_file = format!("{}.ledger", loaded.file);
    std::fs::write(&password_file, &at.password.0).expect("written");
    let mut policy = loaded.policy.clone();
    policy.sources = vec![Source::Postgres(PostgresSource {
        id: SourceId::new("ledger"),
        host: Name::new(at.host),
        port: at.port,
        databases: Databases::These(vec![Name::new("ledger")]),
        heartbeat: None,
        reader: Some(Reader {
            user: Name::new("postgres"),
            password_file,
            ca_file: None,
        }),
        objectives: Default::default(),
    })];
    let later = Slot::at(of.slot.time() + jiff::SignedDuration::from_secs(1));
    let plan = backup(&BackupInput {
        policy: &policy,
        policy_sha256: of.policy_sha256.clone(),
        vault: of.vault.clone(),
        journal_target: of.journal_target.clone(),
        slot: later,
        run: RunId::scheduled(RunKind::Backup, later),
        opened_at: of.opened_at,
        bases: Default::default(),
    });
    (plan, Logins::of(&policy))
}

/// The proofs of a drill as another one's, at one target alone.
async fn proofs_at_central(cloud: &Cloud, of: &RunState, run: &RunId) -> SpreadProofs {
    let (.., written) = of.done::<WriteProofs>().next().expect("proofs");
    let vault = cloud
        .bucket("admin", "eu-central-1", "dr-vault-central")
        .await;
    let renamed = |text: &str| text.replace(of.plan.run.as_str(), run.as_str());
    let mut keys = Vec::new();
    for key in &written.keys {
        let proof = vault
            .get(key.as_str(), None, 1 << 20)
            .await
            .expect("a proof");
        let proof = renamed(std::str::from_utf8(&proof.bytes).expect("text"));
        let key = renamed(key.as_str());
        let options = PutOptions::default();
        vault.put(&key, proof.into(), &options).await.expect("put");
        keys.push(ObjectKey::new(key));
    }
    let (run, target) = (run.clone(), TargetName::new("other"));
    SpreadProofs { run, target, keys }
}

/// A sweep of a drill that left one file, and whose proofs one target lacks.
async fn sweep_of(loaded: &Loaded, cloud: &Cloud, drill: &Plan, proofs: SpreadProofs) -> Plan {
    let (_, teardown) = drill.actions::<Teardown>().next().expect("a teardown");
    let put = cloud.s3("admin", "eu-central-1").put_object();
    let put = put
        .bucket(teardown.bucket.as_str())
        .key(format!("{}left", teardown.prefix));
    put.body(b"left".to_vec().into()).send().await.expect("put");
    sweep(&SweepInput {
        policy: &loaded.policy,
        policy_sha256: drill.policy_sha256.clone(),
        drill: loaded.policy.drill.as_ref().expect("drills"),
        vault: drill.vault.clone(),
        journal_target: drill.journal_target.clone(),
        run: RunId::scheduled(RunKind::Sweep, drill.run.slot()),
        opened_at: drill.opened_at,
        drills: vec![SweepDrill {
            run: drill.run.clone(),
            slot: drill.slot,
            teardown: teardown.clone(),
        }],
        proofs: vec![proofs],
    })
}

/// Runs of verbs that need no recovery point of their own.
fn of_verbs(loaded: &Loaded, of: &Plan) -> Vec<Plan> {
    let input = |kind: RunKind| VerbInput {
        policy: &loaded.policy,
        policy_sha256: &loaded.sha256,
        vault: &of.vault,
        journal_target: &of.journal_target,
        run: RunId::scheduled(kind, of.slot),
        opened_at: of.opened_at,
    };
    let targets: Vec<_> = loaded
        .policy
        .targets
        .iter()
        .map(|t| t.name.clone())
        .collect();
    let rds = loaded.policy.endpoints.iter();
    let asked = VerifyPoint {
        point: Some(of.slot),
        target: None,
        in_flight: 4,
        rds_endpoints: rds
            .filter_map(|(r, e)| Some((r.clone(), e.rds.clone()?)))
            .collect(),
    };
    vec![
        input(RunKind::Init).init(&targets),
        input(RunKind::Policy).policy(Role::Copier, &targets),
        input(RunKind::Verify).verify(Role::Auditor, asked),
    ]
}

#[test]
fn every_action_that_is_performed_twice_changes_nothing_the_second_time() {
    on_main(performed_twice);
}

fn performed_twice() {
    let cloud = Cloud::start("twice", &["--no-writers"]);
    cloud.init();
    let world = World::default();
    let around = Surroundings {
        world: &world,
        progress: &Silent,
    };
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let policy = loaded(&cloud);
        let clients = policy.clients(None);
        let due = tick::TickRequest { role: None };
        let ticked = Box::pin(tick::tick(around, &policy, &due))
            .await
            .expect("ticked");
        let mut seen = BTreeSet::new();
        let mut plans: Vec<(Plan, RunState, Option<Address>)> = Vec::new();
        let (backup, drill) = (&ticked.runs[0].state, &ticked.runs[1].state);
        plans.push((backup.plan.clone(), begun(backup, &backup.plan), None));
        for plan in of_verbs(&policy, &backup.plan) {
            plans.push((plan.clone(), begun(backup, &plan), None));
        }
        let again = as_another_run(&drill.plan);
        plans.push((again.clone(), begun(drill, &again), None));
        let server = Bare::start("twice-into").await;
        server
            .sql("postgres", "CREATE DATABASE shop TEMPLATE template0")
            .await;
        // The service's own, whose member the master user is.
        server.sql("postgres", "CREATE ROLE rds_superuser").await;
        let at = server.address("shop", "postgres");
        let url = format!("postgres://postgres:pw@127.0.0.1:{}/shop", at.port);
        let mut to_database = request(&cloud, Method::Dump);
        to_database.database.url = Some(url);
        let (of_server, logins) = backup_of_server(&policy, &backup.plan, &server).await;
        plans.push((of_server.clone(), begun(backup, &of_server), None));
        for request in [to_files(&cloud), to_cluster(&cloud, "twice"), to_database] {
            let method = request.method.expect("a method");
            let places = reach(&world, &request).await.expect("reached");
            let choice = choose(&places, &options(&places, None), method, &request).await;
            let choice = choice.unwrap_or_else(|e| panic!("{method:?}: {e}"));
            let state = begun(drill, &choice.plan);
            plans.push((choice.plan, state, choice.address));
        }
        // Performed before the drill that it speaks of, which tears down as well.
        let proofs = proofs_at_central(&cloud, drill, &again.run).await;
        let swept = sweep_of(&policy, &cloud, &again, proofs).await;
        plans.insert(0, (swept.clone(), begun(drill, &swept), None));
        for (plan, state, database) in plans {
            let steps = plan.steps.len();
            let requested = Some(Secret("a-password-of-a-test".into()));
            let secrets = match plan.kind {
                dr::model::RunKind::Restore => Secrets::with_requested(requested),
                _ => Secrets::default(),
            };
            let mut twice = Twice {
                cloud: &cloud,
                clients: &clients,
                world: &world,
                logins: &logins,
                policy: &policy.text,
                plan,
                state,
                secrets,
                database,
                seen: BTreeSet::new(),
            };
            for n in 0..steps {
                Box::pin(twice.step(n)).await;
            }
            seen.extend(twice.seen);
        }
        let all: BTreeSet<String> = StoredAction::NAMES
            .iter()
            .map(|n| (*n).to_owned())
            .collect();
        assert_eq!(seen, all);
    });
}
