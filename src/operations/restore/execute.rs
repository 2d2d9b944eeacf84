//! Executing a restore, and what is told of it.

use super::choice::Choice;
use super::executing::{Executing, JournalPlace, Journalled};
use super::measured::{Measured, RtoFrom, measure};
use super::places::Places;
use super::request::RestoreRequest;
use crate::engine::{self, ProcessIdentity, Report};
use crate::model::Role;
use crate::operations::{Surroundings, run_told};
use crate::report::{Code, Fail, Finding, Hint};
use crate::steps::Secrets;
use jiff::Timestamp;
use std::sync::Mutex;

/// What was done, and where that is written.
pub struct Restored {
    pub report: Report,
    pub resumed: bool,
    pub journal: JournalPlace,
    pub measured: Measured,
    pub findings: Vec<Finding>,
}

/// # Errors
/// No place takes a journal; the store's.
pub async fn execute(
    around: Surroundings<'_>,
    request: &RestoreRequest,
    places: &Places,
    choice: &Choice<'_>,
    began: Timestamp,
) -> Result<Restored, Fail> {
    let (target, clients) = (&choice.place.target, &places.clients);
    let name = Some(&target.name);
    let actor = clients
        .actor(Role::Restorer, &target.region, target.provider, name)
        .await;
    let executing = Executing {
        around,
        request,
        places,
        choice,
        actor,
        identity: ProcessIdentity::of(around.world),
        secrets: Secrets::with_requested(request.cluster.master_password.clone()),
        plan: Mutex::default(),
    };
    let Journalled {
        report,
        resumed,
        journal,
        mut findings,
    } = executing.journalled().await?;
    let (incident_at, rto_from) = match request.incident_at {
        Some(at) => (at, RtoFrom::IncidentAt),
        None if resumed => (report.state.plan.opened_at, RtoFrom::FirstCommand),
        None => (began, RtoFrom::CommandStart),
    };
    findings.extend(run_told::findings(&report));
    findings.extend(busy(&report));
    Ok(Restored {
        measured: measure(&report, choice, incident_at, rto_from),
        report,
        resumed,
        journal,
        findings,
    })
}

fn busy(report: &Report) -> Option<Finding> {
    if !matches!(report.left, engine::RunExit::Busy { .. }) {
        return None;
    }
    let run = &report.state.plan.run;
    let message = format!(
        "run {run} is {}; --take-over takes it from a runner that still lives",
        run_told::word(&report.left)
    );
    let again = Hint::again("restore").word("--take-over");
    Some(Finding::error(Code::Busy, message).thing(run).hint(again))
}
