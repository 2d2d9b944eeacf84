//! `dr verify`: reads everything that a point references, at each target, and names what is wrong.

mod evidence;

use super::exit::Exit;
use super::home::{self, Home};
use super::load::{Loaded, load};
use super::output::{Answer, Fail, Finding, Outcome, Severity, bytes};
use super::points;
use super::progress::Shown;
use crate::aws::Clients;
use crate::manifest::{Copy, Dump, Verified};
use crate::policy::{Role, TargetName};
use crate::steps::{Other, PointAt, Progress, Wrong, foreign, verify_native, verify_point};
use crate::vault::PointRef;
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
    let home = home::reading(world, &loaded, &clients, args.role).await?;
    let mut answer = Answer::new("dr/verify/1");
    answer.measured_on = loaded.measured_on();
    let Some(point) = newest(&home, &loaded, args.point.as_deref(), &mut answer).await? else {
        if answer.exit != Exit::Done {
            return Ok(answer);
        }
        let what = args.point.as_ref().map_or_else(
            || "no recovery point".to_owned(),
            |p| format!("no recovery point {p}"),
        );
        let fail = Fail::new(
            if args.point.is_some() {
                Exit::Usage
            } else {
                Exit::Findings
            },
            "nothing-to-verify",
            format!(
                "policy {} has {what} with a complete copy",
                loaded.policy.name
            ),
        );
        return Err(fail.hint(format!("dr status --policy {}", loaded.file)));
    };
    let witness = evidence::witness(&home, &loaded, &point, &mut answer).await?;
    evidence::documents(
        &home,
        &loaded,
        &point,
        &witness,
        args.target.as_ref(),
        &mut answer,
    )
    .await?;
    let mut total = Verified::default();
    let mut targets = Vec::new();
    let progress = Shown::new(world);
    let reader = Reader {
        loaded: &loaded,
        clients: &clients,
        home: &home,
        role: args.role,
        progress: &progress,
        point: &point,
        witness: &witness,
    };
    for copy in point
        .copies
        .iter()
        .filter(|c| args.target.as_ref().is_none_or(|t| t == &c.target))
    {
        let Some((verified, value)) = reader.target(copy, &mut answer).await? else {
            continue;
        };
        total.population += verified.population;
        total.tested += verified.tested;
        total.bytes += verified.bytes;
        total.lock_ok += verified.lock_ok;
        total.unknown += verified.unknown;
        targets.push(value);
    }
    progress.clear();
    if total.tested == 0 && answer.exit == Exit::Done {
        answer.find(
            finding(
                "nothing-verified",
                &point.point.slot,
                "",
                "",
                "nothing was checked; that is not success",
                &loaded.file,
            ),
            Exit::Findings,
        );
    }
    answer.line(format!(
        "point {}: {} of {} objects read, {}, {} locked, {} unknown, {} wrong",
        point.point.slot,
        total.tested,
        total.population,
        bytes(total.bytes),
        total.lock_ok,
        total.unknown,
        answer.findings.len()
    ));
    answer.set("point", &point.point.slot);
    answer.set("population", total.population);
    answer.set("tested", total.tested);
    answer.set("bytes", total.bytes);
    answer.set("lock_ok", total.lock_ok);
    answer.set("unknown", total.unknown);
    answer.set("targets", targets);
    Ok(answer)
}

/// The newest point with a complete copy, or the one asked for; newer ones that no target can show
/// are told.
async fn newest(
    home: &Home,
    loaded: &Loaded,
    wanted: Option<&str>,
    answer: &mut Answer,
) -> Result<Option<PointRef>, Fail> {
    let mut slots = points::slots(home, loaded).await?;
    slots.retain(|s| wanted.is_none_or(|w| w == s));
    for slot in &slots {
        let merged = points::point(home, loaded, slot).await?;
        match merged.point {
            Some(point) if !point.copies.is_empty() => return Ok(Some(point)),
            _ => merged
                .findings
                .into_iter()
                .for_each(|(finding, exit)| answer.find(finding, exit)),
        }
    }
    Ok(None)
}

fn finding(
    code: &str,
    key: &str,
    version: &str,
    place: &str,
    message: &str,
    policy: &str,
) -> Finding {
    let thing = if version.is_empty() {
        key.to_owned()
    } else {
        format!("{key} version {version}")
    };
    Finding {
        code: code.into(),
        severity: Severity::Error,
        thing,
        place: place.into(),
        hint: format!("dr status --policy {policy}"),
        message: message.into(),
    }
}

/// Each wrong thing as a finding with its key and version, and the target as its place.
fn tell(answer: &mut Answer, loaded: &Loaded, target: &TargetName, wrong: Vec<Wrong>) {
    for Wrong {
        code,
        key,
        version,
        why,
    } in wrong
    {
        let named = if version.is_empty() {
            key.clone()
        } else {
            format!("{key} version {version}")
        };
        let exit = if code == "format-unknown" {
            Exit::Stuck
        } else {
            Exit::Findings
        };
        answer.find(
            finding(
                code,
                &key,
                &version,
                target.as_str(),
                &format!("{named} at {target}: {why}"),
                &loaded.file,
            ),
            exit,
        );
    }
}

struct Reader<'a> {
    loaded: &'a Loaded,
    clients: &'a Clients,
    home: &'a Home,
    role: Role,
    progress: &'a Shown,
    point: &'a PointRef,
    witness: &'a evidence::Witness,
}

impl Reader<'_> {
    async fn target(
        &self,
        copy: &Copy,
        answer: &mut Answer,
    ) -> Result<Option<(Verified, serde_json::Value)>, Fail> {
        let (loaded, home, name) = (self.loaded, self.home, &copy.target);
        if let Some((_, why)) = home.away.iter().find(|(t, _)| t == name) {
            answer.find(
                finding(
                    "target-unavailable",
                    name.as_str(),
                    "",
                    &loaded.file,
                    &format!("target {name} cannot be used now: {why}"),
                    &loaded.file,
                ),
                Exit::Unavailable,
            );
            return Ok(None);
        }
        let vault = loaded
            .vault(self.clients, self.role, name, home.now)
            .await?;
        let dumps: Vec<Dump> = self.point.dumps.iter().map(|(_, d)| d.clone()).collect();
        let at = PointAt {
            vault: &vault,
            point: &self.point.point,
            copy,
            dumps: &dumps,
            is_home: self.witness.home.as_ref() == Some(name),
            drills: &self.witness.drills,
            now: home.now,
            in_flight: loaded.policy.concurrency.objects,
        };
        let step = format!("verify:{name}");
        let report = |done: u64, total: u64| self.progress.report(&step, done, total, "objects");
        let reading = verify_point(&at, &report).await?;
        tell(answer, loaded, name, reading.wrong);
        self.strangers(name, reading.others, answer).await?;
        self.native(name, answer).await;
        if reading.verified.unknown > 0 {
            let message = format!(
                "the lock of {} objects at {name} could not be read",
                reading.verified.unknown
            );
            answer.find(
                finding(
                    "lock-unknown",
                    name.as_str(),
                    "",
                    &copy.slot,
                    &message,
                    &loaded.file,
                ),
                Exit::Findings,
            );
        }
        let v = reading.verified;
        let value = json!({"target": name, "population": v.population, "tested": v.tested,
        "bytes": v.bytes, "lock_ok": v.lock_ok, "unknown": v.unknown,
        "retain_until_min": v.retain_until_min, "lock_mode": copy.lock_mode});
        Ok(Some((v, value)))
    }

    /// Objects that no list of any home names. While the home of the lists is away nothing can be
    /// said of them.
    async fn strangers(
        &self,
        name: &TargetName,
        others: Vec<Other>,
        answer: &mut Answer,
    ) -> Result<(), Fail> {
        if self.witness.home.is_some() && self.home.away.is_empty() {
            let mut left = others;
            for seen in self.home.seen.iter().filter(|s| s.capable()) {
                left = foreign(&seen.vault, left).await?;
            }
            let why = "no run wrote it: no list of any point names it";
            tell(
                answer,
                self.loaded,
                name,
                left.into_iter()
                    .map(|o| Wrong {
                        code: "foreign-object",
                        key: o.key,
                        version: o.version,
                        why: why.into(),
                    })
                    .collect(),
            );
        }
        Ok(())
    }

    async fn native(&self, name: &TargetName, answer: &mut Answer) {
        let copies = self
            .point
            .point
            .cluster
            .iter()
            .flat_map(|c| &c.copies)
            .filter(|c| c.target == *name);
        for copy in copies {
            let rds = self
                .clients
                .rds(
                    self.role,
                    &copy.region,
                    self.loaded.policy.rds_endpoint(&copy.region),
                )
                .await;
            match verify_native(&rds, &self.home.id, &self.point.point, copy).await {
                Ok(wrong) => tell(answer, self.loaded, name, wrong),
                // The snapshot's service is not the vault's: what was read there counts all the
                // same.
                Err(e) => answer.find(
                    finding(
                        e.code,
                        &copy.arn,
                        "",
                        name.as_str(),
                        &e.full(),
                        &self.loaded.file,
                    ),
                    Exit::from(e.kind),
                ),
            }
        }
    }
}
