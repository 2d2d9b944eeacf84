//! Rows that name files, looked up in the copied bucket by a whole drill: those that are there, one
//! that dangles, one whose file has other bytes.

use crate::cloud::{Cloud, Ran};
use crate::negative::sql;
use dr::aws::s3::PutOptions;
use dr::model::Sha256;
use serde_json::{Value, json};

/// Objects, and rows of `app.files`: of `a/` all is well.
const OBJECTS: [(&str, &str); 4] = [
    ("a/1", "one"),
    ("a/2", "two"),
    ("a/3", "three"),
    ("b/other", "of these bytes"),
];
const ROWS: [(&str, &str); 4] = [
    ("a/1", "one"),
    ("a/2", "two"),
    ("b/other", "of others"),
    ("b/gone", "never put"),
];

const GOOD: &str = "references:
  - {source: shop, in: app-files, sql: \"SELECT key, sha256 FROM app.files WHERE key LIKE 'a/%'\"}
  - {id: late, source: shop, in: app-files, dangling: {most: 1}, sql: \
 \"SELECT 'a/3' UNION ALL SELECT 'a/late' UNION ALL SELECT NULL\"}
";
const WRONG: &str = "references:
  - {source: shop, in: app-files, sql: \"SELECT key FROM app.files WHERE key ~ '^[ab]/'\"}
  - {id: bytes, source: shop, in: app-files, sql: \
 \"SELECT key, sha256 FROM app.files WHERE key ~ '^[ab]/' AND key <> 'b/gone'\"}
  - {id: broken, source: shop, in: app-files, sql: \"SELECT key FROM app.no_such_table\"}
  - {id: writes, source: shop, in: app-files, sql: \"DELETE FROM app.files RETURNING key\"}
";

fn fill(cloud: &Cloud) {
    crate::stores::block_on(async {
        let bucket = cloud.bucket("admin", "eu-west-3", "app-files").await;
        for (key, body) in OBJECTS {
            let (body, options) = (body.as_bytes().to_vec(), PutOptions::default());
            bucket.put(key, body.into(), &options).await.expect("put");
        }
    });
    let row =
        |(key, body): (&str, &str)| format!("('{key}', 'v', '{}')", Sha256::of(body.as_bytes()));
    let rows = ROWS.map(row).join(", ");
    let insert = format!("INSERT INTO app.files (key, version, sha256) VALUES {rows}");
    sql(cloud, "eu-west-3", "shop", &insert);
}

fn drill(cloud: &Cloud, name: &str, references: &str) -> Ran {
    let policy = cloud.policy_with(name, |text| text + references);
    let policy = policy.to_str().expect("a path");
    cloud.dr(&["drill", "--json", "--policy", policy])
}

/// Method and target, result, tested, skipped and why of a check, of each restored database.
fn told(drill: &Ran, id: &str) -> Vec<Value> {
    let all = drill.json()["checks"].clone();
    let all = all.as_array().cloned().unwrap_or_default();
    let ours = all.into_iter().filter(|c| c["id"] == id);
    let told: Vec<Value> = ours
        .map(|c| json!([c["result"], c["tested"], c["skipped"], c["why"]]))
        .collect();
    assert_eq!(told.len(), 3, "a snapshot and two dumps, {id}: {drill:?}");
    told
}

#[test]
fn rows_are_looked_up_in_the_copied_bucket() {
    let cloud = Cloud::start("references", &["--no-writers"]);
    cloud.init();
    fill(&cloud);
    cloud.dr(&["tick", "--json"]).exits(0);
    let ran = drill(&cloud, "good.yaml", GOOD).exits(0);
    for check in told(&ran, "references:app-files") {
        assert_eq!(check, json!(["passed", 2, 0, null]));
    }
    let late = "1 rows name files that the copy does not have, first `a/late`; 1 may dangle";
    for check in told(&ran, "references:late") {
        assert_eq!(check, json!(["passed", 2, 1, late]));
    }

    let ran = drill(&cloud, "wrong.yaml", WRONG);
    assert_ne!(ran.code, 0, "{ran:?}");
    let gone = "1 rows name files that the copy does not have, first `b/gone`";
    for check in told(&ran, "references:app-files") {
        assert_eq!(check, json!(["failed", 4, 0, gone]));
    }
    let bytes = "1 rows name files that are there and otherwise than the row says, first `b/other`";
    for check in told(&ran, "references:bytes") {
        assert_eq!(check, json!(["failed", 3, 0, bytes]));
    }
    // Of a statement that fails only its own check, and nothing is changed by one.
    for (id, sqlstate) in [
        ("references:broken", "42P01"),
        ("references:writes", "25006"),
    ] {
        for check in told(&ran, id) {
            assert_eq!(check[0], "failed", "{check}");
            let why = check[3].as_str().unwrap_or_default();
            assert!(why.contains(sqlstate), "{why}");
        }
    }
    for check in told(&ran, "assertion:items-have-orders") {
        assert_eq!(check[0], "passed", "{check}");
    }
}
