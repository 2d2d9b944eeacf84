//! What actions do: observe, act if absent, observe again. One file per kind of action, one match
//! over all of them.

mod cluster;
mod dumping;
mod error;
mod files;
mod inspect;
mod objects;
mod proofs;
mod publish;
mod snapshot;
mod teardown;
mod verify;

pub use error::StepError;
pub use files::sample;
pub use objects::manifest as read_manifest;
pub use proofs::proofs_of;
pub use verify::{
    Documents, Other, PointAt, Wrong, foreign, point_documents, policy_copies, verify_journal,
    verify_native, verify_point,
};

use crate::aws::Clients;
use crate::aws::s3::{Bucket, Lock};
use crate::database::Secret;
use crate::journal::{Evidence, RunState};
use crate::plan::{Action, Plan, PlanTarget, Step};
use crate::policy::{Region, Role, TargetName};
use crate::vault::Vault;
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Tells a person how far a step is. Called often; must not block.
pub trait Progress: Send + Sync {
    fn report(&self, step: &str, done: u64, total: u64, unit: &str);
}

/// What a step may use.
pub struct Context<'a> {
    pub world: &'a World,
    pub clients: &'a Clients,
    pub plan: &'a Plan,
    pub state: &'a RunState,
    pub role: Role,
    pub step: &'a Step,
    pub progress: &'a dyn Progress,
    pub secrets: Secrets,
    /// Where the restored database is, for a restore into a given URL: the plan holds no password.
    pub database: Option<&'a crate::database::Address>,
}

/// Passwords that this process set; they live no longer than it does and are never written down.
#[derive(Clone, Default)]
pub struct Secrets {
    by_cluster: Arc<Mutex<BTreeMap<String, Secret>>>,
    wished: Option<Secret>,
}

impl Secrets {
    /// With the password that the user wants a restored cluster to have.
    pub fn with_wish(wished: Option<Secret>) -> Self {
        Self {
            wished,
            ..Self::default()
        }
    }
    pub fn wished(&self) -> Option<Secret> {
        self.wished.clone()
    }
    pub fn get(&self, cluster: &str) -> Option<Secret> {
        self.by_cluster
            .lock()
            .ok()
            .and_then(|s| s.get(cluster).cloned())
    }
    pub fn set(&self, cluster: &str, secret: Secret) {
        if let Ok(mut all) = self.by_cluster.lock() {
            all.insert(cluster.to_owned(), secret);
        }
    }
}

impl Context<'_> {
    pub fn plan_target(&self, name: &TargetName) -> Result<&PlanTarget, StepError> {
        self.plan
            .target(name)
            .ok_or_else(|| StepError::bug(format!("the plan has no target {name}")))
    }

    pub async fn vault(&self, name: &TargetName) -> Result<Vault, StepError> {
        Ok(open(self.clients, self.role, self.plan_target(name)?).await)
    }

    pub fn lock(&self, name: &TargetName) -> Result<Lock, StepError> {
        let target = self.plan_target(name)?;
        Ok(Lock {
            mode: target.lock_mode,
            retain_until: target.retain_until,
        })
    }

    /// A bucket that is no target (a source, a scratch bucket).
    pub async fn bucket(
        &self,
        name: &crate::policy::BucketName,
        region: &Region,
        endpoint: Option<&str>,
    ) -> Bucket {
        self.clients
            .bucket(self.role, &source_place(name, region, endpoint))
            .await
    }

    /// Evidence of another step of this run.
    pub fn evidence(&self, step: &str) -> Option<&Evidence> {
        self.state.evidence(&crate::plan::StepId(step.into()))
    }

    pub fn report(&self, done: u64, total: u64, unit: &str) {
        self.progress.report(&self.step.id.0, done, total, unit);
    }

    /// Waits between two looks at something slow.
    pub async fn pause(&self) -> Result<(), StepError> {
        self.world.sleep(self.plan.poll_every.as_duration()).await;
        if self.world.stopping() {
            Err(StepError::stopped())
        } else {
            Ok(())
        }
    }
}

/// The place of a bucket that is no target.
pub fn source_place<'a>(
    bucket: &'a crate::policy::BucketName,
    region: &'a Region,
    endpoint: Option<&'a str>,
) -> crate::aws::Place<'a> {
    crate::aws::Place {
        region,
        endpoint,
        bucket,
        provider: crate::policy::Provider::Aws,
        kms_key: None,
        target: None,
    }
}

/// A target's vault with a role's key.
pub async fn open(clients: &Clients, role: Role, target: &PlanTarget) -> Vault {
    let place = crate::aws::Place {
        region: &target.region,
        endpoint: target.endpoint.as_deref(),
        bucket: &target.bucket,
        provider: target.provider,
        kms_key: target.kms_key.as_ref(),
        target: Some(&target.name),
    };
    Vault {
        bucket: clients.bucket(role, &place).await,
        target: target.name.clone(),
    }
}

/// The one match over actions. Each arm may be called again after a crash at any moment and then
/// changes nothing that is done already.
///
/// # Errors
/// [`StepError`] with a kind that the engine acts on.
pub async fn perform(ctx: &Context<'_>) -> Result<Evidence, StepError> {
    match &ctx.step.action {
        Action::TakeSnapshot {
            cluster,
            region,
            account,
            endpoint,
            snapshot,
            tags,
            ..
        } => {
            snapshot::take(
                ctx,
                cluster,
                region,
                account,
                endpoint.as_deref(),
                snapshot,
                tags,
            )
            .await
        }
        Action::ShareSnapshot {
            region,
            endpoint,
            snapshot,
            with,
        } => snapshot::share(ctx, region, endpoint.as_deref(), snapshot, with).await,
        Action::CopySnapshot { .. } => snapshot::copy(ctx).await,
        Action::ListObjects {
            sources,
            list_prefix,
        } => objects::list(ctx, sources, list_prefix).await,
        Action::CopyObjects {
            target,
            base,
            manifest_key,
            in_flight,
            part_size_bytes,
        } => {
            objects::copy(
                ctx,
                target,
                base.as_ref(),
                manifest_key,
                *in_flight,
                *part_size_bytes,
            )
            .await
        }
        Action::VerifyCopies { target, in_flight } => {
            objects::verify(ctx, target, *in_flight).await
        }
        Action::PublishPoint { target } => publish::point(ctx, target).await,
        Action::RestoreScratch { spec, snapshot_arn }
        | Action::RestoreCluster { spec, snapshot_arn } => {
            cluster::restore(ctx, spec, snapshot_arn).await
        }
        Action::CreateEmpty { spec } => cluster::create_empty(ctx, spec).await,
        Action::InspectScratch {
            cluster,
            heartbeat,
            snapshot_at,
            heartbeat_max_age,
            assertions,
            streams,
        } => {
            inspect::scratch(
                ctx,
                cluster,
                heartbeat.as_ref(),
                *snapshot_at,
                *heartbeat_max_age,
                assertions,
                *streams,
            )
            .await
        }
        Action::CheckRestored {
            cluster,
            heartbeat,
            streams,
            ..
        } => inspect::restored(ctx, cluster.as_ref(), heartbeat.as_ref(), *streams).await,
        Action::DumpTo { .. } => dumping::dump(ctx).await,
        Action::LoadFrom { .. } => dumping::load_scratch(ctx).await,
        Action::LoadDump { .. } => dumping::load_given(ctx).await,
        Action::RestoreFiles { .. } => files::restore(ctx).await,
        Action::ProbeLock {
            target,
            control,
            lock,
        } => proofs::probe(ctx, target, *control, *lock).await,
        Action::WriteProofs { targets, native } => {
            proofs::write(ctx, targets, native.as_ref()).await
        }
        Action::Teardown { .. } => teardown::teardown(ctx).await,
    }
}
