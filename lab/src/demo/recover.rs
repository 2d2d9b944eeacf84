//! Third part: everything comes back from the vaults alone, with the restorer's keys, by four
//! restores side by side.

mod want;

use super::compare;
use super::lose::Lost;
use super::protect::{Protected, list, text};
use super::report::{Equality, Phase, Report, Restore};
use super::story::{Story, files};
use super::terminal::Answer;
use crate::up::{LabError, Up};
use serde_json::Value;
use std::path::Path;
use want::{Destination, Want};

/// What there was, and when it was lost.
pub struct Before<'a> {
    pub protected: &'a Protected,
    pub lost: &'a Lost,
}

pub async fn all(
    up: &Up,
    dr: &Path,
    story: &Story,
    report: &mut Report,
    before: &Before<'_>,
) -> Result<(), LabError> {
    let Before { protected, lost } = *before;
    story.chapter(
        "3. Recover it: no policy, an empty home, an empty directory, the restorer's \
     key; four terminals at once",
    );
    let root = up.dir().join("demo");
    let wants = want::all(up, dr, &root, lost.killed_at).await?;
    let done = futures::future::join_all(wants.iter().map(Want::execute)).await;
    for (want, done) in wants.iter().zip(done) {
        story.line("");
        want.typed().iter().for_each(|t| story.typed(t));
        let answer = done?;
        let (equality, operation) = equality(up, want, &answer.json, protected).await?;
        let restore = restore(want, &answer, equality, operation, lost)?;
        tell(story, &restore);
        report.restores.push(restore);
    }
    Ok(())
}

async fn equality(
    up: &Up,
    want: &Want,
    answer: &Value,
    protected: &Protected,
) -> Result<(Equality, Option<i64>), LabError> {
    match &want.into {
        Destination::Cluster {
            user,
            password,
            database,
        } => {
            let url = format!(
                "postgres://{user}:{password}@{}/{database}",
                text(answer, "endpoint")?
            );
            compare::database(&up.lab.shop, &url).await
        }
        Destination::Database { url } => compare::database(&up.lab.shop, url).await,
        Destination::Bucket { region, name } => {
            let (lab, region, name) = (up.lab.clone(), region.clone(), name.clone());
            let found = tokio::task::spawn_blocking(move || lab.contents(&region, &name)).await;
            let found = found.map_err(|e| LabError::told(e.to_string()))??;
            Ok((
                compare::files(&files(up)?, protected.files_during.clone(), &found),
                None,
            ))
        }
    }
}

fn restore(
    want: &Want,
    answer: &Answer,
    equality: Equality,
    operation: Option<i64>,
    lost: &Lost,
) -> Result<Restore, LabError> {
    let json = &answer.json;
    let seconds = |field: &str| {
        json[field].as_f64().ok_or_else(|| {
            LabError::told(format!("the restore from {} has no `{field}`", want.target))
        })
    };
    let phase = |p: &Value| {
        Ok(Phase {
            name: text(p, "name")?.into(),
            s: p["s"].as_f64().unwrap_or_default(),
        })
    };
    Ok(Restore {
        method: want.method.into(),
        target: text(&json["plan"], "target")?.into(),
        plan_hash: text(&json["plan"], "hash")?.into(),
        cluster: json["cluster"].as_str().map(str::to_owned),
        rto_s: seconds("rto_s")?,
        rpo_s: seconds("rpo_s")?,
        phases: list(json, "phases")?
            .iter()
            .map(phase)
            .collect::<Result<_, LabError>>()?,
        restored_operation: operation,
        lost_operations: operation.map(|n| lost.last_operation - n),
        equality,
    })
}

fn tell(story: &Story, r: &Restore) {
    let e = &r.equality;
    let phases: Vec<String> = r
        .phases
        .iter()
        .map(|p| format!("{} {:.1} s", p.name, p.s))
        .collect();
    story.told(&format!(
        "RTO {:.1} s and RPO {:.1} s from the loss on, measured in the lab ({})",
        r.rto_s,
        r.rpo_s,
        phases.join(", ")
    ));
    let word = if e.equal {
        "equal to"
    } else {
        "DIFFERENT from"
    };
    match r.restored_operation {
        Some(n) => story.told(&format!(
            "{} tables, {} rows, {word} what the shop held after operation {n}; digest {}",
            e.tables,
            e.rows,
            &e.digest_restored[..16]
        )),
        None => story.told(&format!(
            "{} files, {word} what the bucket held when it was listed; digest {}",
            e.objects,
            &e.digest_restored[..16]
        )),
    }
}
