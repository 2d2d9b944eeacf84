use super::*;
use crate::policy::{Policy, parse};

pub(crate) const POLICY: &str = r#"
version: 1
name: shop
sources:
  cluster:
    {id: shop-prod, region: eu-west-3, account: "111111111111", database: shop,
     heartbeat: {table: public.dr_heartbeat}}
  buckets:
    - {name: shop-files, region: eu-west-3}
targets:
  - name: central
    region: eu-central-1
    bucket: dr-vault-central
    account: "222222222222"
    lock: {mode: COMPLIANCE, retention: 30d, max_lock_days: 40}
    native: {kms_key: "arn:aws:kms:eu-central-1:222222222222:key/dr-vault", account: "222222222222"}
  - name: other
    region: other
    bucket: dr-vault-other
    provider: compatible
    lock: {mode: COMPLIANCE, retention: 30d, max_lock_days: 40}
endpoints:
  other: {s3: "http://127.0.0.1:9000"}
credentials: {}
schedule: {cron: "0 * * * *"}
"#;

pub(crate) fn policy() -> Policy {
    parse("policy.yaml", POLICY).unwrap()
}

fn plan_at(opened_at: &str) -> Plan {
    backup(&BackupInput {
        policy: &policy(),
        policy_sha256: sha256_hex(b""),
        vault: VaultId("1a2b3c4d00000000".into()),
        home: TargetName::new("central"),
        slot: "20261124T020000Z".into(),
        slot_at: "2026-11-24T02:00:00Z".parse().unwrap(),
        run: RunId("backup-20261124T020000Z".into()),
        opened_at: opened_at.parse().unwrap(),
        bases: Default::default(),
    })
}

#[test]
fn a_backup_snapshots_then_lists_then_copies_verifies_and_publishes_per_target() {
    let plan = plan_at("2026-11-24T02:00:07Z");
    let ids: Vec<_> = plan.steps.iter().map(|s| s.id.0.as_str()).collect();
    assert_eq!(
        ids,
        [
            "take-snapshot",
            "share-snapshot",
            "list-objects",
            "copy-snapshot:central",
            "copy-objects:central",
            "verify:central",
            "publish:central",
            "copy-objects:other",
            "verify:other",
            "publish:other"
        ]
    );
    for step in &plan.steps {
        assert!(
            step.needs.iter().all(|n| ids.contains(&n.0.as_str())),
            "{} needs a step that exists",
            step.id
        );
    }
}

#[test]
fn names_are_valid_for_the_service() {
    let plan = plan_at("2026-11-24T02:00:07Z");
    let Action::TakeSnapshot { snapshot, .. } = &plan.steps[0].action else {
        panic!("the first step takes the snapshot")
    };
    assert_eq!(snapshot, "dr-1a2b3c4d-shop-20261124t020000z");
    let longest = names::snapshot(&plan.vault, &PolicyName::new("a".repeat(20)), &plan.slot);
    assert!(longest.len() <= 63);
    let drill = names::drill_prefix(
        &plan.vault,
        &RunId("drill-20261124T020311Z-1a2b3c4d".into()),
    ) + "-native-999";
    assert!(drill.len() <= 63 && drill.starts_with("dr-drill-1a2b3c4d-"));
}

#[test]
fn the_lock_ends_after_slot_retention_and_slack_in_whole_seconds() {
    let plan = plan_at("2026-11-24T02:00:07.5Z");
    assert_eq!(
        plan.targets[0].retain_until.to_string(),
        "2026-12-24T03:00:08Z"
    );
}

#[test]
fn the_hash_does_not_depend_on_when_the_command_was_typed() {
    let strip = |mut p: Plan| {
        p.steps.retain(|s| s.id.0.starts_with("copy-objects"));
        p.hash()
    };
    assert_eq!(
        strip(plan_at("2026-11-24T02:00:07Z")),
        strip(plan_at("2026-11-24T02:09:00Z"))
    );
}
