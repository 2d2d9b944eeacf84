//! What the format has and this version does not do. Refused: a field that is accepted and ignored
//! would be a promise.

use super::trouble::Found;
use crate::model::Role;
use crate::policy::{Policy, Source};
use crate::report::Code;

pub(super) fn not_yet(policy: &Policy, found: &mut Found) {
    fields(policy, found);
    for (n, source) in policy.sources.iter().enumerate() {
        let mut refuse = |field: &str, what: &str| {
            let message = format!("{what}; this version does not do that yet");
            let path = format!("sources[{n}].{field}");
            found.error(Code::PolicyUnsupported, path, message);
        };
        match source {
            Source::Aurora(_) | Source::Postgres(_) => {}
            Source::Bucket(bucket) => {
                for role in bucket.profiles.keys().filter(|r| !at_work(**r)) {
                    refuse(&format!("profiles.{role}"), waits_for(*role));
                }
            }
        }
    }
}

fn fields(policy: &Policy, found: &mut Found) {
    let mut refuse = |path: String, what: &str| {
        let message = format!("{what}; this version does not do that yet");
        found.error(Code::PolicyUnsupported, path, message);
    };
    if policy.verify.is_some() {
        refuse("verify".into(), "a schedule on which copies are read again");
    }
    let everywhere = policy.credentials.profiles.keys();
    for role in everywhere.filter(|r| !at_work(**r)) {
        refuse(format!("credentials.profiles.{role}"), waits_for(*role));
    }
    for (n, target) in policy.targets.iter().enumerate() {
        for role in target.profiles.keys().filter(|r| !at_work(**r)) {
            refuse(format!("targets[{n}].profiles.{role}"), waits_for(*role));
        }
        if target.snapshots.as_ref().is_some_and(|s| s.lock.is_some()) {
            refuse(
                format!("targets[{n}].snapshots.lock"),
                "locking a snapshot's copy",
            );
        }
    }
}

/// Whether some step is this role's.
fn at_work(role: Role) -> bool {
    !matches!(role, Role::Janitor | Role::Logger)
}

fn waits_for(role: Role) -> &'static str {
    match role {
        Role::Logger => "signing the audit log",
        _ => "deleting what has expired",
    }
}
