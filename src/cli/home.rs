//! Which target holds the journal: the first in the policy's order that answers and won a raced
//! conditional write.

use super::exit::Exit;
use super::load::Loaded;
use super::output::Fail;
use crate::aws::Clients;
use crate::manifest::{Vault as VaultDocument, VaultId};
use crate::plan::PlanTarget;
use crate::policy::{Provider, Role, TargetName};
use crate::steps::open;
use crate::vault::{ProbeRecord, Vault, VaultError, Verdict, layout};
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
        self.probe
            .as_ref()
            .is_some_and(|p| p.outcome.conditional && p.outcome.verdict == Verdict::Locked)
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

/// Looks at every target, for verbs that write: the home must be able to hold a journal.
///
/// # Errors
/// 12 where none answers that could be the home, 13 where none has a vault or is capable, 11 where
/// every key is refused or the local clock is wrong.
pub async fn find(
    world: &World,
    loaded: &Loaded,
    clients: &Clients,
    role: Role,
) -> Result<Home, Fail> {
    let Look { seen, away, why } = look_at_all(world, loaded, clients, role).await?;
    let Some(at) = seen.iter().position(Seen::capable) else {
        let names: Vec<String> = seen.iter().map(|s| s.target.name.to_string()).collect();
        if why.iter().any(VaultError::transient) {
            let told = format!(
                "the targets that answer ({}) cannot hold a journal, and those that could do not \
                 answer: {}",
                names.join(", "),
                told(&away)
            );
            return Err(Fail::new(Exit::Unavailable, "target-unavailable", told)
                .hint(format!("dr status --policy {}", loaded.file)));
        }
        let fail = Fail::refused(
            "no-capable-target",
            format!(
                "no target that answers ({}) has passed a probe of its lock and of its \
                 conditional writes",
                names.join(", ")
            ),
        );
        return Err(fail.hint(format!("dr vault probe --policy {}", loaded.file)));
    };
    at_home(world, loaded, seen, away, at).await
}

/// As [`find`] for verbs that only read: where no capable target answers, any other will do.
///
/// # Errors
/// As [`find`], but for 13 where none is capable.
pub async fn reading(
    world: &World,
    loaded: &Loaded,
    clients: &Clients,
    role: Role,
) -> Result<Home, Fail> {
    let Look { seen, away, .. } = look_at_all(world, loaded, clients, role).await?;
    let at = seen.iter().position(Seen::capable).unwrap_or(0);
    at_home(world, loaded, seen, away, at).await
}

struct Look {
    seen: Vec<Seen>,
    away: Vec<(TargetName, String)>,
    why: Vec<VaultError>,
}

/// At least one target answered.
async fn look_at_all(
    world: &World,
    loaded: &Loaded,
    clients: &Clients,
    role: Role,
) -> Result<Look, Fail> {
    let (mut seen, mut away, mut why) = (Vec::new(), Vec::new(), Vec::new());
    for target in loaded.targets(world.now()) {
        let vault = open(clients, role, &target).await;
        match look(&vault).await {
            Ok(probe) => seen.push(Seen {
                target,
                vault,
                probe,
            }),
            Err(e) => {
                away.push((target.name.clone(), StepText(&e).to_string()));
                why.push(e);
            }
        }
    }
    if seen.is_empty() {
        Err(nothing_answers(loaded, &away, &why))
    } else {
        Ok(Look { seen, away, why })
    }
}

async fn at_home(
    world: &World,
    loaded: &Loaded,
    seen: Vec<Seen>,
    mut away: Vec<(TargetName, String)>,
    at: usize,
) -> Result<Home, Fail> {
    let home = &seen[at];
    let (name, vault) = (home.target.name.clone(), home.vault.clone());
    let now = vault.now().await?;
    skew(world, now, &name)?;
    let document: VaultDocument = vault.find(layout::VAULT).await?.ok_or_else(|| {
        Fail::refused(
            "vault-missing",
            format!(
                "bucket {} of target {name} has no vault.json",
                vault.bucket.name
            ),
        )
        .hint(format!(
            "dr vault init --policy {} --profile PROFILE",
            loaded.file
        ))
    })?;
    // A target whose clock differs from the home's counts as away, alone.
    let (kept, odd): (Vec<Seen>, Vec<Seen>) = seen.into_iter().partition(|s| {
        s.vault
            .bucket
            .clock
            .last()
            .is_none_or(|t| t.duration_since(now).abs() <= MAX_SKEW)
    });
    away.extend(odd.into_iter().map(|s| {
        (
            s.target.name,
            "its clock differs from the home's by more than 60 s".to_owned(),
        )
    }));
    Ok(Home {
        name,
        vault,
        id: document.id,
        now,
        seen: kept,
        away,
    })
}

fn told(away: &[(TargetName, String)]) -> String {
    away.iter()
        .map(|(t, e)| format!("{t}: {e}"))
        .collect::<Vec<_>>()
        .join("; ")
}

/// Waiting cures an outage; it cures neither a key that is refused nor a vault that was never made.
fn nothing_answers(loaded: &Loaded, away: &[(TargetName, String)], why: &[VaultError]) -> Fail {
    let told = told(away);
    if why.iter().any(VaultError::transient) {
        return Fail::new(
            Exit::Unavailable,
            "target-unavailable",
            format!("no target answers: {told}"),
        )
        .hint(format!("dr status --policy {}", loaded.file));
    }
    if why.iter().all(VaultError::not_found) {
        return Fail::refused("vault-missing", format!("no target has a vault: {told}")).hint(
            format!("dr vault init --policy {} --profile PROFILE", loaded.file),
        );
    }
    let fail = Fail::new(
        Exit::Stuck,
        "access-denied",
        format!("no target can be read: {told}"),
    );
    // Other providers have no STS to ask.
    let targets = &loaded.policy.targets;
    match targets.iter().any(|t| t.provider == Provider::Aws) {
        true => fail.hint("aws sts get-caller-identity"),
        false => fail,
    }
}

/// # Errors
/// 11: decisions by a wrong clock would lock for the wrong time.
pub fn skew(world: &World, store_now: Timestamp, target: &TargetName) -> Result<(), Fail> {
    let off = world.now().duration_since(store_now);
    if off.abs() <= MAX_SKEW {
        return Ok(());
    }
    let message = format!(
        "the local clock is {} s {} the one of target {target}; at most 60 s are allowed",
        off.abs().as_secs(),
        if off.is_negative() {
            "behind"
        } else {
            "ahead of"
        }
    );
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{Error, Kind};

    #[test]
    fn only_an_outage_is_worth_waiting_for() {
        let loaded =
            super::super::load::load(std::path::Path::new("policies/files-only.yaml")).unwrap();
        let code = |kinds: &[Kind]| {
            let why: Vec<VaultError> = kinds
                .iter()
                .map(|k| Error::new(*k, "ListObjectsV2", "bucket", "Code", "").into())
                .collect();
            let fail = nothing_answers(&loaded, &[], &why);
            (fail.exit.code(), fail.code)
        };
        assert_eq!(
            code(&[Kind::Denied, Kind::Unavailable]),
            (12, "target-unavailable".into())
        );
        assert_eq!(
            code(&[Kind::NotFound, Kind::NotFound]),
            (13, "vault-missing".into())
        );
        assert_eq!(
            code(&[Kind::NotFound, Kind::Denied]),
            (11, "access-denied".into())
        );
        assert_eq!(code(&[Kind::Credentials]), (11, "access-denied".into()));
    }
}
