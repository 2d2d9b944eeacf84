use super::*;
use crate::manifest::{
    Captured, CapturedBucket, CapturedCluster, Check, CheckResult, Copy, FilesHeld,
    HeartbeatColumn, Held, Measured, Point, PointSource, PointTarget, Proof, SnapshotCopy,
    SnapshotState, Verified, What,
};
use crate::model::{ClusterId, Method, Name, ObjectKey, SourceId, SourceKind, VersionId};
use crate::policy::{Policy, Source, parse};

pub(crate) const POLICY: &str = r#"
version: 1
name: shop
sources:
  - id: shop-prod
    kind: aurora
    cluster: shop-prod
    region: eu-west-3
    account: "111111111111"
    databases: [shop]
    heartbeat: {database: shop, table: public.dr_heartbeat}
  - {id: shop-files, kind: bucket, bucket: shop-files, region: eu-west-3}
targets:
  - name: central
    region: eu-central-1
    bucket: dr-vault-central
    account: "222222222222"
    lock: {mode: COMPLIANCE, retention: 30d, max_lock_days: 40}
    snapshots:
      kms_key: "arn:aws:kms:eu-central-1:222222222222:key/dr-vault"
      account: "222222222222"
  - name: other
    region: other
    bucket: dr-vault-other
    provider: compatible
    lock: {mode: COMPLIANCE, retention: 30d, max_lock_days: 40}
endpoints:
  other: {s3: "http://127.0.0.1:9000"}
credentials: {}
schedule: {cron: "0 * * * *"}
drill:
  schedule: {cron: "30 2 * * *"}
  cluster: {instance_class: db.serverless, min_acu: 0.5, max_acu: 8}
  scratch_bucket: shop-drills
  scratch_region: eu-central-1
  account: "333333333333"
"#;

pub(crate) fn policy() -> Policy {
    parse("policy.yaml", POLICY).unwrap()
}

pub(crate) fn slot() -> Slot {
    Slot::parse("20261124T020000Z").unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A backup by this policy with something changed.
pub(crate) fn backup_of(change: impl Fn(&mut Policy)) -> Plan {
    let mut policy = policy();
    change(&mut policy);
    plan_of(&policy, "2026-11-24T02:00:07Z")
}

fn plan_of(policy: &Policy, opened_at: &str) -> Plan {
    backup(&BackupInput {
        policy,
        policy_sha256: Sha256::of(b""),
        vault: VaultId("1a2b3c4d00000000".into()),
        journal_target: TargetName::new("central"),
        slot: slot(),
        run: RunId::scheduled(RunKind::Backup, slot()),
        opened_at: at(opened_at),
        bases: Default::default(),
    })
}

fn plan_at(opened_at: &str) -> Plan {
    plan_of(&policy(), opened_at)
}

pub(crate) fn point() -> Point {
    let plan = backup_of(|_| {});
    let target = |t: &PlanTarget| PointTarget {
        name: t.name.clone(),
        region: t.region.clone(),
        bucket: t.bucket.clone(),
        provider: t.provider,
        endpoint: t.endpoint.clone(),
        lock_mode: t.lock_mode,
        retain_until: t.retain_until,
    };
    let source = |id: &str, kind, targets: &[&str]| PointSource {
        id: SourceId::new(id),
        kind,
        targets: targets.iter().map(|t| TargetName::new(*t)).collect(),
    };
    Point {
        policy: plan.policy.clone(),
        policy_sha256: Sha256::of(b""),
        slot: slot(),
        run: plan.run.clone(),
        opened_at: plan.opened_at,
        sources: vec![
            source("shop-prod", SourceKind::Aurora, &["central"]),
            source("shop-files", SourceKind::Bucket, &["central", "other"]),
        ],
        targets: plan.targets.iter().map(target).collect(),
    }
}

/// What was captured of that point: the cluster, and the bucket.
pub(crate) fn captured() -> Vec<Captured> {
    let of = |source: &str, instant: &str, what| Captured {
        policy: PolicyName::new("shop"),
        slot: slot(),
        run: RunId::scheduled(RunKind::Backup, slot()),
        source: SourceId::new(source),
        at: at(instant),
        what,
    };
    let copy = SnapshotCopy {
        target: TargetName::new("central"),
        region: Region::new("eu-central-1"),
        account: AccountId::new("222222222222"),
        arn: "arn:aws:rds:eu-central-1:222222222222:cluster-snapshot:s".into(),
        kms_key: KmsKey::new("arn:aws:kms:eu-central-1:222222222222:key/dr-vault"),
    };
    let cluster = CapturedCluster {
        id: ClusterId::new("shop-prod"),
        region: Region::new("eu-west-3"),
        account: AccountId::new("111111111111"),
        snapshot_arn: "arn:aws:rds:eu-west-3:111111111111:cluster-snapshot:s".into(),
        engine: "aurora-postgresql".into(),
        engine_version: "16.4".into(),
        master_user: "postgres".into(),
        databases: vec![Name::new("shop")],
        heartbeat: Some(HeartbeatColumn {
            database: Name::new("shop"),
            table: "public.dr_heartbeat".into(),
            id: "id".into(),
            at: "at".into(),
        }),
        copies: vec![copy],
        exceptions: Vec::new(),
    };
    let bucket = CapturedBucket {
        name: BucketName::new("shop-files"),
        region: Region::new("eu-west-3"),
        prefix: String::new(),
        list_key: ObjectKey::new("manifests/shop/20261124T020000Z/shop-files/list.jsonl.zst"),
        list_sha256: Sha256::of(b""),
        versions: 2,
        delete_markers: 0,
        bytes: 10,
    };
    vec![
        of("shop-prod", "2026-11-24T02:00:30Z", What::Aurora(cluster)),
        of("shop-files", "2026-11-24T02:00:40Z", What::Bucket(bucket)),
    ]
}

/// A complete copy: of the cluster's snapshot, or of the files.
pub(crate) fn copy(source: &str, target: &str) -> Copy {
    let (plan, name) = (backup_of(|_| {}), TargetName::new(target));
    let of = plan.target(&name).unwrap();
    let held = if source == "shop-prod" {
        Held::Snapshot(SnapshotState {
            arn: "arn".into(),
            kms_key: None,
            encrypted: true,
            immutable: false,
        })
    } else {
        Held::Files(FilesHeld {
            manifest_key: ObjectKey::new(format!(
                "manifests/shop/{}/{source}/targets/{name}.jsonl.zst",
                slot()
            )),
            manifest_version: VersionId::new("m1"),
            manifest_sha256: Sha256::of(b""),
            objects: 2,
            delete_markers: 0,
            bytes: 10,
            verified: Verified::default(),
            exceptions: Vec::new(),
        })
    };
    Copy {
        policy: plan.policy.clone(),
        slot: slot(),
        run: plan.run.clone(),
        source: SourceId::new(source),
        target: name,
        held,
        lock_mode: of.lock_mode,
        retain_until: of.retain_until,
    }
}

/// Of the whole point.
pub(crate) fn copies() -> Vec<Copy> {
    vec![
        copy("shop-prod", "central"),
        copy("shop-files", "central"),
        copy("shop-files", "other"),
    ]
}

/// What a method restores here.
fn restored_by(method: Method) -> (SourceId, Option<Name>) {
    match method {
        Method::Snapshot => (SourceId::new("shop-prod"), None),
        Method::Dump => (SourceId::new("shop-prod"), Some(Name::new("shop"))),
        Method::Files => (SourceId::new("shop-files"), None),
    }
}

/// A verdict of the drill of 03:MM.
pub(crate) fn proof(method: Method, target: &str, minute: u8, passed: bool) -> Proof {
    let (source, database) = restored_by(method);
    let check = Check {
        id: "files-equal".into(),
        source: source.clone(),
        database: database.clone(),
        method,
        target: TargetName::new(target),
        result: if passed {
            CheckResult::Passed
        } else {
            CheckResult::Failed
        },
        population: 2,
        tested: 2,
        skipped: 0,
        why: (!passed).then(|| "one file differs".into()),
    };
    Proof {
        policy: PolicyName::new("shop"),
        slot: slot(),
        run: RunId::parse(&format!("drill-20261124T03{minute:02}00Z")).unwrap(),
        source,
        database,
        method,
        target: TargetName::new(target),
        actor: "arn".into(),
        at: at(&format!("2026-11-24T03:{minute:02}:00Z")),
        passed,
        checks: vec![check],
        checked: 2,
        not_checked: 0,
        excluded: 0,
        measured: Measured {
            measured_on: "lab".into(),
            rto_s: 4.0,
            snapshot_lag_s: Some(1.0),
            tables: 0,
            rows: 0,
            objects: 2,
            bytes: 10,
        },
        dump: None,
    }
}

pub(crate) fn drill_of(policy: &Policy) -> Plan {
    drill(&DrillInput {
        policy,
        drill: policy.drill.as_ref().unwrap(),
        policy_sha256: Sha256::of(b""),
        vault: VaultId("1a2b3c4d00000000".into()),
        journal_target: TargetName::new("central"),
        run: RunId::parse("drill-20261124T023000Z").unwrap(),
        opened_at: at("2026-11-24T02:30:05Z"),
        point: &point(),
        captured: &captured(),
        copies: &copies(),
    })
}

fn restore_into(into: RestoreInto) -> Result<Plan, Unavailable> {
    let method = match into {
        RestoreInto::Cluster { .. } => Method::Snapshot,
        RestoreInto::Database(_) => Method::Dump,
        RestoreInto::Bucket { .. } => Method::Files,
    };
    restore_by(method, into)
}

fn restore_by(method: Method, into: RestoreInto) -> Result<Plan, Unavailable> {
    let files = matches!(into, RestoreInto::Bucket { .. });
    let source = if files { "shop-files" } else { "shop-prod" };
    let (point, copy, plan) = (point(), copy(source, "central"), backup_of(|_| {}));
    let captured = &captured()[usize::from(files)];
    restore(&RestoreInput {
        vault: VaultId("1a2b3c4d00000000".into()),
        journal_target: TargetName::new("central"),
        run: RunId::parse("restore-20261124T040000Z-1a2b3c4d").unwrap(),
        opened_at: at("2026-11-24T04:00:00Z"),
        point: &point,
        captured,
        method,
        target: TargetName::new("central"),
        copy: Some(&copy),
        into,
        against: Vec::new(),
        targets: vec![plan.targets[0].clone()],
        runner: Runner::default(),
        poll_every: Seconds(5),
        streams: 2,
        in_flight: 8,
        part_size_bytes: 8 << 20,
    })
}

fn into_cluster() -> RestoreInto {
    RestoreInto::Cluster {
        id: ClusterId::new("night"),
        shape: policy().drill.unwrap().cluster,
        rds_endpoint: None,
    }
}

fn into_database() -> RestoreInto {
    RestoreInto::Database(IntoDatabase {
        host: "db.example.com".into(),
        port: 5432,
        database: "shop".into(),
        user: "owner".into(),
        of: Name::new("shop"),
        dump_key: ObjectKey::new(
            "points/shop/20261124T020000Z/dumps/d/shop-prod/shop/central.json",
        ),
        dump_version: VersionId::new("d1"),
        refusals: Refusals::Told,
    })
}

fn into_bucket() -> RestoreInto {
    RestoreInto::Bucket {
        bucket: BucketName::new("back"),
        region: Region::new("eu-central-1"),
        endpoint: None,
        provider: Provider::Aws,
        prefix: "back/".into(),
    }
}

/// What each planner gives, whole: a change of a plan is seen, and meant.
#[test]
fn plans_are_as_they_were() {
    insta::assert_json_snapshot!("backup", backup_of(|_| {}));
    insta::assert_json_snapshot!("drill", drill_of(&policy()));
    insta::assert_json_snapshot!("restore-snapshot", restore_into(into_cluster()).unwrap());
    insta::assert_json_snapshot!("restore-dump", restore_into(into_database()).unwrap());
    insta::assert_json_snapshot!("restore-files", restore_into(into_bucket()).unwrap());
}

#[test]
fn a_method_restores_into_its_own_kind_of_destination_alone() {
    for method in Method::ALL {
        let planned = [into_cluster(), into_database(), into_bucket()]
            .map(|into| restore_by(method, into))
            .into_iter()
            .filter(|p| !matches!(p, Err(Unavailable::Destination(m)) if *m == method));
        assert_eq!(planned.count(), 1, "{method}");
    }
}

#[test]
fn a_plan_survives_its_bytes() {
    for plan in [backup_of(|_| {}), drill_of(&policy())] {
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|s| s.id.as_str()).collect()
}

#[test]
fn a_backup_captures_every_source_and_then_copies_and_publishes_each_at_each_target() {
    let plan = plan_at("2026-11-24T02:00:07Z");
    assert_eq!(
        ids(&plan),
        [
            "take-snapshot:shop-prod",
            "share-snapshot:shop-prod",
            "list-objects:shop-files",
            "copy-snapshot:shop-prod:central",
            "publish-point:shop-prod:central",
            "copy-objects:shop-files:central",
            "verify-copies:shop-files:central",
            "publish-point:shop-files:central",
            "copy-objects:shop-files:other",
            "verify-copies:shop-files:other",
            "publish-point:shop-files:other"
        ]
    );
    let list = plan
        .steps
        .iter()
        .find(|s| s.action.name() == "list-objects");
    let list = list.unwrap();
    assert!(list.needs.is_empty(), "a snapshot that fails keeps no file");
    assert_eq!(list.after[0].as_str(), "take-snapshot:shop-prod");
}

/// Every step that a step needs, or reads the output of, is in the plan.
#[test]
fn links_lead_to_steps() {
    let plans = [
        backup_of(|_| {}),
        backup_of(|p| p.sources.retain(|s| !matches!(s, Source::Bucket(_)))),
        backup_of(|p| p.sources.retain(|s| matches!(s, Source::Bucket(_)))),
        drill_of(&policy()),
        restore_into(into_cluster()).unwrap(),
    ];
    for plan in plans {
        let ids = ids(&plan);
        for step in &plan.steps {
            let needed = step.needs.iter().all(|n| ids.contains(&n.as_str()));
            assert!(needed, "{} needs a step that exists", step.id);
            let text = serde_json::to_string(&step.action).unwrap();
            let names = StoredAction::NAMES.iter();
            // What looks like a step's id is one.
            for name in names.filter(|n| text.contains(&format!("\"{n}:"))) {
                let linked = text
                    .split('"')
                    .filter(|t| t.starts_with(&format!("{name}:")));
                linked.for_each(|t| assert!(ids.contains(&t), "{} links {t}", step.id));
            }
            assert!(step.id.as_str().starts_with(step.action.name()));
        }
    }
}

#[test]
fn what_a_drill_makes_is_what_it_tears_down() {
    let plan = drill_of(&policy());
    let (_, teardown) = plan.actions::<Teardown>().next().unwrap();
    for (_, restore) in plan.actions::<RestoreCluster>() {
        assert!(
            restore
                .spec
                .id
                .as_str()
                .starts_with(&teardown.cluster_prefix)
        );
        let tags = &restore.spec.tags;
        assert!(teardown.tags.iter().all(|(k, v)| tags.get(k) == Some(v)));
        let place = ScratchPlace {
            region: restore.spec.region.clone(),
            endpoint: restore.spec.endpoint.clone(),
        };
        assert!(teardown.clusters.contains(&place));
        assert!(!restore.spec.deletion_protection);
    }
    for (_, files) in plan.actions::<RestoreFiles>() {
        assert!(files.prefix.starts_with(&teardown.prefix));
        assert_eq!(files.purpose, Purpose::Scratch);
    }
    let dumped: Vec<_> = plan
        .actions::<DumpDatabase>()
        .map(|(_, d)| &d.target)
        .collect();
    let ended: Vec<_> = teardown.dumps.iter().flat_map(|d| &d.targets).collect();
    assert_eq!(dumped, ended);
}

#[test]
fn a_restored_cluster_has_the_capacity_that_the_drill_proved_and_is_protected() {
    let plan = restore_into(into_cluster()).unwrap();
    let (_, restore) = plan.actions::<RestoreCluster>().next().unwrap();
    assert_eq!(restore.spec.shape.capacity(), Some((0.5, 8.0)));
    assert!(restore.spec.deletion_protection);
    assert_eq!(restore.spec.tags["dr:role"], "restored");
}

#[test]
fn drills_of_two_policies_in_one_slot_share_no_name() {
    let other = Policy {
        name: PolicyName::new("other"),
        ..policy()
    };
    let (a, b) = (drill_of(&policy()), drill_of(&other));
    let made = |plan: &Plan| -> Vec<String> {
        let clusters = plan
            .actions::<RestoreCluster>()
            .map(|(_, r)| r.spec.id.to_string());
        let files = plan
            .actions::<RestoreFiles>()
            .map(|(_, f)| f.prefix.clone());
        clusters.chain(files).collect()
    };
    assert!(made(&a).iter().all(|name| !made(&b).contains(name)));
}

#[test]
fn names_are_valid_for_the_service() {
    let plan = plan_at("2026-11-24T02:00:07Z");
    let (_, take) = plan.actions::<TakeSnapshot>().next().unwrap();
    let name = take.snapshot.as_str();
    assert!(
        name.starts_with("dr-1a2b3c4d-shop-prod-") && name.ends_with("-20261124t020000z"),
        "{name}"
    );
    let (long, longer) = (
        PolicyName::new("a".repeat(20)),
        SourceId::new("s".repeat(20)),
    );
    let longest = names::snapshot(&plan.vault, &long, &longer, plan.slot);
    assert!(longest.as_str().len() <= 63);
    let run = RunId::parse("drill-20261124T020311Z-1a2b3c4d").unwrap();
    let drill = names::drill_prefix(&plan.vault, &long, &run) + &format!("-{longer}-snapshot-999");
    assert!(drill.len() <= 63 && drill.starts_with("dr-drill-1a2b3c4d-"));
    // Two names that read alike when they are put together.
    let of = |policy: &str, source: &str| {
        let (policy, source) = (PolicyName::new(policy), SourceId::new(source));
        names::snapshot(&plan.vault, &policy, &source, plan.slot)
    };
    assert_ne!(of("a", "b"), of("other", "b"));
    assert_ne!(of("a-b", "c"), of("a", "b-c"));
}

#[test]
fn the_lock_ends_after_slot_retention_and_grace_in_whole_seconds() {
    let plan = plan_at("2026-11-24T02:00:07.5Z");
    assert_eq!(
        plan.targets[0].retain_until.to_string(),
        "2026-12-24T03:00:08Z"
    );
}

#[test]
fn the_hash_does_not_depend_on_when_the_command_was_typed() {
    let strip = |mut p: Plan| {
        p.steps.retain(|s| s.action.name() == "copy-objects");
        p.hash()
    };
    assert_eq!(
        strip(plan_at("2026-11-24T02:00:07Z")),
        strip(plan_at("2026-11-24T02:09:00Z"))
    );
}

#[test]
fn evidence_is_locked_by_its_own_rule_and_as_the_data_without_one() {
    use crate::policy::EvidenceRule;
    let plain = backup_of(|_| {});
    let day = |n: u64| jiff::SignedDuration::from_hours(24 * i64::try_from(n).unwrap());
    for target in &plain.targets {
        assert_eq!(target.evidence_lock(), target.lock());
    }
    let longer = backup_of(|p| {
        p.evidence = Some(EvidenceRule {
            retention: Seconds::days(400),
            max_lock_days: 420,
        });
    });
    for target in &longer.targets {
        let (data, evidence) = (target.lock(), target.evidence_lock());
        assert_eq!(data.mode, evidence.mode);
        assert_eq!(
            evidence.retain_until.duration_since(data.retain_until),
            day(370)
        );
    }
    assert!(
        !plain.names().is_subset(&longer.names()),
        "a planner's lock is the plan's"
    );
}

/// Its own endpoint comes first; a bucket beside a target at another provider is there as well.
#[test]
fn a_source_elsewhere_is_planned_with_its_own_endpoint() {
    let listed = |region: &str, endpoint: Option<&str>| {
        let plan = backup_of(|p| {
            let other = p.endpoints.entry(Region::new("other")).or_default();
            other.s3 = Some("https://s3.other.example.com".into());
            let mut elsewhere = p.targets[0].clone();
            elsewhere.name = TargetName::new("elsewhere");
            elsewhere.region = Region::new("other");
            elsewhere.provider = Provider::Compatible;
            p.targets.push(elsewhere);
            for source in &mut p.sources {
                if let crate::policy::Source::Bucket(bucket) = source {
                    bucket.region = Region::new(region);
                    bucket.endpoint = endpoint.map(str::to_owned);
                }
            }
        });
        let (_, list) = plan.actions::<ListObjects>().next().unwrap();
        let source = list.bucket.clone();
        (source.provider, source.endpoint)
    };
    let own = "https://s3.media.example.com";
    assert_eq!(listed("eu-west-3", None).0, Provider::Aws);
    for region in ["eu-west-3", "other", "eu1"] {
        let wanted = (Provider::Compatible, Some(own.to_owned()));
        assert_eq!(listed(region, Some(own)), wanted, "{region}");
    }
    let beside = Some("https://s3.other.example.com".to_owned());
    assert_eq!(listed("other", None), (Provider::Compatible, beside));
}
