//! More than any answer of a store holds at once.

use crate::cloud::Cloud;
use crate::crash::stage::{Stage, Template};
use dr::aws::Kind;
use dr::aws::s3::PutOptions;
use dr::model::{PolicyName, Slot, TargetName};
use dr::vault::Vault;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};

/// Seven months of a point every hour.
const POINTS: i64 = 5_200;

/// The newest of many slots is found, and a listing that would be cut is an error.
#[test]
fn thousands_of_points_are_seen_to_the_newest_and_no_listing_is_cut() {
    let cloud = Cloud::start("many", &["--no-writers"]);
    cloud.init();
    crate::stores::block_on(async {
        let bucket = cloud
            .bucket("admin", "eu-central-1", "dr-vault-central")
            .await;
        let first: Timestamp = "2026-01-01T00:00:00Z".parse().expect("an instant");
        let slot = |n: i64| Slot::at(first + SignedDuration::from_hours(n));
        let options = PutOptions::default();
        let puts = (0..POINTS).map(|n| {
            let key = format!("points/many/{}/point.json", slot(n));
            let (bucket, options) = (&bucket, &options);
            async move { bucket.put(&key, "{}".into(), options).await }
        });
        let put: Vec<_> = stream::iter(puts)
            .buffer_unordered(16)
            .try_collect()
            .await
            .expect("put");
        assert_eq!(put.len() as i64, POINTS);
        let vault = Vault {
            bucket: bucket.clone(),
            target: TargetName::new("central"),
        };
        let slots = vault.slots(&PolicyName::new("many")).await.expect("slots");
        assert_eq!(slots.len() as i64, POINTS);
        assert_eq!(
            slots.first(),
            Some(&slot(POINTS - 1)),
            "the newest comes first"
        );
        let all = bucket
            .versions("points/many/", 10_000)
            .await
            .expect("all of them");
        assert_eq!(all.len() as i64, POINTS);
        let cut = bucket
            .versions("points/many/", 5_000)
            .await
            .expect_err("more than that");
        assert_eq!(cut.kind, Kind::TooMany, "{cut}");
        let cut = bucket
            .keys("points/many/", 5_000)
            .await
            .expect_err("more than that");
        assert_eq!(cut.kind, Kind::TooMany, "{cut}");
    });
}

/// Drills are rarer than backups: what the newest one proved is told however many slots ago it was.
#[test]
fn a_proof_is_not_forgotten_behind_many_newer_slots() {
    let template = Template::make(Stage::RestoreFiles);
    let cloud = template.copy();
    let status = |cloud: &Cloud| {
        let ran = cloud.dr(&["status", "--json", "--policy", "../lab/drill.yaml"]);
        ran.json()["policies"][0].clone()
    };
    let before = status(&cloud);
    let proven = before["newest_proven"].as_array().map(Vec::len);
    assert!(proven > Some(0), "{before}");
    crate::stores::block_on(async {
        let bucket = cloud
            .bucket("admin", "eu-central-1", "dr-vault-central")
            .await;
        let first: Timestamp = "2026-02-01T00:00:00Z".parse().expect("an instant");
        for n in 0..70 {
            let slot = Slot::at(first + SignedDuration::from_hours(n));
            let key = format!("points/shop/{slot}/point.json");
            let put = bucket.put(&key, "{}".into(), &PutOptions::default()).await;
            put.expect("put");
        }
    });
    let after = status(&cloud);
    assert_eq!(after["newest_proven"].as_array().map(Vec::len), proven);
    assert_eq!(after["drills"]["last"]["result"], "passed", "{after}");
}
