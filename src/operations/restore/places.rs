//! The vaults that a restore can read: one named by its URL, or those of a policy.

use super::place::{Place, place};
use super::request::{RestoreRequest, RestoreSource};
use crate::aws::Clients;
use crate::manifest::Proof;
use crate::model::{Role, Sha256, on_loopback};
use crate::operations::policy_file::stored_policy;
use crate::operations::vault_alone::FromVault;
use crate::operations::{Loaded, policy_copy};
use crate::policy::Policy;
use crate::report::{Code, Fail, Hint, full};
use crate::targets::{Away, open};
use crate::vault::{ProofOf, Vault};
use crate::world::World;

pub struct Places {
    pub clients: Clients,
    pub places: Vec<Place>,
    pub away: Vec<Away>,
}

impl Places {
    pub fn measured_on(&self) -> &'static str {
        let mut endpoints = self
            .places
            .iter()
            .filter_map(|p| p.target.endpoint.as_deref());
        if endpoints.any(on_loopback) {
            "lab"
        } else {
            "aws"
        }
    }
}

/// # Errors
/// 12 where nothing answers; 2 for a vault that is not what it was called.
pub async fn reach(world: &World, request: &RestoreRequest) -> Result<Places, Fail> {
    match &request.source {
        RestoreSource::Vault(from) => from_vault(world, request, from).await,
        RestoreSource::Policy(loaded) => from_policy(world, request, loaded).await,
    }
}

async fn from_policy(
    world: &World,
    request: &RestoreRequest,
    loaded: &Loaded,
) -> Result<Places, Fail> {
    if let Some(name) = &request.target
        && loaded.policy.target(name).is_none()
    {
        return Err(loaded.no_target(name));
    }
    let clients = for_destination(loaded.clients(request.profile.as_deref()), request);
    let (mut places, mut away) = (Vec::new(), Vec::new());
    for target in loaded.targets(world.now()) {
        if request.target.as_ref().is_some_and(|t| t != &target.name) {
            continue;
        }
        let vault = open(&clients, Role::Restorer, &target).await;
        let (name, policy) = (target.name.clone(), Some(loaded.policy.clone()));
        match place(vault, target, &loaded.policy.name, policy, request).await {
            Ok(place) => places.push(place),
            Err(fail) => away.push(Away {
                name,
                why: full(&fail),
            }),
        }
    }
    share_proofs(&mut places);
    if places.is_empty() {
        let why: Vec<String> = away
            .iter()
            .map(|a| format!("{}: {}", a.name, a.why))
            .collect();
        let message = format!("no target can be read: {}", why.join("; "));
        let hint = Hint::dr("restore").arg("--from", "s3://BUCKET");
        let hint = hint.arg("--region", "REGION");
        return Err(Fail::new(Code::TargetUnavailable, message).hint(hint));
    }
    Ok(Places {
        clients,
        places,
        away,
    })
}

/// A verdict that one target lacks, because it refused the document, is known by another.
fn share_proofs(places: &mut [Place]) {
    let known: Vec<Proof> = places
        .iter()
        .flat_map(|p| &p.points)
        .flat_map(|p| p.proofs.iter().cloned())
        .collect();
    let id = |p: &Proof| (p.run.clone(), ProofOf::of(p));
    for point in places.iter_mut().flat_map(|p| &mut p.points) {
        for proof in known.iter().filter(|p| p.slot == point.point.slot) {
            if !point.proofs.iter().any(|p| id(p) == id(proof)) {
                point.proofs.push(proof.clone());
            }
        }
    }
}

/// The bucket that files go to can be another account's, with a key of its own.
fn for_destination(clients: Clients, request: &RestoreRequest) -> Clients {
    match (&request.bucket.bucket, &request.bucket.profile) {
        (Some(bucket), Some(profile)) => clients.with_bucket_profile(bucket, profile),
        _ => clients,
    }
}

async fn from_vault(
    world: &World,
    request: &RestoreRequest,
    from: &FromVault,
) -> Result<Places, Fail> {
    let clients = from.clients(request.postgres_ca_file.clone());
    let clients = for_destination(clients, request);
    let mut own = from.own(world, &clients, Role::Restorer).await?;
    let policy = policy_of(&own.vault, &own.point.policy_sha256).await;
    if let Some(policy) = &policy {
        own.keep_evidence_by(policy, world.now());
    }
    let place = place(own.vault, own.target, &own.policy, policy, request).await?;
    Ok(Places {
        clients,
        places: vec![place],
        away: Vec::new(),
    })
}

/// The policy as the vault keeps it: shapes of clusters come from it. Absence is no obstacle to a
/// restore.
async fn policy_of(vault: &Vault, sha256: &Sha256) -> Option<Policy> {
    let text = policy_copy::read(vault, sha256).await.ok()??;
    stored_policy(&text)
}
