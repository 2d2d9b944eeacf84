//! Calls by a name that is the same in every run: endpoint, operation, masked thing, k-th occurrence.

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
        write!(f, "{}/{} {} {} #{}", self.region, self.service, self.operation, self.thing, self.nth)
    }
}

/// Things that carry a time or a random part of their own.
pub fn masked(thing: &str) -> String {
    let mut parts: Vec<String> = thing.split('/').map(str::to_owned).collect();
    for i in 0..parts.len() {
        if parts[i].starts_with("probe-") {
            parts[i] = "probe-*".into();
        }
        if parts[i].starts_with("restore-2") {
            parts[i] = "restore-*".into();
        }
        if i > 0 && parts[i - 1] == "probe" {
            let what = parts[i].split_once('-').map(|(_, w)| w.to_owned()).unwrap_or_default();
            parts[i] = format!("*-{what}");
        }
    }
    parts.join("/")
}

/// Looks that are repeated until something is ready: how often depends on the machine, so only the first is named.
fn repeated(operation: &str, thing: &str) -> bool {
    operation.starts_with("Describe") || (operation == "HeadObject" && thing.ends_with("/vault.json"))
}

/// The calls of one run, each with its name.
pub fn named(calls: &[Value]) -> Vec<Named> {
    let mut seen: BTreeMap<(String, String, String, String), u64> = BTreeMap::new();
    let text = |call: &Value, field: &str| call[field].as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for call in calls {
        let (region, service, operation) = (text(call, "region"), text(call, "service"), text(call, "operation"));
        let thing = masked(&text(call, "thing"));
        let nth = seen.entry((region.clone(), service.clone(), operation.clone(), thing.clone())).or_default();
        *nth += 1;
        if *nth > 1 && repeated(&operation, &thing) {
            continue;
        }
        all.push(Named { region, service, operation, thing, nth: *nth });
    }
    all
}

impl Named {
    /// Every occurrence of it.
    pub fn wanted_each(&self) -> Value {
        json!({"region": self.region, "service": self.service, "operation": self.operation, "thing": self.thing})
    }

    /// As the lab's faults match it.
    pub fn wanted(&self) -> Value {
        json!({"region": self.region, "service": self.service, "operation": self.operation, "thing": self.thing, "nth": self.nth})
    }
}
