//! A policy file made ready: read, checked, with clients for its keys.

use super::exit::Exit;
use super::output::{Fail, Finding, Severity};
use crate::aws::{Clients, Credential, Keys, Tuning};
use crate::manifest::{Sha256Hex, sha256_hex};
use crate::plan::{PlanTarget, plan_targets};
use crate::policy::{Calendar, Policy, Region, Role, TargetName, check, parse};
use crate::schedule;
use crate::steps::open;
use crate::vault::Vault;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// A policy as it was given.
pub struct Loaded {
    pub file: String,
    pub text: String,
    pub sha256: Sha256Hex,
    pub policy: Policy,
    pub warnings: Vec<Finding>,
}

pub fn calendar() -> Calendar {
    Calendar {
        fires: schedule::fires,
        longest_interval_s: schedule::longest_interval_s,
    }
}

/// The text of a policy file, as far as one can be long: what never ends is not read to its end.
pub fn text_of(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(file)?
        .take(crate::policy::MAX_BYTES as u64 + 1)
        .read_to_string(&mut text)?;
    Ok(text)
}

/// # Errors
/// Exit 2: no such file, not a policy, or one that contradicts itself.
pub fn load(file: &Path) -> Result<Loaded, Fail> {
    let shown = file.display().to_string();
    let text = text_of(file).map_err(|e| {
        Fail::new(
            Exit::Usage,
            "policy-unreadable",
            format!("policy {shown} cannot be read: {e}"),
        )
        .hint("dr tick --policy FILE")
        .at(&shown)
    })?;
    let invalid = |e: crate::policy::ParseError| {
        Fail::new(Exit::Usage, "policy-invalid", e.to_string())
            .hint(format!("dr policy check {shown}"))
            .at(&shown)
    };
    let mut policy = parse(&shown, &text).map_err(invalid)?;
    let mut warnings = Vec::new();
    for trouble in check(&policy, &calendar()) {
        if trouble.severity == crate::policy::Severity::Error {
            return Err(Fail {
                code: trouble.code.into(),
                ..invalid(trouble.at(&shown, &text))
            });
        }
        warnings.push(Finding {
            code: trouble.code.into(),
            severity: Severity::Warning,
            thing: trouble.path.clone(),
            place: shown.clone(),
            hint: format!("dr policy check {shown}"),
            message: trouble.message.clone(),
        });
    }
    for path in [
        &mut policy.credentials.file,
        &mut policy.credentials.postgres_ca_file,
    ]
    .into_iter()
    .flatten()
    {
        *path = beside(file, path);
    }
    Ok(Loaded {
        file: shown,
        sha256: sha256_hex(text.as_bytes()),
        text,
        policy,
        warnings,
    })
}

/// A relative path in a policy is relative to the policy.
fn beside(policy: &Path, path: &str) -> String {
    let folder = policy.parent().unwrap_or(Path::new("."));
    folder.join(path).display().to_string()
}

impl Loaded {
    /// Clients for this policy's endpoints and keys. `profile`: one key for everything.
    pub fn clients(&self, profile: Option<&str>) -> Clients {
        let policy = &self.policy;
        let keys = Keys {
            file: policy.credentials.file.clone(),
            profiles: policy
                .credentials
                .profiles
                .iter()
                .map(|(r, n)| (*r, n.to_string()))
                .collect(),
            by_target: policy
                .targets
                .iter()
                .flat_map(|t| {
                    t.profiles
                        .iter()
                        .map(|(r, n)| ((t.name.clone(), *r), n.to_string()))
                })
                .collect(),
            only: profile.map(|p| Credential::Profile {
                name: p.into(),
                file: policy.credentials.file.clone(),
            }),
        };
        let tuning = Tuning {
            connect: policy.timeouts.connect,
            call: policy.timeouts.call,
            attempts: policy.retry.requests,
        };
        let sts: BTreeMap<Region, String> = policy
            .endpoints
            .iter()
            .filter_map(|(r, e)| Some((r.clone(), e.sts.clone()?)))
            .collect();
        Clients::new(
            keys,
            tuning,
            sts,
            policy.credentials.postgres_ca_file.clone(),
        )
    }

    /// Targets with locks that start now; for everything that is no run.
    pub fn targets(&self, now: Timestamp) -> Vec<PlanTarget> {
        plan_targets(&self.policy, now)
    }

    pub async fn vault(
        &self,
        clients: &Clients,
        role: Role,
        name: &TargetName,
        now: Timestamp,
    ) -> Result<Vault, Fail> {
        let target = self
            .targets(now)
            .into_iter()
            .find(|t| &t.name == name)
            .ok_or_else(|| self.no_target(name))?;
        Ok(open(clients, role, &target).await)
    }

    pub fn no_target(&self, name: &TargetName) -> Fail {
        let names: Vec<_> = self
            .policy
            .targets
            .iter()
            .map(|t| t.name.to_string())
            .collect();
        Fail::usage(format!(
            "policy {} has no target `{name}`; it has {}",
            self.policy.name,
            names.join(", ")
        ))
    }

    pub fn measured_on(&self) -> &'static str {
        let endpoints = self
            .policy
            .endpoints
            .values()
            .flat_map(|e| [&e.s3, &e.rds])
            .flatten();
        if endpoints.into_iter().any(|e| crate::policy::on_loopback(e)) {
            "lab"
        } else {
            "aws"
        }
    }
}
