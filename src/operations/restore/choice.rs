//! What is about to be done: an option, where it goes, and the plan.

use super::destination::{Destination, destination};
use super::options::{RestoreOption, pick};
use super::place::Place;
use super::places::Places;
use super::request::RestoreRequest;
use crate::database::Address;
use crate::model::{Mark, Method, RunId, RunKind, Seconds, Sha256, Slot};
use crate::plan::{Plan, RestoreInput, RestoreInto, restore};
use crate::policy::{Concurrency, Runner, Timeouts};
use crate::report::{Code, Fail, Finding, Hint};
use jiff::Timestamp;

/// An incident does not wait long between two looks.
const MOST_BETWEEN_LOOKS: Seconds = Seconds(5);

pub struct Choice<'a> {
    pub place: &'a Place,
    pub option: RestoreOption,
    pub into: RestoreInto,
    pub address: Option<Address>,
    /// What a person types to confirm.
    pub word: String,
    /// As it is shown. The one that is executed differs by its instants.
    pub plan: Plan,
    /// SHA-256 over actions, names and version ids; not over instants, so that the same command
    /// gives the same hash.
    pub hash: Sha256,
}

/// # Errors
/// Exit 3: nothing fits; exit 2: the destination is not said, or cannot be one.
pub async fn choose<'a>(
    places: &'a Places,
    options: &[RestoreOption],
    method: Method,
    request: &RestoreRequest,
) -> Result<Choice<'a>, Fail> {
    let picked = pick(options, method, request.point, request.target.as_ref());
    let Some(option) = picked else {
        return Err(nothing_fits(options, method, request.point));
    };
    let mut all = places.places.iter();
    let place = all
        .find(|p| p.target.name == option.target)
        .ok_or_else(|| Fail::usage(format!("target {} is gone", option.target)))?;
    let Destination {
        into,
        word,
        address,
    } = destination(place, option, request).await?;
    // Neither instant nor name of the run is part of the hash.
    let epoch = Timestamp::UNIX_EPOCH;
    let run = RunId::scheduled(RunKind::Restore, Slot::at(epoch));
    let plan = make_plan(place, option, &into, run, epoch)?;
    Ok(Choice {
        place,
        option: option.clone(),
        into,
        address,
        word,
        hash: plan.hash(),
        plan,
    })
}

fn nothing_fits(options: &[RestoreOption], method: Method, point: Option<Slot>) -> Fail {
    let wanted = point.map_or_else(
        || "no recovery point".to_owned(),
        |p| format!("no recovery point {p}"),
    );
    let also = if options.is_empty() {
        String::new()
    } else {
        format!("; there are {} other options", options.len())
    };
    let message = format!("{wanted} can be restored by method {method}{also}");
    let fail = Fail::new(Code::NoRestoreOption, message);
    match options.first() {
        Some(other) => fail.hint(Hint::again("restore").arg("--method", other.method)),
        None => fail,
    }
}

fn make_plan(
    place: &Place,
    option: &RestoreOption,
    into: &RestoreInto,
    run: RunId,
    opened_at: Timestamp,
) -> Result<Plan, Fail> {
    let mut points = place.points.iter();
    let point = points
        .find(|p| p.point.slot == option.point)
        .ok_or_else(|| Fail::usage(format!("point {} is gone", option.point)))?;
    let policy = place.policy.as_ref();
    let concurrency = policy.map_or_else(Concurrency::default, |p| p.concurrency.clone());
    let timeouts = policy.map_or_else(Timeouts::default, |p| p.timeouts.clone());
    let input = RestoreInput {
        vault: place.id.clone(),
        journal_target: place.target.name.clone(),
        run,
        opened_at,
        point: &point.point,
        target: option.target.clone(),
        copy: point.copies.iter().find(|c| c.target == option.target),
        into: into.clone(),
        targets: vec![place.target.clone()],
        runner: policy.map_or_else(Runner::default, |p| p.runner.clone()),
        poll_every: timeouts.poll_every.min(MOST_BETWEEN_LOOKS),
        streams: concurrency.streams,
        in_flight: concurrency.objects,
        part_size_bytes: concurrency.part_size_bytes,
    };
    restore(&input).map_err(|e| Fail::caused(Code::NoRestoreOption, e))
}

impl Choice<'_> {
    pub fn mark(&self) -> Mark {
        Mark::of(self.hash.as_str())
    }

    /// The same plan under another name and instant.
    pub(super) fn plan_of(&self, run: RunId, opened_at: Timestamp) -> Result<Plan, Fail> {
        make_plan(self.place, &self.option, &self.into, run, opened_at)
    }

    /// A stored plan is ours if planning again gives the same actions and names.
    pub(super) fn gives(&self, stored: &Plan) -> bool {
        self.plan_of(stored.run.clone(), stored.opened_at)
            .is_ok_and(|p| p.hash() == stored.hash())
    }

    /// What speaks against this option.
    pub fn doubt(&self) -> Option<Finding> {
        let o = &self.option;
        let how = format!("by method {} from {}", o.method, o.target);
        let message = match &o.failed {
            _ if o.proven => return None,
            Some(why) => format!(
                "the newest drill of point {} {how} FAILED, {} s ago: {why}",
                o.point,
                o.proof_age_s.unwrap_or(0)
            ),
            None => format!("point {} was never proven {how}", o.point),
        };
        Some(Finding::warning(Code::NotProven, message).thing(o.point))
    }

    /// Whether a hash that was typed is this plan's.
    pub fn is_confirmed_by(&self, hash: &str) -> bool {
        let own = self.hash.as_str();
        own == hash || (hash.len() >= 12 && own.starts_with(hash))
    }
}
