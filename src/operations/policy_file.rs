//! A policy file made ready: read, checked, with clients for its keys.

use crate::aws::{Clients, Credential, Keys, Tuning};
use crate::model::{Region, Role, Sha256, TargetName, on_loopback};
use crate::plan::{PlanTarget, plan_targets};
use crate::policy::{Calendar, ParseError, Policy, check, parse};
use crate::report::{Code, Fail, Finding, Hint, Severity};
use crate::schedule;
use crate::targets::open;
use crate::vault::Vault;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// A policy as it was given.
pub struct Loaded {
    pub file: String,
    pub text: String,
    pub sha256: Sha256,
    pub policy: Policy,
    /// One key for everything, where a vault is read without its policy file.
    pub profile: Option<String>,
    pub warnings: Vec<Finding>,
}

pub fn calendar() -> Calendar {
    Calendar {
        fires: schedule::fires,
        longest_interval_s: schedule::longest_interval_s,
    }
}

/// The text of a policy file, as far as one can be long: what never ends is not read to its end.
///
/// # Errors
/// Exit 2: it cannot be read.
pub fn text_of(file: &Path) -> Result<String, Fail> {
    let mut text = String::new();
    let read = std::fs::File::open(file).and_then(|f| {
        f.take(crate::policy::MAX_BYTES as u64 + 1)
            .read_to_string(&mut text)
    });
    let shown = file.display();
    read.map(|_| text).map_err(|e| {
        let message = format!("policy {shown} cannot be read: {e}");
        Fail::new(Code::PolicyUnreadable, message)
            .hint(Hint::dr("policy check").word("FILE"))
            .at(shown)
    })
}

/// # Errors
/// Exit 2: no such file, not a policy, or one that contradicts itself.
pub fn load(file: &Path) -> Result<Loaded, Fail> {
    let shown = file.display().to_string();
    let text = text_of(file)?;
    let check_it = || Hint::dr("policy check").word(&shown);
    let invalid =
        |code: Code, e: ParseError| Fail::new(code, e.to_string()).hint(check_it()).at(&shown);
    let mut policy = parse(&shown, &text).map_err(|e| invalid(Code::PolicyInvalid, e))?;
    let mut warnings = Vec::new();
    for trouble in check(&policy, &calendar()) {
        if trouble.severity == Severity::Error {
            return Err(invalid(trouble.code, trouble.at(&shown, &text)));
        }
        let warning = Finding::warning(trouble.code, &trouble.message);
        warnings.push(warning.thing(&trouble.path).place(&shown).hint(check_it()));
    }
    for path in policy.files() {
        *path = beside(file, path);
    }
    Ok(Loaded {
        file: shown,
        sha256: Sha256::of(text.as_bytes()),
        text,
        policy,
        profile: None,
        warnings,
    })
}

/// A policy as a vault keeps it. Whoever stored it may have written anything: one that `policy
/// check` would refuse is none.
pub fn stored_policy(text: &str) -> Option<Policy> {
    let policy = parse("policy", text).ok()?;
    let troubles = check(&policy, &calendar());
    let sound = troubles.iter().all(|t| t.severity != Severity::Error);
    sound.then_some(policy)
}

/// A relative path in a policy is relative to the policy.
fn beside(policy: &Path, path: &str) -> String {
    let folder = policy.parent().unwrap_or(Path::new("."));
    folder.join(path).display().to_string()
}

impl Loaded {
    /// Clients for this policy's endpoints and keys. `profile`: one key for everything.
    pub fn clients(&self, profile: Option<&str>) -> Clients {
        let mut keys = self.keys();
        let profile = profile.or(self.profile.as_deref());
        keys.only = profile.map(|p| Credential::Profile {
            name: p.into(),
            file: self.policy.credentials.file.clone(),
        });
        self.clients_with(keys)
    }

    /// The same with the profiles of somebody who acts in place of the roles, by target.
    pub fn clients_by_target<'p>(
        &self,
        profile: impl Fn(&TargetName) -> Option<&'p str>,
    ) -> Clients {
        let mut keys = self.keys();
        for target in &self.policy.targets {
            if let Some(profile) = profile(&target.name) {
                let all = Role::ALL.into_iter();
                let own = all.map(|role| ((target.name.clone(), role), profile.to_owned()));
                keys.by_target.extend(own);
            }
        }
        self.clients_with(keys)
    }

    fn keys(&self) -> Keys {
        let policy = &self.policy;
        let profiles = policy.credentials.profiles.iter();
        let by_target = policy.targets.iter().flat_map(|t| {
            t.profiles
                .iter()
                .map(|(r, n)| ((t.name.clone(), *r), n.to_string()))
        });
        let by_source = policy.buckets().flat_map(|s| {
            s.profiles
                .iter()
                .map(|(r, n)| ((s.id.clone(), *r), n.to_string()))
        });
        Keys {
            file: policy.credentials.file.clone(),
            profiles: profiles.map(|(r, n)| (*r, n.to_string())).collect(),
            by_target: by_target.collect(),
            by_source: by_source.collect(),
            only: None,
        }
    }

    fn clients_with(&self, keys: Keys) -> Clients {
        let policy = &self.policy;
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
        let ca_file = policy.credentials.postgres_ca_file.clone();
        Clients::new(keys, tuning, sts, ca_file)
    }

    /// Targets with locks that start now; for everything that is no run.
    pub fn targets(&self, now: Timestamp) -> Vec<PlanTarget> {
        plan_targets(&self.policy, now)
    }

    /// # Errors
    /// Exit 2: the policy has no such target.
    pub fn target(&self, name: &TargetName, now: Timestamp) -> Result<PlanTarget, Fail> {
        let mut targets = self.targets(now).into_iter();
        targets
            .find(|t| &t.name == name)
            .ok_or_else(|| self.no_target(name))
    }

    /// # Errors
    /// Exit 2: the policy has no such target.
    pub async fn vault(
        &self,
        clients: &Clients,
        role: Role,
        name: &TargetName,
        now: Timestamp,
    ) -> Result<Vault, Fail> {
        Ok(open(clients, role, &self.target(name, now)?).await)
    }

    pub fn no_target(&self, name: &TargetName) -> Fail {
        let names: Vec<String> = self
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
        let endpoints = self.policy.endpoints.values();
        let services = endpoints.flat_map(|e| [&e.s3, &e.rds]).flatten();
        let sources = self.policy.buckets().filter_map(|s| s.endpoint.as_ref());
        if services.chain(sources).any(|e| on_loopback(e)) {
            "lab"
        } else {
            "aws"
        }
    }
}
