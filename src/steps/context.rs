//! What a step may use that its action does not hold.

use crate::aws::Clients;
use crate::aws::s3::Bucket;
use crate::database::{Address, Database, DatabaseError, Logins, Postgres, Secret};
use crate::journal::RunState;
use crate::model::{BucketName, ClusterId, Lock, Region, Role, StepId, TargetName};
use crate::plan::{Link, Output, Plan, PlanTarget};
use crate::report::{Fail, Finding};
use crate::targets::{open, place_of};
use crate::vault::Vault;
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Tells a person how far a step is. Called often; must not block.
pub trait Progress: Send + Sync {
    fn report(&self, step: &str, done: u64, total: u64, unit: &str);
}

pub struct Context<'a> {
    pub world: &'a World,
    pub clients: &'a Clients,
    pub plan: &'a Plan,
    pub state: &'a RunState,
    pub role: Role,
    pub step: &'a StepId,
    pub progress: &'a dyn Progress,
    pub secrets: Secrets,
    /// Servers that the runner's own policy names, and who enters them.
    pub logins: &'a Logins,
    /// Where the restored database is, for a restore into a given URL: the plan holds no password.
    pub database: Option<&'a Address>,
    /// The text of the policy that the plan is made by.
    pub policy: Option<&'a str>,
    pub said: &'a Said,
}

/// What steps say to whoever typed the verb, beside their evidence.
#[derive(Clone, Default)]
pub struct Said(Arc<Mutex<Vec<Finding>>>);

impl Said {
    pub fn say(&self, findings: Vec<Finding>) {
        let said = self.0.lock();
        said.unwrap_or_else(PoisonError::into_inner)
            .extend(findings);
    }

    /// All of it, once.
    pub fn take(&self) -> Vec<Finding> {
        let said = self.0.lock();
        std::mem::take(&mut *said.unwrap_or_else(PoisonError::into_inner))
    }
}

/// Passwords that this process set; they live no longer than it does and are never written down.
#[derive(Clone, Default)]
pub struct Secrets {
    by_cluster: Arc<Mutex<BTreeMap<ClusterId, Secret>>>,
    requested: Option<Secret>,
}

impl Secrets {
    /// With the password that the user wants a restored cluster to have.
    pub fn with_requested(requested: Option<Secret>) -> Self {
        Self {
            requested,
            ..Self::default()
        }
    }
    pub fn requested(&self) -> Option<Secret> {
        self.requested.clone()
    }
    pub fn get(&self, cluster: &ClusterId) -> Option<Secret> {
        let known = self.by_cluster.lock();
        // A map of passwords is whole whatever panicked beside it.
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known.get(cluster).cloned()
    }
    pub fn set(&self, cluster: &ClusterId, secret: Secret) {
        let known = self.by_cluster.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        known.insert(cluster.clone(), secret);
    }
}

impl Context<'_> {
    pub fn plan_target(&self, name: &TargetName) -> Result<&PlanTarget, Fail> {
        self.plan
            .target(name)
            .ok_or_else(|| Fail::bug(format!("the plan has no target {name}")))
    }

    pub async fn vault(&self, name: &TargetName) -> Result<Vault, Fail> {
        Ok(open(self.clients, self.role, self.plan_target(name)?).await)
    }

    pub fn lock(&self, name: &TargetName) -> Result<Lock, Fail> {
        Ok(self.plan_target(name)?.lock())
    }

    /// A bucket that is neither target nor source: a scratch bucket.
    pub async fn bucket(
        &self,
        name: &BucketName,
        region: &Region,
        endpoint: Option<&str>,
    ) -> Bucket {
        let place = place_of(name, region, endpoint);
        self.clients.bucket(self.role, &place).await
    }

    /// A session in a database, of whatever kind it is.
    ///
    /// # Errors
    /// As [`Database::connect`].
    pub async fn connect(&self, address: &Address) -> Result<impl Database + use<>, DatabaseError> {
        Postgres::connect(address, self.clients.call_timeout()).await
    }

    /// What the step behind a link left. The engine starts no step before those that it needs.
    pub fn output<T: Output>(&self, link: &Link<T>) -> Result<&T, Fail> {
        self.state
            .output(link)
            .ok_or_else(|| Fail::bug(format!("step {} left nothing", link.step())))
    }

    /// One-based number of this attempt at the step.
    pub fn attempt(&self) -> u32 {
        self.state.attempt(self.step)
    }

    pub fn report(&self, done: u64, total: u64, unit: &str) {
        self.progress.report(self.step.as_str(), done, total, unit);
    }

    /// Waits between two looks at something slow.
    pub async fn pause(&self) -> Result<(), Fail> {
        self.world.sleep(self.plan.poll_every.as_duration()).await;
        if self.world.stopping() {
            Err(Fail::stopped())
        } else {
            Ok(())
        }
    }
}
