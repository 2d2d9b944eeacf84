//! What a restore says in the end: what was measured, and what to do next.

use super::next::next_steps;
use crate::cli::answer::Answer;
use crate::cli::figures::round;
use crate::engine::{Report, RunExit};
use crate::journal::Outcome;
use crate::operations::restore::{Choice, Measured, Restored, RpoBasis, RtoFrom};
use crate::operations::word;
use crate::plan::RestoreInto;
use serde_json::{Value, json};

pub fn done(answer: &mut Answer, choice: &Choice<'_>, restored: Restored) {
    let (report, measured) = (&restored.report, &restored.measured);
    let complete = matches!(report.left, RunExit::Finished(Outcome::Complete));
    for (id, took) in &report.executed {
        answer.line(format!("  {:18} done in {took:.1} s", id.as_str()));
    }
    if complete {
        text(answer, report, measured);
        list(answer, "differs", &measured.differs);
        list(answer, "not restored", &measured.undone);
        list(answer, "not as in the dump", &measured.exceptions);
        next_steps(
            answer,
            choice,
            measured.endpoint.as_deref().unwrap_or_default(),
        );
    } else {
        let what = word(&report.left);
        answer.line(format!(
            "not finished: {what}; type the same command to resume it"
        ));
    }
    let phases = report.executed.iter();
    let phases: Vec<Value> = phases
        .map(|(id, s)| json!({"name": id, "s": round(*s)}))
        .collect();
    let protected = matches!(choice.into, RestoreInto::Cluster { .. });
    answer.set("executed", !report.executed.is_empty() || complete);
    answer.set("resumed", restored.resumed);
    answer.set("run", &report.state.plan.run);
    answer.set("journal", restored.journal);
    answer.set("endpoint", &measured.endpoint);
    answer.set("cluster", &measured.cluster);
    answer.set("incident_at", measured.incident_at);
    answer.set("rto_s", measured.rto_s.map(round));
    answer.set("rto_from", measured.rto_from);
    answer.set("rpo_s", measured.rpo_s.map(round));
    answer.set("rpo_basis", measured.rpo_basis);
    answer.set("heartbeat_id", measured.heartbeat_id);
    answer.set("tables", measured.tables);
    answer.set("rows", measured.rows);
    answer.set("objects", measured.objects);
    answer.set("exceptions", &measured.exceptions);
    answer.set("undone", &measured.undone);
    answer.set("compared", measured.compared);
    answer.set("differs", &measured.differs);
    answer.set("phases", phases);
    answer.set("deletion_protection", protected);
    answer.findings.extend(restored.findings);
}

fn text(answer: &mut Answer, report: &Report, measured: &Measured) {
    let again = if report.executed.is_empty() {
        "Already restored, and still there"
    } else {
        "Restored"
    };
    let endpoint = measured.endpoint.as_deref().unwrap_or_default();
    answer.line(format!("{again}: {endpoint}"));
    answer.line(format!(
        "  {} tables, {} rows, {} files",
        measured.tables, measured.rows, measured.objects
    ));
    if measured.tables > 0 {
        answer.line(match (measured.compared, measured.differs.len()) {
            (None, _) => "  not compared: this target has no dump of this point".to_owned(),
            (Some(all), 0) => format!("  {all} tables are as the dump of this point says"),
            (Some(all), some) => {
                format!(
                    "  {all} tables were compared with the dump of this point; {some} things differ"
                )
            }
        });
    }
    let from = match measured.rto_from {
        RtoFrom::IncidentAt => "the incident",
        RtoFrom::FirstCommand => "the first command",
        RtoFrom::CommandStart => "the command's start",
    };
    let basis = match measured.rpo_basis {
        RpoBasis::Heartbeat => "the newest heartbeat",
        RpoBasis::SnapshotTime => "the snapshot's time",
    };
    let (rto, rpo) = (measured.rto_s.map(round), measured.rpo_s.map(round));
    answer.line(format!(
        "  RTO {} s (from {from}), RPO {} s (by {basis}), measured on {}",
        rto.unwrap_or(0.0),
        rpo.unwrap_or(0.0),
        answer.measured_on
    ));
}

/// What the server has otherwise than the dump, or not at all.
fn list(answer: &mut Answer, what: &str, texts: &[String]) {
    let shown = 20;
    for text in texts.iter().take(shown) {
        answer.line(format!("  {what}: {text}"));
    }
    if texts.len() > shown {
        let more = texts.len() - shown;
        answer.line(format!("  and {more} more; --json names them all"));
    }
}
