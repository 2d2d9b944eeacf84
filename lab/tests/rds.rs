//! RDS in process, over real servers: what goes in as a snapshot comes out as a cluster, in another
//! region, after a restart too.

use dr_lab::accounts::Role;
use dr_lab::pg::Programs;
use dr_lab::rds::state::Who;
use dr_lab::rds::{Production, Rds, Surroundings};
use dr_lab::workload::files::{Bucket, Meta};
use dr_lab::workload::{Workload, digest_of_database};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const HERE: &str = "eu-west-3";
const THERE: &str = "eu-central-1";

/// Counts versions, keeps nothing.
#[derive(Default)]
struct Versions(AtomicU64);

#[async_trait::async_trait]
impl Bucket for Versions {
    async fn put(&self, _key: &str, _bytes: bytes::Bytes, _meta: Meta) -> Result<String, String> {
        Ok(format!("v{}", self.0.fetch_add(1, Ordering::Relaxed)))
    }

    async fn delete(&self, _key: &str) -> Result<String, String> {
        Ok(format!("d{}", self.0.fetch_add(1, Ordering::Relaxed)))
    }
}

struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        dr_lab::pg::sweep::sweep(&self.0);
        let _best_effort = std::fs::remove_dir_all(&self.0);
    }
}

fn place(name: &str) -> Place {
    use std::os::unix::fs::PermissionsExt;
    let root = std::env::temp_dir().join(format!("drl-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&root).expect("a directory");
    std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o711)).expect("mode");
    Place(root)
}

fn open(place: &Place) -> Arc<Rds> {
    let key = |r: &str, a: &str| (r.to_owned(), format!("arn:aws:kms:{r}:{a}:key/one"));
    let around = Surroundings {
        now: Arc::new(jiff::Timestamp::now),
        key_usable: Arc::new(|_| true),
        default_keys: [key(HERE, "111111111111"), key(THERE, "222222222222")].into(),
        admin_accounts: [
            (HERE.to_owned(), "111111111111".to_owned()),
            (THERE.to_owned(), "222222222222".to_owned()),
        ]
        .into(),
        programs: Programs::find().expect("PostgreSQL"),
    };
    Rds::open(
        &place.0.join("rds"),
        &place.0.join("log"),
        &place.0.join("s"),
        around,
    )
    .expect("opened")
}

fn production() -> Production {
    let text = |t: &str| t.to_owned();
    Production {
        region: text(HERE),
        id: text("shop"),
        instance: text("shop-1"),
        account: text("111111111111"),
        database: text("shop"),
        user: text("master"),
        password: text("secretsecret"),
    }
}

async fn call(
    rds: &Arc<Rds>,
    region: &str,
    operation: &str,
    params: &[(&str, &str)],
) -> Result<String, &'static str> {
    let who = Who {
        role: Role::Admin,
        account: "111111111111".into(),
    };
    let params: BTreeMap<String, String> = params
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    rds.perform(region, &who, operation, &params)
        .await
        .map_err(|f| f.code)
}

async fn until(rds: &Arc<Rds>, region: &str, operation: &str, id: (&str, &str), wanted: &str) {
    for _ in 0..3_000 {
        let answer = call(rds, region, operation, &[id])
            .await
            .expect("described");
        assert!(!answer.contains(">failed<"), "{answer}");
        if answer.contains(&format!(">{wanted}</")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{id:?} does not become {wanted}");
}

fn port_in(xml: &str) -> u16 {
    xml.split_once("<Port>")
        .and_then(|(_, r)| r.split_once('<'))
        .and_then(|(p, _)| p.parse().ok())
        .expect("a port")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_under_load_is_restored_in_another_region_and_survives_a_restart() {
    let place = place("rds");
    let rds = open(&place);
    let url = rds
        .ensure_production(&production())
        .await
        .expect("production");
    let dir = place.0.join("workload");
    let judge = |url: &str| dr_lab::pg::session::as_judge(url, &place.0.join("s"));
    let inside = judge(&url);
    let workload = Workload::open(
        &dir,
        &inside,
        Arc::new(Versions::default()),
        Arc::new(jiff::Timestamp::now),
    )
    .await
    .expect("a workload");
    workload.start();
    while workload.progress().last_operation < 50 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let snapshot = [
        ("DBClusterIdentifier", "shop"),
        ("DBClusterSnapshotIdentifier", "one"),
    ];
    assert!(
        call(&rds, HERE, "CreateDBClusterSnapshot", &snapshot)
            .await
            .expect("taken")
            .contains(">creating<")
    );
    until(
        &rds,
        HERE,
        "DescribeDBClusterSnapshots",
        ("DBClusterSnapshotIdentifier", "one"),
        "available",
    )
    .await;
    let arn = "arn:aws:rds:eu-west-3:111111111111:cluster-snapshot:one";
    let copy = [
        ("SourceDBClusterSnapshotIdentifier", arn),
        ("TargetDBClusterSnapshotIdentifier", "two"),
        ("KmsKeyId", "one"),
    ];
    call(&rds, THERE, "CopyDBClusterSnapshot", &copy)
        .await
        .expect("copied");
    until(
        &rds,
        THERE,
        "DescribeDBClusterSnapshots",
        ("DBClusterSnapshotIdentifier", "two"),
        "available",
    )
    .await;
    rds.region_down(HERE).await;
    workload.stop().await;
    assert!(
        digest_of_database(&inside).await.is_err(),
        "the region is down"
    );

    let restore = [
        ("DBClusterIdentifier", "again"),
        ("SnapshotIdentifier", "two"),
        ("Engine", "aurora-postgresql"),
    ];
    call(&rds, THERE, "RestoreDBClusterFromSnapshot", &restore)
        .await
        .expect("restoring");
    until(
        &rds,
        THERE,
        "DescribeDBClusters",
        ("DBClusterIdentifier", "again"),
        "available",
    )
    .await;
    let instance = [
        ("DBClusterIdentifier", "again"),
        ("DBInstanceIdentifier", "again-1"),
        ("DBInstanceClass", "db.serverless"),
    ];
    assert_eq!(
        call(&rds, THERE, "CreateDBInstance", &instance).await,
        Err("InvalidDBClusterStateFault"),
        "no capacity was set on the cluster"
    );
    let (min, max) = (
        ("ServerlessV2ScalingConfiguration.MinCapacity", "0.5"),
        ("ServerlessV2ScalingConfiguration.MaxCapacity", "2"),
    );
    let scale = |ends: &[(&'static str, &'static str)]| {
        let id = [("DBClusterIdentifier", "again")];
        [&id, ends].concat()
    };
    for lone in [min, max] {
        let answer = call(&rds, THERE, "ModifyDBCluster", &scale(&[lone])).await;
        assert_eq!(answer, Err("InvalidParameterValue"));
    }
    call(&rds, THERE, "ModifyDBCluster", &scale(&[min, max]))
        .await
        .expect("scaled");
    call(&rds, THERE, "CreateDBInstance", &instance)
        .await
        .expect("instance");
    until(
        &rds,
        THERE,
        "DescribeDBInstances",
        ("DBInstanceIdentifier", "again-1"),
        "available",
    )
    .await;
    let shown = call(
        &rds,
        THERE,
        "DescribeDBClusters",
        &[("DBClusterIdentifier", "again")],
    )
    .await
    .expect("described");
    let restored = judge(&production().url(port_in(&shown)));
    let before = digest_of_database(&restored).await.expect("readable");
    let n = before.heartbeat.expect("a heartbeat");
    assert!(n >= 50, "{n}");
    assert_eq!(
        before.tables,
        workload.expected(n).await.expect("expected").tables()
    );

    rds.stop().await;
    drop(rds);
    let rds = open(&place);
    rds.start_all().await.expect("started");
    assert_eq!(
        digest_of_database(&restored).await.expect("same port"),
        before
    );
    assert_eq!(rds.url_of(&production()).as_deref(), Some(url.as_str()));
    let own = digest_of_database(&inside).await.expect("production");
    let n = own.heartbeat.expect("a heartbeat");
    assert!(n >= workload.progress().last_operation);
    assert_eq!(
        own.tables,
        workload.expected(n).await.expect("expected").tables()
    );
    rds.stop().await;
    assert_eq!(dr_lab::pg::sweep::processes_under(&place.0), []);
}
