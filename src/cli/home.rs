//! Which target holds the journal: the first in the policy's order that answers and won a raced conditional write.

use super::exit::Exit;
use super::load::Loaded;
use super::output::Fail;
use crate::aws::Clients;
use crate::manifest::{Vault as VaultDocument, VaultId};
use crate::plan::PlanTarget;
use crate::policy::{Role, TargetName};
use crate::steps::open;
use crate::vault::{ProbeRecord, Vault, Verdict, VaultError, layout};
use crate::world::World;
use jiff::{SignedDuration, Timestamp};

/// The local clock may differ this much from the home's.
const MAX_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// A target as found just now.
pub struct Seen {
    pub target: PlanTarget,
    pub vault: Vault,
    pub probe: Option<ProbeRecord>,
}

impl Seen {
    pub fn capable(&self) -> bool {
        self.probe.as_ref().is_some_and(|p| p.outcome.conditional && p.outcome.verdict == Verdict::Locked)
    }
}

pub struct Home {
    pub name: TargetName,
    pub vault: Vault,
    pub id: VaultId,
    pub now: Timestamp,
    /// All targets that answered, the home among them, in policy order.
    pub seen: Vec<Seen>,
    /// Those that did not, with the reason.
    pub away: Vec<(TargetName, String)>,
}

/// Looks at every target.
///
/// # Errors
/// 12 where none answers, 13 where none is capable, 11 where the local clock is wrong.
pub async fn find(world: &World, loaded: &Loaded, clients: &Clients, role: Role) -> Result<Home, Fail> {
    let (mut seen, mut away) = (Vec::new(), Vec::new());
    for target in loaded.targets(world.now()) {
        let vault = open(clients, role, &target).await;
        match look(&vault).await {
            Ok(probe) => seen.push(Seen { target, vault, probe }),
            Err(e) => away.push((target.name.clone(), StepText(&e).to_string())),
        }
    }
    if seen.is_empty() {
        let why: Vec<String> = away.iter().map(|(t, e)| format!("{t}: {e}")).collect();
        let fail = Fail::new(Exit::Unavailable, "target-unavailable", format!("no target answers: {}", why.join("; ")));
        return Err(fail.hint(format!("dr vault init --policy {} --profile PROFILE   (when it was never done)", loaded.file)));
    }
    let Some(home) = seen.iter().find(|s| s.capable()) else {
        let names: Vec<String> = seen.iter().map(|s| s.target.name.to_string()).collect();
        let fail = Fail::refused("no-capable-target", format!("no target that answers ({}) has passed a probe of its lock and of its conditional writes", names.join(", ")));
        return Err(fail.hint(format!("dr vault probe --policy {}", loaded.file)));
    };
    let (name, vault) = (home.target.name.clone(), home.vault.clone());
    let now = vault.now().await?;
    skew(world, now, &name)?;
    let document: VaultDocument = vault.find(layout::VAULT).await?.ok_or_else(|| {
        Fail::refused("vault-missing", format!("bucket {} of target {name} has no vault.json", vault.bucket.name))
            .hint(format!("dr vault init --policy {} --profile PROFILE", loaded.file))
    })?;
    // A target whose clock differs from the home's counts as away, alone.
    let (kept, odd): (Vec<Seen>, Vec<Seen>) = seen.into_iter().partition(|s| s.vault.bucket.clock.last().is_none_or(|t| t.duration_since(now).abs() <= MAX_SKEW));
    away.extend(odd.into_iter().map(|s| (s.target.name, "its clock differs from the home's by more than 60 s".to_owned())));
    Ok(Home { name, vault, id: document.id, now, seen: kept, away })
}

/// # Errors
/// 11: decisions by a wrong clock would lock for the wrong time.
pub fn skew(world: &World, store_now: Timestamp, target: &TargetName) -> Result<(), Fail> {
    let off = world.now().duration_since(store_now);
    if off.abs() <= MAX_SKEW {
        return Ok(());
    }
    let message = format!("the local clock is {} s {} the one of target {target}; at most 60 s are allowed", off.abs().as_secs(), if off.is_negative() { "behind" } else { "ahead of" });
    Err(Fail::new(Exit::Stuck, "clock-skew", message).hint("timedatectl status"))
}

async fn look(vault: &Vault) -> Result<Option<ProbeRecord>, VaultError> {
    vault.newest_probe(&vault.target).await
}

struct StepText<'a>(&'a VaultError);

impl std::fmt::Display for StepText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.0.to_string();
        f.write_str(text.lines().next().unwrap_or_default())
    }
}
