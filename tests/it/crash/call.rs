//! Calls by a name that is the same in every run: endpoint, operation, masked thing, k-th
//! occurrence.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    pub region: String,
    pub service: String,
    pub operation: String,
    /// With `*` where a run's own time or randomness stands.
    pub thing: String,
    pub nth: u64,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{} {} {} #{}",
            self.region, self.service, self.operation, self.thing, self.nth
        )
    }
}

/// Things that carry a time or a random part of their own.
pub fn masked(thing: &str) -> String {
    let mut parts: Vec<String> = thing.split('/').map(str::to_owned).collect();
    for i in 0..parts.len() {
        if parts[i].starts_with("probe-") {
            parts[i] = "probe-*".into();
        }
        for kind in ["restore", "init", "policy", "verify"] {
            if parts[i].starts_with(&format!("{kind}-2")) {
                parts[i] = format!("{kind}-*");
            }
        }
        if i > 0 && parts[i - 1] == "probe" {
            let what = parts[i]
                .split_once('-')
                .map(|(_, w)| w.to_owned())
                .unwrap_or_default();
            parts[i] = format!("*-{what}");
        }
    }
    parts.join("/")
}

/// As [`masked`], and without what a template made up: a vault's id in names of clusters and
/// snapshots, versions of the source,
/// digests of a policy that names its ports. So a call has one name in all shards and after
/// `RESUME`.
fn stable(thing: &str) -> String {
    let id = |word: &str| word.len() == 8 && word.chars().all(|c| c.is_ascii_hexdigit());
    let mut parts: Vec<String> = masked(thing).split('/').map(str::to_owned).collect();
    for i in 0..parts.len() {
        let folder = i.checked_sub(1).map_or("", |before| &parts[before]);
        if folder == "policies" || (folder == "dr-drill" && id(&parts[i])) {
            parts[i] = "*".into();
        }
        if parts[i].contains("dr-") {
            parts[i] = parts[i]
                .split('-')
                .map(|word| if id(word) { "*" } else { word })
                .collect::<Vec<_>>()
                .join("-");
        }
    }
    if parts.get(1).is_some_and(|p| p == "objects")
        && parts.last().is_some_and(|version| version.len() == 32)
    {
        *parts.last_mut().expect("a last part") = "*".into();
    }
    parts.join("/")
}

#[test]
fn names_of_calls_hold_nothing_that_a_template_made_up() {
    assert_eq!(
        stable("dr-drill-277d3c22-c54b46fbf4-empty-1"),
        "dr-drill-*-c54b46fbf4-empty-1"
    );
    assert_eq!(
        stable("dr-3258ac60-shop-20260101t000000z"),
        "dr-*-shop-20260101t000000z"
    );
    assert_eq!(
        stable("dr-scratch/dr-drill/fc637c42/drill-20260101T000000Z/central/a"),
        "dr-scratch/dr-drill/*/drill-20260101T000000Z/central/a"
    );
    assert_eq!(
        stable("dr-vault-central/objects/app-files/a/nWml6Y60n84eitq3v4FLip5BUHShIOjc"),
        "dr-vault-central/objects/app-files/a/*"
    );
    assert_eq!(
        stable("dr-vault-central/policies/0f21e65cb315.yaml"),
        "dr-vault-central/policies/*"
    );
    assert_eq!(
        stable("dr-vault-other/dump/shop/s/r/app.orders-52aa4b2b/000000000000.copy.zst"),
        "dr-vault-other/dump/shop/s/r/app.orders-52aa4b2b/000000000000.copy.zst"
    );
}

/// Looks that are repeated until something is ready: how often depends on the machine, so only the
/// first is named.
fn repeated(operation: &str, thing: &str) -> bool {
    operation.starts_with("Describe")
        || (operation == "HeadObject" && thing.ends_with("/vault.json"))
}

/// The calls of one run, each with its name.
pub fn named(calls: &[Value]) -> Vec<Named> {
    let mut seen: BTreeMap<(String, String, String, String), u64> = BTreeMap::new();
    let text = |call: &Value, field: &str| call[field].as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for call in calls {
        let (region, service, operation) = (
            text(call, "region"),
            text(call, "service"),
            text(call, "operation"),
        );
        let thing = stable(&text(call, "thing"));
        let nth = seen
            .entry((
                region.clone(),
                service.clone(),
                operation.clone(),
                thing.clone(),
            ))
            .or_default();
        *nth += 1;
        if *nth > 1 && repeated(&operation, &thing) {
            continue;
        }
        all.push(Named {
            region,
            service,
            operation,
            thing,
            nth: *nth,
        });
    }
    all
}

impl Named {
    /// Part of a probe of the locks, or its record.
    pub fn of_a_probe(&self) -> bool {
        self.thing.contains("/probe/") || self.thing.contains("/targets/")
    }

    /// Every occurrence of it.
    pub fn wanted_each(&self) -> Value {
        json!({"region": self.region, "service": self.service, "operation": self.operation,
        "thing": self.thing})
    }

    /// As the lab's faults match it.
    pub fn wanted(&self) -> Value {
        json!({"region": self.region, "service": self.service, "operation": self.operation,
        "thing": self.thing, "nth": self.nth})
    }
}
