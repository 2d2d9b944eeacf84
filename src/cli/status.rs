//! `dr status`: the newest point, the newest proven ones, drills, what is open, missed and
//! breached.

mod text;

use super::answer::{Answer, Outcome};
use crate::model::Role;
use crate::operations::status::{StatusRequest, status};
use crate::operations::{Surroundings, load};
use std::path::PathBuf;
use text::text;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The policy file; may be given several times
    #[arg(long, env = "DR_POLICY", value_name = "FILE", required = true)]
    policy: Vec<PathBuf>,
    /// Exit 4 where an objective, a retention, a slot or a drill is missed
    #[arg(long)]
    check: bool,
    /// The role whose key reads
    #[arg(long, value_name = "ROLE", default_value = "auditor")]
    role: Role,
}

pub async fn run(around: Surroundings<'_>, args: &Args) -> Outcome {
    let mut answer = Answer::new("dr/status/1", "aws");
    let (mut policies, mut findings) = (Vec::new(), Vec::new());
    for file in &args.policy {
        let loaded = load(file)?;
        if loaded.measured_on() == "lab" {
            answer.measured_on = "lab";
        }
        let request = StatusRequest {
            check: args.check,
            role: args.role,
        };
        let told = status(around, &loaded, &request).await?;
        text(&mut answer, &told.status, loaded.measured_on());
        findings.extend(told.findings);
        policies.push(told.status);
    }
    answer.set("policies", policies);
    answer.findings = findings;
    Ok(answer)
}
