//! Names and accounts.

use super::trouble::Found;
use crate::model::AccountId;
use crate::policy::Policy;
use crate::report::Code;

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

pub(super) fn names(policy: &Policy, found: &mut Found) {
    let rule = "use 1 to 20 lower-case letters, digits and single hyphens, a letter first";
    if policy.version != 1 {
        found.error(
            Code::PolicyVersion,
            "version",
            format!(
                "version {} is unknown; this program reads version 1",
                policy.version
            ),
        );
    }
    if !is_name(policy.name.as_str()) {
        found.error(
            Code::PolicyName,
            "name",
            format!(
                "`{}` cannot be part of a snapshot's name; {rule}",
                policy.name
            ),
        );
    }
    for (n, source) in policy.sources.iter().enumerate() {
        let id = source.id();
        if !is_name(id.as_str()) {
            found.error(
                Code::PolicyName,
                format!("sources[{n}].id"),
                format!("`{id}`: {rule}"),
            );
        }
        if policy.sources[..n].iter().any(|s| s.id() == id) {
            found.error(
                Code::PolicyDuplicate,
                format!("sources[{n}].id"),
                format!("a second source `{id}`"),
            );
        }
    }
    for (n, target) in policy.targets.iter().enumerate() {
        if !is_name(target.name.as_str()) {
            found.error(
                Code::PolicyName,
                format!("targets[{n}].name"),
                format!("`{}`: {rule}", target.name),
            );
        }
        if policy.targets[..n].iter().any(|t| t.name == target.name) {
            found.error(
                Code::PolicyDuplicate,
                format!("targets[{n}].name"),
                format!("a second target `{}`", target.name),
            );
        }
        if policy.targets[..n]
            .iter()
            .any(|t| t.bucket == target.bucket && t.region == target.region)
        {
            found.error(
                Code::PolicyDuplicate,
                format!("targets[{n}].bucket"),
                format!("bucket `{}` is a target already", target.bucket),
            );
        }
    }
}

/// An account that is misspelt would be shared with, or looked for, in vain.
pub(super) fn accounts(policy: &Policy, found: &mut Found) {
    let mut places: Vec<(String, &AccountId)> = Vec::new();
    let sources = policy.sources.iter().enumerate();
    places
        .extend(sources.filter_map(|(n, s)| Some((format!("sources[{n}].account"), s.account()?))));
    for (n, target) in policy.targets.iter().enumerate() {
        places.extend(
            target
                .account
                .iter()
                .map(|a| (format!("targets[{n}].account"), a)),
        );
        places.extend(
            target
                .snapshots
                .iter()
                .map(|x| (format!("targets[{n}].snapshots.account"), &x.account)),
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
                Code::PolicyAccount,
                place,
                format!("`{account}` is not an AWS account: twelve digits, in quotes"),
            );
        }
    }
}
