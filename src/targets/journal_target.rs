//! Which target holds the journal: the first in the policy's order that answers and won a raced
//! conditional write.

use super::open;
use crate::aws::Clients;
use crate::manifest::Vault as VaultDocument;
use crate::model::{Role, TargetName, VaultId};
use crate::plan::PlanTarget;
use crate::policy::Policy;
use crate::report::{Code, Fail, Finding, Hint, first_line, full};
use crate::vault::{Key, ProbeRecord, Vault, VaultError, Verdict};
use crate::world::World;
use jiff::{SignedDuration, Timestamp};

/// The local clock may differ this much from the journal target's.
pub const MAX_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// A target as found just now.
pub struct Seen {
    pub target: PlanTarget,
    pub vault: Vault,
    pub probe: Option<ProbeRecord>,
}

impl Seen {
    /// Whether it can hold a journal.
    pub fn capable(&self) -> bool {
        self.probe
            .as_ref()
            .is_some_and(|p| p.outcome.conditional && p.outcome.verdict == Verdict::Locked)
    }
}

/// A target that did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    pub name: TargetName,
    pub why: String,
}

/// What can be reached now.
pub struct Reached {
    /// The journal target.
    pub name: TargetName,
    pub vault: Vault,
    pub id: VaultId,
    pub now: Timestamp,
    /// All targets that answered, the journal target among them, in policy order.
    pub seen: Vec<Seen>,
    pub away: Vec<Away>,
}

impl Reached {
    /// Targets whose journals can be read.
    pub fn capable(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(|s| s.capable())
    }
}

/// Looks at every target, for verbs that write: one of them must be able to hold a journal.
///
/// # Errors
/// 12 where none answers that could, 13 where none has a vault or is capable, 11 where every key is
/// refused or the local clock is wrong.
pub async fn find(
    world: &World,
    targets: Vec<PlanTarget>,
    clients: &Clients,
    role: Role,
) -> Result<Reached, Fail> {
    let Look { seen, away, why } = look_at_all(targets, clients, role).await?;
    let Some(at) = seen.iter().position(Seen::capable) else {
        let names: Vec<String> = seen.iter().map(|s| s.target.name.to_string()).collect();
        let names = names.join(", ");
        if why.iter().any(VaultError::transient) {
            return Err(Fail::new(
                Code::TargetUnavailable,
                format!(
                    "the targets that answer ({names}) cannot hold a journal, and those that could \
                     do not answer: {}",
                    listed(&away)
                ),
            ));
        }
        return Err(Fail::new(
            Code::NoCapableTarget,
            format!(
                "no target that answers ({names}) has passed a probe of its lock and of its \
                 conditional writes"
            ),
        ));
    };
    choose(world, seen, away, at).await
}

/// As [`find`] for verbs that only read: where no capable target answers, any other will do.
///
/// # Errors
/// As [`find`], but for 13 where none is capable.
pub async fn reading(
    world: &World,
    targets: Vec<PlanTarget>,
    clients: &Clients,
    role: Role,
) -> Result<Reached, Fail> {
    let Look { seen, away, .. } = look_at_all(targets, clients, role).await?;
    let at = seen.iter().position(Seen::capable).unwrap_or(0);
    choose(world, seen, away, at).await
}

struct Look {
    seen: Vec<Seen>,
    away: Vec<Away>,
    why: Vec<VaultError>,
}

/// At least one target answered.
async fn look_at_all(
    targets: Vec<PlanTarget>,
    clients: &Clients,
    role: Role,
) -> Result<Look, Fail> {
    let (mut seen, mut away, mut why) = (Vec::new(), Vec::new(), Vec::new());
    let who_asks = who_asks(&targets);
    for target in targets {
        let vault = open(clients, role, &target).await;
        match vault.newest_probe(&vault.target).await {
            Ok(probe) => seen.push(Seen {
                target,
                vault,
                probe,
            }),
            Err(e) => {
                let name = target.name.clone();
                // Why a key is refused stands in the causes; an outage has many of them.
                let why_away = if e.transient() {
                    first_line(&e)
                } else {
                    first_line(&full(&e))
                };
                away.push(Away {
                    name,
                    why: why_away,
                });
                why.push(e);
            }
        }
    }
    if seen.is_empty() {
        let fail = nothing_answers(&away, &why);
        Err(match who_asks {
            Some(hint) if fail.code == Code::AccessDenied => fail.hint(hint),
            _ => fail,
        })
    } else {
        Ok(Look { seen, away, why })
    }
}

async fn choose(
    world: &World,
    seen: Vec<Seen>,
    mut away: Vec<Away>,
    at: usize,
) -> Result<Reached, Fail> {
    let chosen = &seen[at];
    let (name, vault) = (chosen.target.name.clone(), chosen.vault.clone());
    let now = vault.now().await?;
    skew(world, now, &name)?;
    let key = Key::Vault.to_string();
    let document: VaultDocument = vault.find(&key).await?.ok_or_else(|| {
        Fail::new(
            Code::VaultMissing,
            format!(
                "bucket {} of target {name} has no vault.json",
                vault.bucket.name
            ),
        )
    })?;
    // A target whose clock differs from the journal target's counts as away, alone.
    let (kept, odd): (Vec<Seen>, Vec<Seen>) = seen.into_iter().partition(|s| {
        let clock = s.vault.bucket.clock.last();
        clock.is_none_or(|t| t.duration_since(now).abs() <= MAX_SKEW)
    });
    away.extend(odd.into_iter().map(|s| Away {
        name: s.target.name,
        why: format!("its clock differs from that of {name} by more than 60 s"),
    }));
    Ok(Reached {
        name,
        vault,
        id: document.id,
        now,
        seen: kept,
        away,
    })
}

fn listed(away: &[Away]) -> String {
    let each: Vec<String> = away
        .iter()
        .map(|a| format!("{}: {}", a.name, a.why))
        .collect();
    each.join("; ")
}

/// A command that tells whose key is used, or whether it is taken: only AWS has an STS to ask.
fn who_asks(targets: &[PlanTarget]) -> Option<Hint> {
    if targets.iter().any(|t| t.provider.is_aws()) {
        return Some(Hint::shell("aws sts get-caller-identity"));
    }
    let first = targets.first()?;
    let endpoint = first.endpoint.as_deref()?;
    Some(Hint::shell(format!(
        "aws s3api head-bucket --bucket {} --endpoint-url {endpoint}",
        first.bucket
    )))
}

/// Waiting cures an outage; it cures neither a key that is refused nor a vault that was never made.
fn nothing_answers(away: &[Away], why: &[VaultError]) -> Fail {
    let told = listed(away);
    if why.iter().any(VaultError::transient) {
        return Fail::new(
            Code::TargetUnavailable,
            format!("no target answers: {told}"),
        );
    }
    if why.iter().all(VaultError::not_found) {
        return Fail::new(Code::VaultMissing, format!("no target has a vault: {told}"));
    }
    Fail::new(Code::AccessDenied, format!("no target can be read: {told}"))
}

/// # Errors
/// 11: decisions by a wrong clock would lock for the wrong time.
pub fn skew(world: &World, store_now: Timestamp, target: &TargetName) -> Result<(), Fail> {
    let off = world.now().duration_since(store_now);
    if off.abs() <= MAX_SKEW {
        return Ok(());
    }
    let way = if off.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    Err(Fail::new(
        Code::ClockSkew,
        format!(
            "the local clock is {} s {way} the one of target {target}; at most 60 s are allowed",
            off.abs().as_secs()
        ),
    ))
}

/// What a verb says of targets that did not answer.
pub fn away_findings(reached: &Reached, policy: &Policy) -> Vec<Finding> {
    let one = |away: &Away| {
        let message = format!("target {} cannot be used now: {}", away.name, away.why);
        Finding::error(Code::TargetUnavailable, message)
            .thing(&away.name)
            .place(&policy.name)
            .hint(Hint::policy("status"))
    };
    reached.away.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{Error, Kind};

    #[test]
    fn only_an_outage_is_worth_waiting_for() {
        let code = |kinds: &[Kind]| {
            let why: Vec<VaultError> = kinds
                .iter()
                .map(|k| Error::new(*k, "ListObjectsV2", "bucket", "Code", "").into())
                .collect();
            let fail = nothing_answers(&[], &why);
            (fail.exit.code(), fail.code)
        };
        assert_eq!(
            code(&[Kind::Denied, Kind::Unavailable]),
            (12, Code::TargetUnavailable)
        );
        assert_eq!(
            code(&[Kind::NotFound, Kind::NotFound]),
            (13, Code::VaultMissing)
        );
        assert_eq!(
            code(&[Kind::NotFound, Kind::Denied]),
            (11, Code::AccessDenied)
        );
        assert_eq!(code(&[Kind::Credentials]), (11, Code::AccessDenied));
    }
}
