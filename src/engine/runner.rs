//! What a process brings to a run: its keys, its name, its surroundings.

use crate::aws::Clients;
use crate::database::{Address, Logins};
use crate::journal::{Actor, Host, Identity, Process, RunnerId};
use crate::model::Role;
use crate::report::Fail;
use crate::steps::{Progress, Said, Secrets};
use crate::vault::JournalStore;
use crate::world::World;
use std::collections::BTreeMap;

/// What a process brings to a run.
pub struct Runner<'a> {
    pub world: &'a World,
    pub clients: &'a Clients,
    /// Where each role writes its entries, and as whom. At least one.
    pub journals: BTreeMap<Role, RoleJournal>,
    pub identity: ProcessIdentity,
    /// `None`: all roles, each with its own key.
    pub role: Option<Role>,
    pub progress: &'a dyn Progress,
    pub secrets: Secrets,
    pub logins: Logins,
    pub database: Option<&'a Address>,
    /// The text of the policy that the plan is made by, for steps that store it.
    pub policy: Option<&'a str>,
    pub said: Said,
    /// Take over a run that another runner holds (an interactive restore).
    pub take_over: bool,
}

/// A role's way to the journal: its key, and who STS says that it is.
#[derive(Clone)]
pub struct RoleJournal {
    pub store: JournalStore,
    pub actor: Actor,
}

/// This process, whatever role it acts in.
#[derive(Clone, Debug)]
pub struct ProcessIdentity {
    pub runner: RunnerId,
    pub host: Host,
    pub process: Process,
}

impl ProcessIdentity {
    pub fn of(world: &World) -> Self {
        Self {
            runner: world.runner_id(),
            host: world.host(),
            process: world.process(),
        }
    }

    pub(super) fn acting(&self, actor: &Actor) -> Identity {
        Identity {
            runner: self.runner.clone(),
            host: self.host.clone(),
            process: self.process,
            actor: actor.clone(),
        }
    }
}

impl Runner<'_> {
    /// The journal of a role; for entries that speak of no step, or of another role's, the first
    /// one at hand.
    pub(super) fn journal_of(&self, role: Option<Role>) -> Result<&RoleJournal, Fail> {
        let own = role
            .and_then(|r| self.journals.get(&r))
            .or_else(|| self.journals.values().next());
        own.ok_or_else(|| Fail::bug("no role of this process may write the journal"))
    }
}
