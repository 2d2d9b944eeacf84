//! A source is read beside its work, before its snapshot and after, and what a drill restores is
//! compared with it.

use crate::cloud::Cloud;
use dr::manifest::{Check, CheckResult, Document, Proof};
use std::collections::BTreeMap;

/// The newest proof of the shop's snapshot at the first target.
fn proof(cloud: &Cloud) -> Proof {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let bucket = cloud
            .bucket("auditor", "eu-central-1", "dr-vault-central")
            .await;
        let rows = bucket.versions("proofs/", 10_000).await.expect("listed");
        let snapshot = |key: &&String| key.ends_with("/shop/snapshot/central.json");
        let keys: Vec<String> = rows.into_iter().map(|r| r.key).collect();
        let key = keys.iter().filter(snapshot).max().expect("a proof");
        let got = bucket.get(key, None, 1 << 20).await.expect("read");
        Proof::from_bytes(&got.bytes).expect("a proof")
    })
}

fn by_id(proof: &Proof) -> BTreeMap<&str, &Check> {
    let of_snapshot = proof.checks.iter();
    of_snapshot.map(|c| (c.id.as_str(), c)).collect()
}

#[test]
fn a_drill_compares_a_snapshot_with_its_source_that_went_on() {
    let cloud = Cloud::start("reference", &[]);
    cloud.init();
    let tick = cloud.dr(&["tick", "--json"]).exits(0);
    assert!(
        !tick.findings().iter().any(|f| f.starts_with("r")),
        "{tick:?}"
    );
    let drill = cloud.dr(&["drill", "--json"]);
    let proof = proof(&cloud);
    let failed = proof.checks.iter();
    let failed: Vec<_> = failed.filter(|c| c.result != CheckResult::Passed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    drill.exits(0);
    let checks = by_id(&proof);
    for id in [
        "source-rows",
        "source-catalogue",
        "source-roles",
        "source-sequences",
        "source-settings",
        "source-heartbeat",
    ] {
        let check = checks
            .get(id)
            .unwrap_or_else(|| panic!("{id}: {checks:#?}"));
        assert_eq!(check.result, CheckResult::Passed, "{check:?}");
        assert!(check.tested > 0, "{check:?}");
        if id != "source-rows" {
            assert_eq!(check.skipped, 0, "{check:?}");
        }
    }
    let rows = checks["source-rows"];
    assert!(
        rows.population > 100_000 && rows.tested * 10 >= rows.population * 9,
        "{rows:?}"
    );
}
