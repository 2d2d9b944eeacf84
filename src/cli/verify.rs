//! `dr verify`: reads everything that a point references, at each target, and names what is wrong.

use super::exit::Exit;
use super::home;
use super::load::load;
use super::output::{Answer, Fail, Finding, Outcome, Severity, bytes};
use super::progress::Shown;
use crate::manifest::{Copy, Dump, Verified};
use crate::policy::{Role, TargetName};
use crate::steps::{Progress, Wrong, verify_point};
use crate::vault::{JournalStore, PointRef};
use crate::world::World;
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The policy file
    #[arg(long, env = "DR_POLICY", value_name = "FILE")]
    policy: PathBuf,
    /// This recovery point instead of the newest
    #[arg(long, value_name = "SLOT")]
    point: Option<String>,
    /// Only this target
    #[arg(long, value_name = "TARGET")]
    target: Option<TargetName>,
    /// The role whose key reads
    #[arg(long, value_name = "ROLE", default_value = "auditor")]
    role: Role,
}

pub async fn run(world: &World, args: &Args) -> Outcome {
    let loaded = load(&args.policy)?;
    if let Some(name) = &args.target
        && loaded.policy.target(name).is_none()
    {
        return Err(loaded.no_target(name));
    }
    let clients = loaded.clients(None);
    let home = home::find(world, &loaded, &clients, args.role).await?;
    let name = &loaded.policy.name;
    let mut slots = home.vault.slots(name, "").await?;
    if let Some(wanted) = &args.point {
        slots.retain(|s| s == wanted);
    }
    let mut answer = Answer::new("dr/verify/1");
    answer.measured_on = loaded.measured_on();
    let mut found: Option<PointRef> = None;
    for slot in &slots {
        match home.vault.point(name, slot).await {
            Ok(point) => found = point.filter(|p| !p.copies.is_empty()),
            Err(e) if e.transient() => return Err(e.into()),
            Err(e) => {
                let (code, exit) = if e.unknown_version() { ("format-unknown", Exit::Stuck) } else { ("point-damaged", Exit::Findings) };
                answer.find(finding(code, slot, "", &home.name.to_string(), &Fail::from(e).message, &loaded.file), exit);
            }
        }
        if found.is_some() {
            break;
        }
    }
    let Some(point) = found else {
        if answer.exit != Exit::Done {
            return Ok(answer);
        }
        let what = args.point.as_ref().map_or_else(|| "no recovery point".to_owned(), |p| format!("no recovery point {p}"));
        let fail = Fail::new(if args.point.is_some() { Exit::Usage } else { Exit::Findings }, "nothing-to-verify", format!("policy {name} has {what} with a complete copy"));
        return Err(fail.hint(format!("dr status --policy {}", loaded.file)));
    };
    let mut total = Verified::default();
    let mut targets = Vec::new();
    journal(&home, name, &point.point.run, &loaded.file, &mut answer).await?;
    let dumps: Vec<Dump> = point.dumps.iter().map(|(_, d)| d.clone()).collect();
    let progress = Shown::new(world);
    for copy in point.copies.iter().filter(|c| args.target.as_ref().is_none_or(|t| t == &c.target)) {
        let one = target(&loaded, &clients, &home, copy, &dumps, args.role, &progress, &mut answer).await?;
        if let Some((verified, value)) = one {
            total.population += verified.population;
            total.tested += verified.tested;
            total.bytes += verified.bytes;
            total.lock_ok += verified.lock_ok;
            total.unknown += verified.unknown;
            targets.push(value);
        }
    }
    progress.clear();
    if total.tested == 0 && answer.exit == Exit::Done {
        answer.find(finding("nothing-verified", &point.point.slot, "", "", "nothing was checked; that is not success", &loaded.file), Exit::Findings);
    }
    answer.line(format!("point {}: {} of {} objects read, {}, {} locked, {} unknown, {} wrong", point.point.slot, total.tested, total.population, bytes(total.bytes), total.lock_ok, total.unknown, answer.findings.len()));
    answer.set("point", &point.point.slot);
    answer.set("population", total.population);
    answer.set("tested", total.tested);
    answer.set("bytes", total.bytes);
    answer.set("lock_ok", total.lock_ok);
    answer.set("unknown", total.unknown);
    answer.set("targets", targets);
    Ok(answer)
}

fn finding(code: &str, key: &str, version: &str, place: &str, message: &str, policy: &str) -> Finding {
    let thing = if version.is_empty() { key.to_owned() } else { format!("{key} version {version}") };
    Finding { code: code.into(), severity: Severity::Error, thing, place: place.into(), hint: format!("dr status --policy {policy}"), message: message.into() }
}

/// The run's own journal must be whole: every digest, no second version, no delete marker.
async fn journal(home: &home::Home, name: &crate::policy::PolicyName, run: &str, policy: &str, answer: &mut Answer) -> Result<(), Fail> {
    let journal = JournalStore::Home { vault: home.vault.clone(), lock: None };
    match journal.read(name, &crate::plan::RunId(run.into())).await {
        Ok(Some(_)) => {}
        Ok(None) => answer.find(finding("run-missing", run, "", home.name.as_str(), "the run that made this point is not in the home's journal", policy), Exit::Findings),
        Err(e) if e.transient() => return Err(e.into()),
        Err(e) => answer.find(finding("run-damaged", run, "", home.name.as_str(), &e.to_string(), policy), Exit::Findings),
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "one call site, in the loop above")]
async fn target(
    loaded: &super::load::Loaded,
    clients: &crate::aws::Clients,
    home: &home::Home,
    copy: &Copy,
    dumps: &[Dump],
    role: Role,
    progress: &Shown,
    answer: &mut Answer,
) -> Result<Option<(Verified, serde_json::Value)>, Fail> {
    if let Some((_, why)) = home.away.iter().find(|(t, _)| t == &copy.target) {
        answer.find(finding("target-unavailable", copy.target.as_str(), "", &loaded.file, &format!("target {} does not answer: {why}", copy.target), &loaded.file), Exit::Unavailable);
        return Ok(None);
    }
    let vault = loaded.vault(clients, role, &copy.target, home.now).await?;
    let step = format!("verify:{}", copy.target);
    let report = |done: u64, total: u64| progress.report(&step, done, total, "objects");
    let reading = verify_point(&vault, copy, dumps, home.now, loaded.policy.concurrency.objects, &report).await?;
    for Wrong { code, key, version, why } in &reading.wrong {
        let message = format!("{key} version {version} at {}: {why}", copy.target);
        let exit = if *code == "format-unknown" { Exit::Stuck } else { Exit::Findings };
        answer.find(finding(code, key, version, copy.target.as_str(), &message, &loaded.file), exit);
    }
    if reading.verified.unknown > 0 {
        let message = format!("the lock of {} objects at {} could not be read", reading.verified.unknown, copy.target);
        answer.find(finding("lock-unknown", copy.target.as_str(), "", &copy.slot, &message, &loaded.file), Exit::Findings);
    }
    let v = reading.verified;
    let value = json!({"target": copy.target, "population": v.population, "tested": v.tested, "bytes": v.bytes, "lock_ok": v.lock_ok, "unknown": v.unknown, "retain_until_min": v.retain_until_min, "lock_mode": copy.lock_mode});
    Ok(Some((v, value)))
}
