//! Creates or adopts the policy's buckets, under an operator's own credentials, and probes them: a
//! run that is journalled beside the vault until there is one.

use super::VaultRequest;
use super::beside::Beside;
use super::probe::{Probed, told};
use crate::aws::Clients;
use crate::manifest::Vault as VaultDocument;
use crate::model::{
    BucketName, Mark, Region, Role, RunId, RunKind, Sha256, Slot, TargetName, VaultId,
};
use crate::operations::session::Session;
use crate::operations::{Loaded, Surroundings};
use crate::plan::{BucketFound, MakeVault, Plan, VerbInput};
use crate::report::{Code, Fail, Finding};
use crate::targets::{open, skew};
use crate::vault::Key;
use crate::world::World;
use jiff::Timestamp;

pub struct Vaults {
    pub run: RunId,
    pub id: VaultId,
    pub made: Vec<Made>,
    pub probes: Vec<Probed>,
    pub findings: Vec<Finding>,
}

/// A bucket that is a vault now.
pub struct Made {
    pub target: TargetName,
    pub bucket: BucketName,
    pub region: Region,
    pub was: BucketFound,
}

/// # Errors
/// A bucket of another vault (13); a target that does not answer, for it may have the vault's id;
/// what keeps a target from becoming a vault is a finding.
pub async fn init(
    around: Surroundings<'_>,
    loaded: &Loaded,
    request: &VaultRequest,
) -> Result<Vaults, Fail> {
    let names = request.names(loaded)?;
    let clients = request.clients(loaded);
    let (known, now) = look(around.world, loaded, &clients, &names).await?;
    let id = known
        .clone()
        .unwrap_or_else(|| VaultId(around.world.random_hex(16)));
    let text = format!("init {} {names:?}", loaded.sha256);
    let mark = Mark::of(Sha256::of(text.as_bytes()).as_str());
    let planned = |id: &VaultId, run: RunId, opened_at: Timestamp| {
        let input = VerbInput {
            policy: &loaded.policy,
            policy_sha256: &loaded.sha256,
            vault: id,
            journal_target: &names[0],
            run,
            opened_at,
        };
        input.init(&names)
    };
    let plan = planned(&id, RunId::manual(RunKind::Init, Slot::at(now), &mark), now);
    // One that was killed had an id of its own in mind, and may have written it.
    let again = |stored: &Plan| {
        let own = known.as_ref().is_none_or(|id| *id == stored.vault);
        let named = stored.run.kind() == RunKind::Init && stored.run.has_mark(&mark);
        (own && named).then(|| planned(&stored.vault, stored.run.clone(), stored.opened_at))
    };
    let session = Session::new(around, loaded, &clients, None);
    let beside = Beside {
        session: &session,
        verb: "init",
        mark: mark.clone(),
    };
    let (report, mut findings) = beside.run(&plan, &again).await?;
    let plan = report.state.plan.clone();
    let made = report.state.done::<MakeVault>();
    let made: Vec<Made> = made
        .filter_map(|(_, made, found)| {
            let target = plan.target(&made.target)?;
            Some(Made {
                target: target.name.clone(),
                bucket: target.bucket.clone(),
                region: target.region.clone(),
                was: found.bucket,
            })
        })
        .collect();
    let (probes, found) = told(loaded, report);
    findings.extend(found);
    if request.target.is_none() && findings.is_empty() && !probes.iter().any(Probed::capable) {
        let message =
            "no target decides a race of conditional writes, so none can hold the journal";
        let finding = Finding::error(Code::NoCapableTarget, message);
        findings.push(finding.thing(&loaded.policy.name).place(&loaded.file));
    }
    Ok(Vaults {
        run: plan.run,
        id: plan.vault,
        made,
        probes,
        findings,
    })
}

/// The id that the buckets have already, the same in each, and the stores' time.
async fn look(
    world: &World,
    loaded: &Loaded,
    clients: &Clients,
    names: &[TargetName],
) -> Result<(Option<VaultId>, Timestamp), Fail> {
    let (mut known, mut now): (Option<VaultId>, _) = (None, None);
    for name in names {
        let target = loaded.target(name, world.now())?;
        let vault = open(clients, Role::Copier, &target).await;
        let found = vault.find::<VaultDocument>(&Key::Vault.to_string()).await?;
        if let Some(clock) = vault.bucket.clock.last() {
            skew(world, clock, name)?;
            now.get_or_insert(clock);
        }
        let Some(found) = found else { continue };
        match known {
            Some(id) if id != found.id => {
                return Err(Fail::new(
                    Code::VaultForeign,
                    format!(
                        "bucket {} already holds vault {}, the other targets hold another one; \
                         choose another bucket for this target",
                        target.bucket, found.id
                    ),
                ));
            }
            _ => known = Some(found.id),
        }
    }
    let now = now.unwrap_or_else(|| world.now());
    Ok((
        known,
        Timestamp::from_second(now.as_second()).unwrap_or(now),
    ))
}
