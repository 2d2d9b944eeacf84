//! What is proven of a policy, and by which drills, in words.

use crate::cli::figures::span;
use crate::model::{Name, SourceId};
use crate::status::{DrillResult, Proven, Status};
use jiff::Timestamp;

/// `shop`, or `shop/billing` of one of its databases.
pub fn what(source: &SourceId, database: Option<&Name>) -> String {
    database.map_or_else(|| source.to_string(), |d| format!("{source}/{d}"))
}

pub fn instant(at: Option<Timestamp>) -> String {
    at.map_or("never".to_owned(), |t| t.to_string())
}

pub fn proven(p: &Proven, measured_on: &str) -> String {
    let (age, proven, loses) = (span(p.age_s), span(p.proof_age_s), span(p.rpo_s as i64));
    format!(
        "{}  {:8} of {} from {:10} point {age} old, proven {proven} ago, restored in {:.1} s \
         measured on {measured_on}, would lose {loses}",
        p.point,
        p.method.as_str(),
        what(&p.source, p.database.as_ref()),
        p.target.as_str(),
        p.rto_s,
    )
}

pub fn drills(status: &Status) -> String {
    let drills = &status.drills;
    let last = drills.last.as_ref().map_or("never".to_owned(), |last| {
        let failed: Vec<String> = last
            .failed
            .iter()
            .map(|f| {
                let of = what(&f.source, f.database.as_ref());
                format!("{} of {of} {}", f.method, f.target)
            })
            .collect();
        match last.result {
            DrillResult::Passed => format!("{} passed", last.at),
            DrillResult::Failed => format!("{} FAILED ({})", last.at, failed.join(", ")),
        }
    });
    format!(
        "last {last}, next {}, missed {}",
        instant(drills.next),
        drills.missed
    )
}
