//! What probes found, target by target.

use crate::cli::answer::Answer;
use crate::operations::vault::Probed;
use crate::vault::Verdict;
use serde_json::{Value, json};

pub fn show_probes(answer: &mut Answer, probes: &[Probed]) {
    for probed in probes {
        let word = match probed.verdict {
            Verdict::Locked => "locked",
            Verdict::Open => "OPEN",
            Verdict::Unknown => "unknown",
        };
        let journal = match probed.conditional {
            Some(true) => "yes, can hold the journal",
            Some(false) => "no, cannot hold the journal",
            None => "not asked",
        };
        answer.line(format!(
            "  {}: {word}; conditional writes: {journal}; {}",
            probed.target, probed.why
        ));
    }
    let one = |p: &Probed| {
        json!({
            "target": p.target, "verdict": p.verdict, "conditional": p.conditional, "why": p.why,
        })
    };
    answer.set("probes", probes.iter().map(one).collect::<Vec<Value>>());
}
