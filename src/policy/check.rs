//! What is wrong with a policy that can be read: contradictions, promises no path can keep, lines
//! that never fire.

use super::ids::{AccountId, Region};
use super::locate::locate;
use super::parse::ParseError;
use super::types::{Path, Policy, Provider, Schedule, Target};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// One thing `policy check` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub code: &'static str,
    pub severity: Severity,
    /// Path of the field, such as `targets[0].lock`.
    pub path: String,
    pub message: String,
}

impl Trouble {
    /// With the place in the file drawn under it.
    pub fn at(&self, file: &str, text: &str) -> ParseError {
        ParseError::at(
            file,
            text,
            locate(text, &self.path),
            format!("{}: {}", self.path, self.message),
        )
    }
}

/// What the check must know of the meaning of a schedule line; `schedule` answers, and is above
/// this room.
pub struct Calendar {
    /// Whether the line fires at all, else why not.
    pub fires: fn(&Schedule) -> Result<(), String>,
    /// The longest gap between two slots, in seconds.
    pub longest_interval_s: fn(&Schedule) -> Option<u64>,
}

/// Everything wrong, errors first.
pub fn check(policy: &Policy, calendar: &Calendar) -> Vec<Trouble> {
    let mut found = Found::default();
    names(policy, &mut found);
    accounts(policy, &mut found);
    sources(policy, &mut found);
    for (n, target) in policy.targets.iter().enumerate() {
        self::target(policy, n, target, &mut found);
    }
    schedules(policy, calendar.fires, &mut found);
    drill(policy, &mut found);
    numbers(policy, &mut found);
    endpoints(policy, &mut found);
    objectives(policy, calendar.longest_interval_s, &mut found);
    found.0.sort_by_key(|t| t.severity);
    found.0
}

#[derive(Default)]
struct Found(Vec<Trouble>);

impl Found {
    fn error(&mut self, code: &'static str, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Trouble {
            code,
            severity: Severity::Error,
            path: path.into(),
            message: message.into(),
        });
    }
    fn warning(&mut self, code: &'static str, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Trouble {
            code,
            severity: Severity::Warning,
            path: path.into(),
            message: message.into(),
        });
    }
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=20).contains(&bytes.len())
        && bytes[0].is_ascii_lowercase()
        && bytes[bytes.len() - 1] != b'-'
        && !text.contains("--")
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

fn names(policy: &Policy, found: &mut Found) {
    let rule = "use 1 to 20 lower-case letters, digits and single hyphens, a letter first";
    if policy.version != 1 {
        found.error(
            "policy-version",
            "version",
            format!(
                "version {} is unknown; this program reads version 1",
                policy.version
            ),
        );
    }
    if !is_name(policy.name.as_str()) {
        found.error(
            "policy-name",
            "name",
            format!(
                "`{}` cannot be part of a snapshot's name; {rule}",
                policy.name
            ),
        );
    }
    for (n, target) in policy.targets.iter().enumerate() {
        if !is_name(target.name.as_str()) {
            found.error(
                "policy-name",
                format!("targets[{n}].name"),
                format!("`{}`: {rule}", target.name),
            );
        }
        if policy.targets[..n].iter().any(|t| t.name == target.name) {
            found.error(
                "policy-duplicate",
                format!("targets[{n}].name"),
                format!("a second target `{}`", target.name),
            );
        }
        if policy.targets[..n]
            .iter()
            .any(|t| t.bucket == target.bucket && t.region == target.region)
        {
            found.error(
                "policy-duplicate",
                format!("targets[{n}].bucket"),
                format!("bucket `{}` is a target already", target.bucket),
            );
        }
    }
}

/// An account that is misspelt would be shared with, or looked for, in vain.
fn accounts(policy: &Policy, found: &mut Found) {
    let mut places: Vec<(String, &AccountId)> = Vec::new();
    places.extend(
        policy
            .sources
            .cluster
            .iter()
            .map(|c| ("sources.cluster.account".to_owned(), &c.account)),
    );
    let buckets = policy.sources.buckets.iter().enumerate();
    places.extend(
        buckets.filter_map(|(n, b)| {
            Some((format!("sources.buckets[{n}].account"), b.account.as_ref()?))
        }),
    );
    for (n, target) in policy.targets.iter().enumerate() {
        places.extend(
            target
                .account
                .iter()
                .map(|a| (format!("targets[{n}].account"), a)),
        );
        places.extend(
            target
                .native
                .iter()
                .map(|x| (format!("targets[{n}].native.account"), &x.account)),
        );
    }
    places.extend(
        policy
            .drill
            .iter()
            .map(|d| ("drill.account".to_owned(), &d.account)),
    );
    for (place, account) in places {
        let text = account.as_str();
        if text.len() != 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
            found.error(
                "policy-account",
                place,
                format!("`{account}` is not an AWS account: twelve digits, in quotes"),
            );
        }
    }
}

fn sources(policy: &Policy, found: &mut Found) {
    if policy.sources.cluster.is_none() && policy.sources.buckets.is_empty() {
        found.error(
            "policy-empty",
            "sources",
            "nothing to protect: name a `cluster` or at least one of `buckets`",
        );
    }
    if policy.targets.is_empty() {
        found.error(
            "policy-empty",
            "targets",
            "no target: name at least one bucket that copies go to",
        );
    }
    for (n, bucket) in policy.sources.buckets.iter().enumerate() {
        let same = |b: &super::types::SourceBucket| {
            b.name == bucket.name
                && (b.prefix.starts_with(&bucket.prefix) || bucket.prefix.starts_with(&b.prefix))
        };
        if policy.sources.buckets[..n].iter().any(same) {
            found.error(
                "policy-duplicate",
                format!("sources.buckets[{n}].name"),
                format!(
                    "`{}` is listed already with an overlapping prefix",
                    bucket.name
                ),
            );
        }
        if policy.targets.iter().any(|t| t.bucket == bucket.name) {
            found.error(
                "policy-loop",
                format!("sources.buckets[{n}].name"),
                format!("`{}` is a target as well", bucket.name),
            );
        }
    }
    if let Some(h) = policy
        .sources
        .cluster
        .as_ref()
        .and_then(|c| c.heartbeat.as_ref())
        && h.table.split('.').count() != 2
    {
        found.error(
            "policy-heartbeat",
            "sources.cluster.heartbeat.table",
            format!("`{}`: write it as schema.table", h.table),
        );
    }
}

fn target(policy: &Policy, n: usize, target: &Target, found: &mut Found) {
    let place = |field: &str| format!("targets[{n}].{field}");
    let lock = &target.lock;
    let locked_s = lock.retention.0 + lock.slack.0;
    let max_s = u64::from(lock.max_lock_days) * 86_400;
    if lock.retention.0 == 0 {
        found.error(
            "lock-none",
            place("lock.retention"),
            "a retention of nothing locks nothing",
        );
    }
    if locked_s > max_s {
        found.error(
            "lock-too-long",
            place("lock.retention"),
            format!(
                "retention and slack are {}, more than max_lock_days: {}",
                super::Seconds(locked_s),
                lock.max_lock_days
            ),
        );
    }
    let primary: Vec<&Region> = policy
        .sources
        .cluster
        .iter()
        .map(|c| &c.region)
        .chain(policy.sources.buckets.iter().map(|b| &b.region))
        .collect();
    if primary.contains(&&target.region) {
        found.warning(
            "target-same-region",
            place("region"),
            format!(
                "`{}` is also a source's region: it is lost with it",
                target.region
            ),
        );
    }
    if target.native.is_some() && target.provider == Provider::Compatible {
        found.error(
            "native-elsewhere",
            place("native"),
            "cluster snapshots can only be copied to a region of AWS",
        );
    }
    if target.native.is_some() && policy.sources.cluster.is_none() {
        found.error(
            "native-no-cluster",
            place("native"),
            "there is no `sources.cluster` to copy",
        );
    }
    if target.provider == Provider::Compatible && policy.s3_endpoint(&target.region).is_none() {
        found.error(
            "endpoint-missing",
            place("provider"),
            format!(
                "a compatible provider needs `endpoints.{}.s3`",
                target.region
            ),
        );
    }
}

fn schedules(policy: &Policy, fires: fn(&Schedule) -> Result<(), String>, found: &mut Found) {
    let mut one = |path: &str, schedule: &Schedule| {
        if let Err(why) = fires(schedule) {
            found.error("schedule", format!("{path}.cron"), why);
        }
        if schedule.deadline.0 == 0 {
            found.error(
                "schedule",
                format!("{path}.deadline"),
                "a run needs some time",
            );
        }
    };
    one("schedule", &policy.schedule);
    if let Some(drill) = &policy.drill {
        one("drill.schedule", &drill.schedule);
    }
}

fn drill(policy: &Policy, found: &mut Found) {
    let Some(drill) = &policy.drill else {
        found.warning(
            "no-drill",
            "drill",
            "without a drill nothing is ever proven, and `status --check` stays red",
        );
        return;
    };
    let production = policy.sources.cluster.as_ref().map(|c| &c.account);
    if production == Some(&drill.account) && !drill.same_account {
        found.error(
            "drill-in-production",
            "drill.account",
            "this is production's account; a drill there needs `same_account: true`",
        );
    }
    if policy.sources.cluster.is_some() && !policy.targets.iter().any(|t| t.native.is_some()) {
        found.error(
            "drill-no-copy",
            "drill.cluster",
            "no target has `native`, so there is no snapshot copy to restore",
        );
    }
    if policy
        .targets
        .iter()
        .any(|t| t.bucket == drill.scratch_bucket)
    {
        found.error(
            "drill-scratch",
            "drill.scratch_bucket",
            "a vault cannot be the scratch bucket",
        );
    }
}

fn numbers(policy: &Policy, found: &mut Found) {
    let (r, t, c) = (&policy.runner, &policy.timeouts, &policy.concurrency);
    let least = r.alive_every.0 + t.call.0 + r.margin.0;
    if r.takeover_after.0 < least {
        found.error(
            "runner-takeover",
            "runner.takeover_after",
            format!(
                "{} is less than alive_every + timeouts.call + margin = {}: a live runner could \
                 be robbed",
                r.takeover_after,
                super::Seconds(least)
            ),
        );
    }
    for (path, value) in [
        ("runner.alive_every", r.alive_every),
        ("timeouts.call", t.call),
    ] {
        if !(1..=60).contains(&value.0) {
            found.error("bounds", path, format!("{value} is not between 1s and 60s"));
        }
    }
    if !(5 << 20..=512 << 20).contains(&c.part_size_bytes) {
        found.error(
            "bounds",
            "concurrency.part_size_bytes",
            format!("{} is not between 5 MiB and 512 MiB", c.part_size_bytes),
        );
    }
    for (path, value) in [
        ("concurrency.objects", c.objects),
        ("concurrency.streams", c.streams),
        ("retry.requests", policy.retry.requests),
        ("retry.steps", policy.retry.steps),
    ] {
        if !(1..=64).contains(&value) {
            found.error("bounds", path, format!("{value} is not between 1 and 64"));
        }
    }
    if policy.probe.control.0 == 0 || policy.probe.lock <= policy.probe.control {
        found.error(
            "bounds",
            "probe.lock",
            "the probe's lock must last longer than its control, and the control some seconds",
        );
    }
}

/// Plain HTTP only to loopback; a policy must not be able to send data in the clear.
fn endpoints(policy: &Policy, found: &mut Found) {
    for (region, endpoints) in &policy.endpoints {
        for (service, url) in [
            ("s3", &endpoints.s3),
            ("rds", &endpoints.rds),
            ("sts", &endpoints.sts),
            ("kms", &endpoints.kms),
        ] {
            let Some(url) = url else { continue };
            if let Err(why) = super::endpoint_allowed(url) {
                found.error("endpoint", format!("endpoints.{region}.{service}"), why);
            }
        }
    }
}

fn objectives(
    policy: &Policy,
    longest_interval_s: fn(&Schedule) -> Option<u64>,
    found: &mut Found,
) {
    for (path, objective) in &policy.objectives {
        let place = format!("objectives.{path}");
        let served = match path {
            Path::Native => policy.targets.iter().any(|t| t.native.is_some()),
            Path::Portable => policy.sources.cluster.is_some() && policy.drill.is_some(),
            Path::S3 => !policy.sources.buckets.is_empty(),
        };
        if !served {
            found.error(
                "no_path_meets",
                place.clone(),
                format!(
                    "nothing in this policy makes the path `{path}`, so the objective cannot be met"
                ),
            );
        }
        // A snapshot is as old as its schedule; no setting of ours can make a point newer than its
        // slot.
        let every = match path {
            Path::Portable => policy.drill.as_ref().map(|d| &d.schedule),
            _ => Some(&policy.schedule),
        };
        if let Some(interval_s) = every.and_then(longest_interval_s)
            && interval_s > objective.rpo.0
        {
            found.error(
                "no_path_meets",
                format!("{place}.rpo"),
                format!(
                    "rpo {} cannot be met: the schedule leaves up to {} between points",
                    objective.rpo,
                    super::Seconds(interval_s)
                ),
            );
        }
    }
}
