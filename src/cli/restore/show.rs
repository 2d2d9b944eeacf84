//! What a restore shows before anything is done: what can be had, and the plan.

use crate::cli::answer::Answer;
use crate::cli::figures::span;
use crate::model::Method;
use crate::operations::restore::{Choice, RestoreOption};
use crate::plan::RestoreInto;
use serde_json::{Value, json};

pub fn reachable(answer: &mut Answer, options: &[RestoreOption]) {
    if options.is_empty() {
        answer.line("no recovery point can be restored from here");
    } else {
        let heads = ("source", "method", "from", "point", "proven", "age");
        let (source, method, from, point, proven, age) = heads;
        answer.line(format!(
            "{source:20} {method:9} {from:11} {point:16}  {proven:14}  {age:11}  restored in"
        ));
    }
    for option in options {
        let measured_on = answer.measured_on;
        let took = option.eta_s.map_or("never measured".to_owned(), |s| {
            let n = option.eta_from_n;
            format!("{s:.1} s measured on {measured_on} (mean of {n})")
        });
        answer.line(format!(
            "{:20} {:9} {:11} {}  {:14}  {:11}  {took}",
            option.what(),
            option.method.as_str(),
            option.target.as_str(),
            option.point,
            verdict(option),
            span(option.loses_s)
        ));
    }
    if let Some(first) = options.first() {
        answer.line(format!(
            "add --method {} to see the plan of the first one; methods are {}",
            first.method,
            Method::listed()
        ));
    }
    answer.set("ways", options);
    answer.set("executed", false);
}

/// Tried and failed is not the same as never tried.
fn verdict(option: &RestoreOption) -> String {
    let ago = option.proof_age_s.map(span).unwrap_or_default();
    match &option.failed {
        _ if option.proven => format!("{ago} ago"),
        Some(_) => format!("FAILED {ago} ago"),
        None => "NOT PROVEN".to_owned(),
    }
}

pub fn summary(choice: &Choice<'_>) -> String {
    let to = match &choice.into {
        RestoreInto::Cluster { id, .. } => {
            format!("a new cluster {id} in {}", choice.place.target.region)
        }
        RestoreInto::Database(into) => {
            format!("database {} at {}:{}", into.database, into.host, into.port)
        }
        RestoreInto::Bucket { bucket, prefix, .. } => format!("s3://{bucket}/{prefix}"),
    };
    let option = &choice.option;
    format!(
        "Restore {} of point {} by method {} from {} into {to}.",
        option.what(),
        option.point,
        option.method,
        option.target
    )
}

pub fn plan(answer: &mut Answer, choice: &Choice<'_>, differs: &[String]) {
    let option = &choice.option;
    answer.line(summary(choice));
    for step in &choice.plan.steps {
        answer.line(format!("  {:18} {}", step.id.as_str(), step.role));
    }
    let cluster = choice.into.shape();
    if let Some(shape) = cluster {
        answer.line(format!("  the cluster is {shape}"));
        let drill = choice.place.policy.as_ref().and_then(|p| p.drill.as_ref());
        if let Some(drill) = drill.filter(|d| d.cluster != *shape) {
            answer.line(format!(
                "  no drill made one like it; they make {}",
                drill.cluster
            ));
        }
    }
    let (age, verdict) = (span(option.loses_s), verdict(option));
    answer.line(format!("  point is {age} old; proven: {verdict}"));
    if let Some(eta) = option.eta_s {
        let (measured_on, n) = (answer.measured_on, option.eta_from_n);
        answer.line(format!(
            "  its drills took {eta:.1} s measured on {measured_on} (mean of {n})"
        ));
    }
    let not = option.exceptions.iter();
    let not = not.map(|e| format!("  not restored: {}: {}", e.thing, e.why));
    let stays = differs.iter().map(|d| format!("  stays as it is: {d}"));
    not.chain(stays).for_each(|line| answer.line(line));
    answer.line(format!("  plan {}", choice.hash));
    let steps = choice.plan.steps.iter();
    let steps = steps.map(|s| json!({"name": s.id, "role": s.role}));
    let steps: Vec<Value> = steps.collect();
    answer.set(
        "plan",
        json!({
            "hash": choice.hash, "source": option.source, "database": option.database,
            "point": option.point, "method": option.method,
            "target": option.target, "proven": option.proven, "failed": option.failed,
            "exceptions": option.exceptions, "cluster": cluster, "stays": differs,
            "steps": steps, "eta_s": option.eta_s, "eta_from_n": option.eta_from_n,
        }),
    );
}
