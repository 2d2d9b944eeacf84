//! What a restore says: the points that can be reached, the plan, and in the end what was measured
//! and what to do next.

use super::choose::Way;
use super::go::Done;
use super::{Choice, make_plan};
use crate::cli::drill::round;
use crate::cli::output::{Answer, Fail, span};
use crate::cli::runs::word;
use crate::engine::{Left, Report};
use crate::journal::{Evidence, Outcome};
use crate::plan::{RestoreInto, RunId, StepId};
use jiff::Timestamp;
use serde_json::json;

pub(super) fn reachable(answer: &mut Answer, ways: &[Way]) {
    if ways.is_empty() {
        answer.line("no recovery point can be restored from here");
    } else {
        answer
            .line("path      from        point             proven        age          restored in");
    }
    for way in ways {
        let proven = way
            .proof_age_s
            .map_or("NOT PROVEN".to_owned(), |s| format!("{} ago", span(s)));
        let took = way.eta_s.map_or("never measured".to_owned(), |s| {
            format!(
                "{s:.1} s measured on {} (mean of {})",
                answer.measured_on, way.eta_from_n
            )
        });
        let line = format!(
            "{:9} {:11} {}  {proven:12}  {:11}  {took}",
            way.path.as_str(),
            way.target.as_str(),
            way.point,
            span(way.loses_s)
        );
        answer.line(line);
    }
    answer.line("next: dr restore … --path native|portable|s3   shows the plan of one of them");
    answer.set("ways", ways);
    answer.set("executed", false);
}

pub(super) fn summary(choice: &Choice<'_>) -> String {
    let to = match &choice.into {
        RestoreInto::Cluster { id, .. } => {
            format!("a new cluster {id} in {}", choice.place.target.region)
        }
        RestoreInto::Database {
            host,
            port,
            database,
            ..
        } => format!("database {database} at {host}:{port}"),
        RestoreInto::Bucket { bucket, prefix, .. } => format!("s3://{bucket}/{prefix}"),
    };
    format!(
        "Restore point {} by path {} from {} into {to}.",
        choice.way.point, choice.way.path, choice.way.target
    )
}

pub(super) fn plan(answer: &mut Answer, choice: &Choice<'_>) -> Result<(), Fail> {
    let plan = make_plan(choice, &RunId("restore".into()), Timestamp::UNIX_EPOCH)?;
    let way = &choice.way;
    answer.line(summary(choice));
    for step in &plan.steps {
        answer.line(format!("  {:18} {}", step.id.0, step.role));
    }
    answer.line(format!(
        "  point is {} old; {}",
        span(way.loses_s),
        if way.proven { "proven" } else { "NOT PROVEN" }
    ));
    if let Some(eta) = way.eta_s {
        let line = format!(
            "  its drills took {eta:.1} s measured on {} (mean of {})",
            answer.measured_on, way.eta_from_n
        );
        answer.line(line);
    }
    answer.line(format!("  plan {}", choice.hash));
    answer.set(
        "plan",
        json!({
            "hash": choice.hash, "point": way.point, "path": way.path, "target": way.target,
            "steps": plan.steps.iter().map(|s| json!({"name": s.id,
            "role": s.role})).collect::<Vec<_>>(),
            "eta_s": way.eta_s, "eta_from_n": way.eta_from_n,
        }),
    );
    Ok(())
}

fn evidence<'a>(report: &'a Report, id: &str) -> Option<&'a Evidence> {
    report.state.evidence(&StepId(id.into()))
}

struct Measured {
    tables: u64,
    rows: u64,
    objects: u64,
    answered_at: Option<Timestamp>,
    heartbeat_at: Option<Timestamp>,
    heartbeat_id: Option<i64>,
}

fn measured(report: &Report) -> Measured {
    match (evidence(report, "check"), evidence(report, "restore-files")) {
        (
            Some(Evidence::Checked {
                tables,
                rows,
                answered_at,
                heartbeat_at,
                heartbeat_id,
                ..
            }),
            _,
        ) => Measured {
            tables: *tables,
            rows: *rows,
            objects: 0,
            answered_at: Some(*answered_at),
            heartbeat_at: *heartbeat_at,
            heartbeat_id: *heartbeat_id,
        },
        (
            _,
            Some(Evidence::FilesRestored {
                restored,
                answered_at,
                ..
            }),
        ) => Measured {
            tables: 0,
            rows: 0,
            objects: *restored,
            answered_at: Some(*answered_at),
            heartbeat_at: None,
            heartbeat_id: None,
        },
        _ => Measured {
            tables: 0,
            rows: 0,
            objects: 0,
            answered_at: None,
            heartbeat_at: None,
            heartbeat_id: None,
        },
    }
}

pub(super) fn done(answer: &mut Answer, choice: &Choice<'_>, done: &Done) {
    let report = &done.report;
    let found = measured(report);
    let seconds =
        |from: Timestamp, to: Timestamp| round(to.duration_since(from).as_secs_f64().max(0.0));
    let rto_s = found.answered_at.map(|t| seconds(done.incident_at, t));
    let (rpo_at, rpo_basis) = found
        .heartbeat_at
        .map_or((choice.way.at, "snapshot_time"), |t| (t, "heartbeat"));
    let rpo_s = found.answered_at.map(|_| seconds(rpo_at, done.incident_at));
    let (endpoint, cluster) = match (&choice.into, evidence(report, "restore-cluster")) {
        (RestoreInto::Cluster { .. }, Some(Evidence::Cluster { id, host, port, .. })) => {
            (Some(format!("{host}:{port}")), Some(id.to_string()))
        }
        (RestoreInto::Database { host, port, .. }, _) => (Some(format!("{host}:{port}")), None),
        (RestoreInto::Bucket { bucket, prefix, .. }, _) => {
            (Some(format!("s3://{bucket}/{prefix}")), None)
        }
        _ => (None, None),
    };
    let complete = matches!(report.left, Left::Finished(Outcome::Complete));
    for (id, took) in &report.executed {
        answer.line(format!("  {:18} done in {took:.1} s", id.0));
    }
    if complete {
        let again = if report.executed.is_empty() {
            "Already restored"
        } else {
            "Restored"
        };
        answer.line(format!("{again}: {}", endpoint.as_deref().unwrap_or("")));
        answer.line(format!(
            "  {} tables, {} rows, {} files",
            found.tables, found.rows, found.objects
        ));
        let line = format!(
            "  RTO {} s (from {}), RPO {} s (by {rpo_basis}), measured on {}",
            rto_s.unwrap_or(0.0),
            done.rto_from.replace('_', " "),
            rpo_s.unwrap_or(0.0),
            answer.measured_on
        );
        answer.line(line);
        exceptions(answer, report);
        next_steps(answer, choice, endpoint.as_deref());
    } else {
        answer.line(format!(
            "not finished: {}; type the same command to go on",
            word(&report.left)
        ));
        if let Left::Busy { .. } = report.left {
            let hint = super::warning(
                "busy",
                &report.state.plan.run.0,
                &format!(
                    "run {} is {}; --take-over takes it from a runner that still lives",
                    report.state.plan.run,
                    word(&report.left)
                ),
            );
            answer.find(
                crate::cli::output::Finding {
                    severity: crate::cli::output::Severity::Error,
                    ..hint
                },
                crate::cli::exit::Exit::Unavailable,
            );
        }
    }
    answer.set("executed", !report.executed.is_empty() || complete);
    answer.set("resumed", done.resumed);
    answer.set("run", &report.state.plan.run);
    answer.set("journal", done.journal);
    answer.set("endpoint", endpoint);
    answer.set("cluster", cluster);
    answer.set("incident_at", done.incident_at);
    answer.set("rto_s", rto_s);
    answer.set("rto_from", done.rto_from);
    answer.set("rpo_s", rpo_s);
    answer.set("rpo_basis", rpo_basis);
    answer.set("heartbeat_id", found.heartbeat_id);
    answer.set("tables", found.tables);
    answer.set("rows", found.rows);
    answer.set("objects", found.objects);
    answer.set(
        "phases",
        report
            .executed
            .iter()
            .map(|(id, s)| json!({"name": id, "s": round(*s)}))
            .collect::<Vec<_>>(),
    );
    answer.set(
        "deletion_protection",
        matches!(choice.into, RestoreInto::Cluster { .. }),
    );
}

/// What the server has otherwise than the dump.
fn exceptions(answer: &mut Answer, report: &Report) {
    let Some(Evidence::Loaded { exceptions, .. }) = evidence(report, "load-dump") else {
        return;
    };
    let shown = 20;
    for text in exceptions.iter().take(shown) {
        answer.line(format!("  not as in the dump: {text}"));
    }
    if exceptions.len() > shown {
        let more = exceptions.len() - shown;
        answer.line(format!("  and {more} more; --json names them all"));
    }
    answer.set("exceptions", exceptions);
}

fn next_steps(answer: &mut Answer, choice: &Choice<'_>, endpoint: Option<&str>) {
    let endpoint = endpoint.unwrap_or_default();
    answer.line("Next:");
    match &choice.into {
        RestoreInto::Cluster { id, .. } => {
            answer.line(format!(
                "  1. secret: the master password is new; set your own: aws rds \
             modify-db-cluster --db-cluster-identifier {id} --master-user-password …"
            ));
            answer.line(format!(
                "  2. DNS: point the database's name to {endpoint}; application \
             roles and their passwords are those of the snapshot"
            ));
            answer.line(
                "  3. application: restart it against the new endpoint, then check that \
             writes arrive",
            );
        }
        RestoreInto::Database { .. } => {
            answer.line(
                "  1. secret: roles came without passwords; set them: ALTER ROLE … PASSWORD …",
            );
            answer.line(format!("  2. DNS: point the database's name to {endpoint}"));
            answer.line("  3. application: restart it, then check that writes arrive");
        }
        RestoreInto::Bucket { .. } => {
            answer.line(format!("  1. application: point it to {endpoint}"));
        }
    }
}
