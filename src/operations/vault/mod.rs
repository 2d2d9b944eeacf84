//! Making a vault, proving its lock, and the bucket policy that goes with it.

mod beside;
mod bucket_policy;
mod init;
mod probe;

pub use bucket_policy::{BucketPolicies, bucket_policies};
pub use init::{Made, Vaults, init};
pub use probe::{Probed, Probes, probe};

use super::Loaded;
use crate::aws::Clients;
use crate::model::TargetName;
use crate::policy::Target;
use crate::report::Fail;

/// Which targets, and with whose key.
pub struct VaultRequest {
    /// Only this target.
    pub target: Option<TargetName>,
    /// Profiles of the operator, instead of the policy's roles.
    pub profiles: Vec<OperatorProfile>,
}

/// `PROFILE`, or `TARGET=PROFILE` where a target needs its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorProfile {
    pub target: Option<TargetName>,
    pub profile: String,
}

impl std::str::FromStr for OperatorProfile {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.split_once('=') {
            Some((target, profile)) => Self {
                target: Some(TargetName::new(target)),
                profile: profile.to_owned(),
            },
            None => Self {
                target: None,
                profile: text.to_owned(),
            },
        })
    }
}

impl VaultRequest {
    fn targets<'a>(&self, loaded: &'a Loaded) -> Result<Vec<&'a Target>, Fail> {
        let named = self.profiles.iter().filter_map(|p| p.target.as_ref());
        if let Some(name) = named
            .into_iter()
            .find(|t| loaded.policy.target(t).is_none())
        {
            return Err(loaded.no_target(name));
        }
        match &self.target {
            None => Ok(loaded.policy.targets.iter().collect()),
            Some(name) => match loaded.policy.target(name) {
                Some(target) => Ok(vec![target]),
                None => Err(loaded.no_target(name)),
            },
        }
    }

    /// The operator's profile at a target: its own first, else the one without a target.
    fn profile(&self, target: &TargetName) -> Option<&str> {
        let own = |p: &&OperatorProfile| p.target.as_ref() == Some(target);
        let any = |p: &&OperatorProfile| p.target.is_none();
        let all = || self.profiles.iter();
        let found = all().find(own).or_else(|| all().find(any));
        found.map(|p| p.profile.as_str())
    }

    /// Names of the targets, in the policy's order: at least one.
    fn names(&self, loaded: &Loaded) -> Result<Vec<TargetName>, Fail> {
        let targets = self.targets(loaded)?;
        Ok(targets.into_iter().map(|t| t.name.clone()).collect())
    }

    /// Whatever the role, the operator's key where there is one.
    fn clients(&self, loaded: &Loaded) -> Clients {
        loaded.clients_by_target(|target| self.profile(target))
    }
}
