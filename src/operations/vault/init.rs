//! Creates or adopts the policy's buckets, under an operator's own credentials, and probes them: a
//! run that is journalled beside the vault until there is one.

use super::VaultRequest;
use super::beside::Beside;
use super::probe::{Probed, command_mark, told};
use crate::aws::Clients;
use crate::manifest::Vault as VaultDocument;
use crate::model::{BucketName, Region, Role, RunId, RunKind, Slot, TargetName, VaultId};
use crate::operations::session::Session;
use crate::operations::{Loaded, Surroundings};
use crate::plan::{BucketFound, MakeVault, VerbInput};
use crate::report::{Code, Exit, Fail, Finding, exit_of};
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
    let id = known.unwrap_or_else(|| VaultId(around.world.random_hex(16)));
    let mark = command_mark("init", loaded, &names);
    let input = VerbInput {
        policy: &loaded.policy,
        policy_sha256: &loaded.sha256,
        vault: &id,
        journal_target: &names[0],
        run: RunId::manual(RunKind::Init, Slot::at(now), &mark),
        opened_at: now,
    };
    let plan = input.init(&names);
    let session = Session::new(around, loaded, &clients, None);
    let beside = Beside {
        session: &session,
        command: "vault init",
        mark,
    };
    let (report, brought, mut findings) = beside.run(&plan).await?;
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
    if request.target.is_none()
        && exit_of(&findings) == Exit::Done
        && !probes.iter().any(Probed::capable)
    {
        let message =
            "no target decides a race of conditional writes, so none can hold the journal";
        let finding = Finding::error(Code::NoCapableTarget, message);
        findings.push(finding.thing(&loaded.policy.name).place(&loaded.file));
    }
    Ok(Vaults {
        run: brought.unwrap_or(plan.run),
        id,
        made,
        probes,
        findings,
    })
}

/// The id that the buckets of the policy have already, the same in each, and the stores' time.
/// Where a bucket that is not to be made does not answer, one that does must have it.
async fn look(
    world: &World,
    loaded: &Loaded,
    clients: &Clients,
    names: &[TargetName],
) -> Result<(Option<VaultId>, Timestamp), Fail> {
    let (mut known, mut now): (Option<VaultId>, _) = (None, None);
    let mut silent = None;
    for target in loaded.targets(world.now()) {
        let vault = open(clients, Role::Copier, &target).await;
        let found = match vault.find::<VaultDocument>(&Key::Vault.to_string()).await {
            Ok(found) => found,
            Err(e) if names.contains(&target.name) => return Err(e.into()),
            Err(e) => {
                silent.get_or_insert(e);
                continue;
            }
        };
        if let Some(clock) = vault.bucket.clock.last() {
            skew(world, clock, &target.name)?;
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
    if let (None, Some(silent)) = (&known, silent) {
        return Err(silent.into());
    }
    let now = now.unwrap_or_else(|| world.now());
    Ok((
        known,
        Timestamp::from_second(now.as_second()).unwrap_or(now),
    ))
}
