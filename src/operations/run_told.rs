//! What is told of a run that this process advanced.

use crate::engine::{Report, RunExit};
use crate::journal::{Outcome, of_clusters};
use crate::model::RunKind;
use crate::plan::{
    CheckRestored, CopyObjects, DumpDatabase, DumpServer, LoadDump, PublishPoint, ReadServer,
    SpreadProofs, Step, SweepDrill, Teardown, TornDown, WriteProofs,
};
use crate::report::{Code, Finding, Hint, full};

/// What became of a run, as one word.
pub fn word(left: &RunExit) -> String {
    match left {
        RunExit::Finished(outcome) => outcome.as_str().into(),
        RunExit::Open => "open".into(),
        RunExit::HandedOver(role) => format!("waiting for the {role}"),
        RunExit::Stopped => "stopped".into(),
        RunExit::Superseded => "superseded".into(),
        RunExit::Busy { holder, age_s } => format!("held by {holder}, last heard {age_s} s ago"),
    }
}

/// Steps that failed, how the run ended, and what it did not keep.
pub(super) fn findings(report: &Report) -> Vec<Finding> {
    let run = &report.state.plan.run;
    let mut findings: Vec<Finding> = report
        .failed
        .iter()
        .map(|failed| {
            let finding = Finding::error(failed.fail.code, full(&failed.fail));
            finding.thing(&failed.step).place(run)
        })
        .collect();
    let ended = match &report.left {
        RunExit::Superseded => Some((
            Code::Superseded,
            format!("run {run} was taken over by another runner"),
        )),
        RunExit::Stopped => Some((
            Code::Stopped,
            format!("run {run} was released; the next tick resumes it"),
        )),
        RunExit::Finished(Outcome::Incomplete) => Some((
            Code::RunIncomplete,
            format!("run {run} ended at its deadline without all of its targets"),
        )),
        RunExit::Finished(Outcome::Abandoned) => Some((
            Code::RunAbandoned,
            format!("run {run} was abandoned {}", without(run.kind())),
        )),
        RunExit::Finished(Outcome::Complete | Outcome::Failed)
        | RunExit::Open
        | RunExit::HandedOver(_)
        | RunExit::Busy { .. } => None,
    };
    findings.extend(ended.map(|(code, message)| {
        let finding = Finding::error(code, message);
        finding.thing(run).place(&report.state.plan.journal_target)
    }));
    findings.extend(restored(report));
    findings.extend(not_kept(report));
    findings.extend(behind(report));
    findings.extend(swept(report));
    findings.extend(uploads_left(report));
    findings.extend(not_protected(report));
    findings.extend(lock_short(report));
    findings
}

fn without(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Backup | RunKind::Drill | RunKind::Restore => "without a recovery point",
        RunKind::Sweep => "before all was done; what is left is swept again",
        RunKind::Init | RunKind::Probe | RunKind::Policy | RunKind::Verify => {
            "before its end; type its command again"
        }
    }
}

/// What of a restored database is not there, or is otherwise than the vault says.
fn restored(report: &Report) -> Vec<Finding> {
    let told = |code, step: &Step, what: &str, some: &[String]| {
        let first = some.first()?;
        let message = match code {
            Code::RestoredInPart => {
                format!("restored but for {} {what}, first {first}", some.len())
            }
            _ => format!("{} {what}, first {first}", some.len()),
        };
        let finding = Finding::error(code, message).thing(&step.id);
        Some(finding.place(&report.state.plan.run))
    };
    let mut findings = Vec::new();
    for (step, _, l) in report.state.done::<LoadDump>() {
        let refused = "statements that the server refused";
        findings.extend(told(Code::RestoredInPart, step, refused, &l.undone));
        let otherwise = "objects are not as the dump says";
        findings.extend(told(
            Code::RestoredDiffers,
            step,
            otherwise,
            &l.objects_differ,
        ));
    }
    for (step, _, c) in report.state.done::<CheckRestored>() {
        let otherwise = "things were restored otherwise than the same point says";
        findings.extend(told(Code::RestoredDiffers, step, otherwise, &c.differs));
    }
    findings
}

/// What should not have been there.
fn swept(report: &Report) -> Vec<Finding> {
    let torn = report.state.done::<SweepDrill>();
    let torn = torn.filter(|(_, _, torn)| !torn.deleted.is_empty());
    torn.map(|(_, swept, torn)| {
        let deleted = torn.deleted.join(", ");
        let message = format!("{deleted} was left by {} and is deleted now", swept.run);
        let finding = Finding::warning(Code::Swept, message).thing(&swept.run);
        finding.place(&report.state.plan.journal_target)
    })
    .collect()
}

/// Documents that are unlocked before what refers to them.
fn lock_short(report: &Report) -> Vec<Finding> {
    let points = report.state.done::<PublishPoint>();
    points
        .flat_map(|(step, _, published)| {
            published.short.iter().map(|what| {
                let message = format!("the lock of {what}: it ends before this run's evidence");
                Finding::warning(Code::LockShort, message).thing(&step.id)
            })
        })
        .collect()
}

/// Databases that are in no dump, or of which none will be made.
fn not_protected(report: &Report) -> Vec<Finding> {
    let read = report.state.done::<ReadServer>();
    let read = read.map(|(step, a, read)| (step, &a.source, None, &read.exceptions));
    let dumped = report.state.done::<DumpServer>();
    let dumped = dumped.map(|(step, a, d)| (step, &a.source, Some(&a.target), &d.held.exceptions));
    let drilled = report.state.done::<DumpDatabase>();
    let drilled = drilled.map(|(step, a, d)| (step, &a.source, Some(&a.target), &d.exceptions));
    let mut findings = Vec::new();
    for (step, source, target, exceptions) in read.chain(dumped).chain(drilled) {
        findings.extend(exceptions.iter().map(|e| {
            let at = target.map_or_else(String::new, |t| format!(" at {t}"));
            let message = format!(
                "nothing protects {} of source {source}{at}: {}",
                e.thing, e.why
            );
            let finding = Finding::warning(Code::NotProtected, message).thing(&step.id);
            finding.place(&report.state.plan.run)
        }));
    }
    for (source, known) in of_clusters(&report.state) {
        findings.extend(known.exceptions.iter().map(|e| {
            let (thing, why) = (&e.thing, &e.why);
            let message =
                format!("of source {source} nothing checks and nothing dumps {thing}: {why}");
            let finding = Finding::warning(Code::NotProtected, message).thing(source);
            finding.place(&report.state.plan.run)
        }));
    }
    findings
}

/// Parts of dumps that nobody will complete, and that a target would not end.
fn uploads_left(report: &Report) -> Vec<Finding> {
    let torn = report.state.done::<Teardown>();
    let torn = torn.map(|(step, _, torn)| (step, torn));
    let swept = report.state.done::<SweepDrill>();
    let all = torn.chain(swept.map(|(step, _, torn)| (step, torn)));
    all.flat_map(|(step, torn): (_, &TornDown)| {
        torn.left.iter().map(move |what| {
            let message = format!("{what}; they cost money until they are ended");
            Finding::warning(Code::UploadsLeft, message).thing(&step.id)
        })
    })
    .collect()
}

/// Targets that lack documents which the others have.
fn behind(report: &Report) -> Vec<Finding> {
    let points = report.state.done::<PublishPoint>();
    let points = points.map(|(step, _, p)| (step, "the point's documents", &p.failed));
    let proofs = report.state.done::<WriteProofs>();
    let proofs = proofs.map(|(step, _, p)| (step, "the drill's proofs", &p.failed));
    let spread = report.state.done::<SpreadProofs>();
    let mut findings: Vec<Finding> = spread
        .filter(|(_, _, s)| !s.failed.is_empty())
        .map(|(step, action, s)| {
            let message = format!(
                "{} proofs of {} could still not be brought to {}, first {}; they are offered \
                 again later",
                s.failed.len(),
                action.run,
                action.target,
                s.failed[0]
            );
            let finding = Finding::warning(Code::TargetBehind, message).thing(&step.id);
            finding.place(&action.target).hint(Hint::policy("verify"))
        })
        .collect();
    for (step, what, failed) in points.chain(proofs) {
        findings.extend(failed.iter().map(|target| {
            let message = format!("{what} could not be written to {target}; the others have them");
            Finding::warning(Code::TargetBehind, message)
                .thing(&step.id)
                .place(target)
                .hint(Hint::policy("verify"))
        }));
    }
    findings
}

/// Properties of objects that were counted because they are not in the vault.
fn not_kept(report: &Report) -> impl Iterator<Item = Finding> {
    let copies = report.state.done::<CopyObjects>();
    copies.flat_map(|(step, action, copied)| {
        let (not_kept, target) = (&copied.not_kept, &action.target);
        let denied = format!(
            "the tags of {} objects may not be read, so their copies at {target} have none; grant \
             s3:GetObjectVersionTagging to the copier",
            not_kept.tags_denied
        );
        let unknown = format!(
            "the store of {} objects does not say which tags they have, so their copies at \
             {target} have none",
            not_kept.tags_unknown
        );
        let told = [
            (not_kept.tags_denied, denied),
            (not_kept.tags_unknown, unknown),
        ];
        let some = told.into_iter().filter(|(count, _)| *count > 0);
        some.map(move |(_, message)| {
            Finding::warning(Code::TagsNotKept, message)
                .thing(&step.id)
                .place(target)
        })
    })
}
