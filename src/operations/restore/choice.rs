//! What is about to be done: an option, where it goes, and the plan.

use super::destination::{Asked, Destination};
use super::methods::destination;
use super::options::{Ambiguous, RestoreOption, Wanted, pick};
use super::place::Place;
use super::places::Places;
use super::request::RestoreRequest;
use crate::database::Address;
use crate::model::{Mark, Method, RunId, RunKind, Seconds, Sha256, Slot, VersionId};
use crate::plan::{Against, Plan, RestoreInput, RestoreInto, restore};
use crate::policy::{Concurrency, Runner, Timeouts};
use crate::report::{Code, Fail, Finding, Hint};
use crate::vault::{Key, PointDocument, SourceDocument};
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
    let wanted = Wanted {
        method,
        source: request.of.as_ref(),
        database: request.of_database.as_ref(),
        point: request.point,
        target: request.target.as_ref(),
    };
    let picked = pick(options, &wanted).map_err(|several| which(method, request, &several))?;
    let Some(option) = picked else {
        return Err(nothing_fits(options, &wanted));
    };
    let mut all = places.places.iter();
    let place = all
        .find(|p| p.target.name == option.target)
        .ok_or_else(|| Fail::usage(format!("target {} is gone", option.target)))?;
    // What is missing of the command is told before a store is asked.
    let dump_version = match &request.database.url {
        Some(_) => dump_version(place, option).await?,
        None => None,
    };
    let Destination {
        into,
        word,
        address,
    } = destination(&Asked {
        request,
        option,
        vault: &place.target,
        policy: place.policy.as_ref(),
        dump_version,
    })?;
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

/// The oldest version of the option's dump, if it has one: what came later is nobody's.
async fn dump_version(place: &Place, option: &RestoreOption) -> Result<Option<VersionId>, Fail> {
    let Some(key) = &option.dump else {
        return Ok(None);
    };
    let versions = place.vault.versions_of(key.as_str()).await?;
    let version = versions.iter().find(|v| !v.delete_marker);
    let version = version.map(|v| VersionId::new(&*v.version));
    let gone = || Fail::new(Code::Missing, format!("the dump {key} is gone"));
    version.map(Some).ok_or_else(gone)
}

/// Whoever has to choose sees what there is, and types one of it.
fn which(method: Method, request: &RestoreRequest, several: &Ambiguous) -> Fail {
    let things = several.0.iter();
    let named: Vec<String> = things
        .map(|(source, database)| match database {
            Some(database) => format!("{source} (database {database})"),
            None => source.to_string(),
        })
        .collect();
    let message = format!(
        "several things can be restored by method {method}: {}; say which one",
        named.join(", ")
    );
    let fail = Fail::usage(message);
    let Some((source, database)) = several.0.first() else {
        return fail;
    };
    let mut again = Hint::again("restore").arg("--method", method);
    if request.of.is_none() {
        again = again.arg("--source", source);
    }
    let one_source = several.0.iter().all(|(s, _)| s == source);
    match database {
        Some(database) if one_source => fail.hint(again.arg("--database", database)),
        _ => fail.hint(again),
    }
}

fn nothing_fits(options: &[RestoreOption], wanted: &Wanted<'_>) -> Fail {
    let method = wanted.method;
    let mut what = wanted.point.map_or_else(
        || "no recovery point".to_owned(),
        |p| format!("no recovery point {p}"),
    );
    if let Some(source) = wanted.source {
        what += &format!(" of source {source}");
    }
    if let Some(database) = wanted.database {
        what += &format!(" of database {database}");
    }
    let also = if options.is_empty() {
        String::new()
    } else {
        format!("; there are {} other options", options.len())
    };
    let message = format!("{what} can be restored by method {method}{also}");
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
    let captured = point.captured(&option.source).ok_or_else(|| {
        let key = PointDocument::Source {
            source: option.source.clone(),
            what: SourceDocument::Captured,
        };
        let key = Key::point(&place.policy_name, option.point, key);
        let message = format!("{key} cannot be read, and says what {} is", option.source);
        Fail::new(Code::Missing, message)
    })?;
    let policy = place.policy.as_ref();
    let concurrency = policy.map_or_else(Concurrency::default, |p| p.concurrency.clone());
    let timeouts = policy.map_or_else(Timeouts::default, |p| p.timeouts.clone());
    let input = RestoreInput {
        vault: place.id.clone(),
        journal_target: place.target.name.clone(),
        run,
        opened_at,
        point: &point.point,
        captured,
        method: option.method,
        target: option.target.clone(),
        copy: point
            .copies
            .iter()
            .find(|c| (&c.source, &c.target) == (&option.source, &option.target)),
        into: into.clone(),
        against: option
            .equals
            .iter()
            .map(|(database, dump)| Against {
                database: database.clone(),
                target: option.target.clone(),
                dump: dump.clone(),
            })
            .collect(),
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
        let what = o.what();
        let message = match &o.failed {
            _ if o.proven => return None,
            Some(why) => format!(
                "the newest drill of {what} of point {} {how} FAILED, {} s ago: {why}",
                o.point,
                o.proof_age_s.unwrap_or(0)
            ),
            None => format!("{what} of point {} was never proven {how}", o.point),
        };
        Some(Finding::warning(Code::NotProven, message).thing(o.point))
    }

    /// Whether a hash that was typed is this plan's.
    pub fn is_confirmed_by(&self, hash: &str) -> bool {
        let own = self.hash.as_str();
        own == hash || (hash.len() >= 12 && own.starts_with(hash))
    }
}
