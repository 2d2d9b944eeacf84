//! First part: the shop is backed up, read back and drilled with the commands that a user types.

use super::report::{Backup, Drill, Proof, Report, Target};
use super::story::{Story, files, megabytes, tenths};
use super::terminal::{Terminal, Variable, shown};
use crate::up::{LabError, Up};
use serde_json::Value;
use std::ops::RangeInclusive;
use std::path::Path;

/// What the second part must know of the first.
pub struct Protected {
    /// Changes of the bucket of files between which its listing was taken.
    pub files_during: RangeInclusive<u64>,
}

pub fn text<'v>(value: &'v Value, field: &str) -> Result<&'v str, LabError> {
    value[field].as_str().ok_or_else(|| missing(value, field))
}

pub fn number(value: &Value, field: &str) -> Result<u64, LabError> {
    value[field].as_u64().ok_or_else(|| missing(value, field))
}

pub fn list<'v>(value: &'v Value, field: &str) -> Result<&'v [Value], LabError> {
    value[field]
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| missing(value, field))
}

fn missing(value: &Value, field: &str) -> LabError {
    LabError::told(format!(
        "the answer {} has no `{field}`",
        value["schema"].as_str().unwrap_or("of dr")
    ))
}

pub async fn all(
    up: &Up,
    dr: &Path,
    story: &Story,
    report: &mut Report,
) -> Result<Protected, LabError> {
    let home = std::env::var("HOME").unwrap_or_else(|_| "/".into());
    let variables = vec![
        Variable {
            name: "HOME",
            value: home,
            secret: false,
        },
        Variable {
            name: "DR_POLICY",
            value: up.policy().display().to_string(),
            secret: false,
        },
    ];
    let session = Session {
        terminal: Terminal {
            dr: dr.to_owned(),
            dir: up.dir().to_owned(),
            variables,
        },
        story,
    };
    story.chapter("1. Protect it: a vault in a second region, another one at another provider");
    story.typed(&format!("export DR_POLICY={}", up.policy().display()));
    session
        .typed(&["policy", "check", "$DR_POLICY", "--json"])
        .await?;
    let init = session
        .typed(&[
            "vault",
            "init",
            "--profile",
            "admin",
            "--profile",
            "other=other-admin",
            "--json",
        ])
        .await?
        .json;
    for probe in list(&init, "probes")? {
        let race = if probe["conditional"] == true {
            "decides races"
        } else {
            "decides no race"
        };
        story.told(&format!(
            "{}: {}, {race}; {}",
            text(probe, "target")?,
            text(probe, "verdict")?,
            text(probe, "why")?
        ));
    }
    let first = files(up)?.last();
    let tick = backup(&session, report).await?;
    let last = files(up)?.last();
    verify(&session, &init, text(&tick, "journal_target")?, report).await?;
    drill(&session, report).await?;
    status(&session).await?;
    Ok(Protected {
        files_during: first..=last,
    })
}

struct Session<'a> {
    terminal: Terminal,
    story: &'a Story,
}

impl Session<'_> {
    async fn typed(&self, arguments: &[&str]) -> Result<super::terminal::Answer, LabError> {
        self.story.typed(&shown(arguments));
        self.terminal.succeed(arguments).await
    }
}

/// The scheduler's part runs in production's account, the copier's in the vault's; the journal
/// hands over.
async fn backup(session: &Session<'_>, report: &mut Report) -> Result<Value, LabError> {
    let scheduler = session
        .typed(&["tick", "--role", "scheduler", "--json"])
        .await?;
    for run in list(&scheduler.json, "runs")? {
        session
            .story
            .told(&format!("{} {}", text(run, "run")?, text(run, "result")?));
    }
    let copier = session
        .typed(&["tick", "--role", "copier", "--json"])
        .await?;
    let complete = list(&copier.json, "runs")?
        .iter()
        .find(|r| r["kind"] == "backup" && r["result"] == "complete");
    let run = complete
        .ok_or_else(|| LabError::told("the backup is not complete after the copier's tick"))?;
    let backup = Backup {
        run: text(run, "run")?.into(),
        point: text(run, "slot")?.into(),
        wall_s: tenths(scheduler.s + copier.s),
    };
    session.story.told(&format!(
        "{} complete: recovery point {} in {:.1} s",
        backup.run, backup.point, backup.wall_s
    ));
    report.backup = Some(backup);
    Ok(copier.json)
}

async fn verify(
    session: &Session<'_>,
    init: &Value,
    home: &str,
    report: &mut Report,
) -> Result<(), LabError> {
    let answer = session.typed(&["verify", "--json"]).await?.json;
    for target in list(&answer, "targets")? {
        let name = text(target, "target")?;
        let of = |all: &'static str| {
            list(init, all).map(|l| {
                l.iter()
                    .find(|t| t["target"] == name)
                    .cloned()
                    .unwrap_or_default()
            })
        };
        let found = Target {
            name: name.into(),
            region: text(&of("targets")?, "region")?.into(),
            objects: number(target, "population")?,
            bytes: number(target, "bytes")?,
            locks_read_back: number(target, "lock_ok")?,
            lock_mode: text(target, "lock_mode")?.into(),
            retain_until_min: text(target, "retain_until_min")?.into(),
            probe: text(&of("probes")?, "verdict")?.into(),
            home: name == home,
        };
        session.story.told(&format!(
            "{name}: {} objects, {} read back; {} locked, {} until {} at least{}",
            found.objects,
            megabytes(found.bytes),
            found.locks_read_back,
            found.lock_mode,
            found.retain_until_min,
            if found.home {
                "; holds the journal"
            } else {
                ""
            }
        ));
        report.targets.push(found);
    }
    Ok(())
}

async fn drill(session: &Session<'_>, report: &mut Report) -> Result<(), LabError> {
    let answer = session.typed(&["drill", "--json"]).await?.json;
    let proof = |p: &Value| -> Result<Proof, LabError> {
        let (method, target) = (text(p, "method")?.to_owned(), text(p, "target")?.to_owned());
        let (checked, not_checked, excluded) = (
            number(p, "checked")?,
            number(p, "not_checked")?,
            number(p, "excluded")?,
        );
        Ok(Proof {
            method,
            target,
            passed: p["passed"] == true,
            checked,
            not_checked,
            excluded,
        })
    };
    let proofs = list(&answer, "proofs")?
        .iter()
        .map(proof)
        .collect::<Result<Vec<_>, _>>()?;
    for p in &proofs {
        let word = if p.passed { "proven" } else { "NOT proven" };
        session.story.told(&format!(
            "method {:8} from {:8} {word}: {} checked, {} not checked, {} excluded",
            p.method, p.target, p.checked, p.not_checked, p.excluded
        ));
    }
    report.drill = Some(Drill {
        run: text(&answer, "run")?.into(),
        proofs,
    });
    Ok(())
}

async fn status(session: &Session<'_>) -> Result<(), LabError> {
    let answer = session.typed(&["status", "--json"]).await?.json;
    for policy in list(&answer, "policies")? {
        for objective in list(policy, "objectives")? {
            let met = if objective["met"] == true {
                "met"
            } else {
                "NOT met"
            };
            session.story.told(&format!(
                "objective of method {:8} RTO {} s, RPO {} s: {met}",
                text(objective, "method")?,
                objective["rto_s"],
                objective["rpo_s"]
            ));
        }
    }
    Ok(())
}
