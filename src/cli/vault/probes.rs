//! What probes found, target by target.

use crate::cli::answer::Answer;
use crate::operations::vault::Probed;
use crate::vault::Verdict;
use serde_json::{Value, json};

pub fn show_probes(answer: &mut Answer, probes: &[Probed]) {
    for probed in probes {
        let outcome = &probed.outcome;
        let word = match outcome.verdict {
            Verdict::Locked => "locked",
            Verdict::Open => "OPEN",
            Verdict::Unknown => "unknown",
        };
        let journal = if outcome.conditional {
            "yes, can hold"
        } else {
            "no, cannot hold"
        };
        answer.line(format!(
            "  {}: {word}; conditional writes: {journal} the journal; {}",
            probed.target, outcome.why
        ));
    }
    let one = |p: &Probed| {
        let o = &p.outcome;
        json!({
            "target": p.target, "verdict": o.verdict, "conditional": o.conditional, "why": o.why,
        })
    };
    answer.set("probes", probes.iter().map(one).collect::<Vec<Value>>());
}
