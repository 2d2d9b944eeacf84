//! `dr status`: the newest point, the newest proven ones, drills, what is open, missed and
//! breached.

mod proven;
mod text;

use super::answer::{Answer, Outcome};
use super::from_vault::VaultArgs;
use crate::model::Role;
use crate::operations::Surroundings;
use crate::operations::status::{StatusRequest, status};
use std::path::{Path, PathBuf};
use text::text;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The policy file; may be given several times
    #[arg(long, env = "DR_POLICY", value_name = "FILE")]
    policy: Vec<PathBuf>,
    #[command(flatten)]
    vault: VaultArgs,
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
    let files: Vec<Option<&Path>> = match (&args.vault.from, &args.policy[..]) {
        (Some(_), _) | (None, []) => vec![None],
        (None, files) => files.iter().map(|f| Some(f.as_path())).collect(),
    };
    for file in files {
        let of = ("status", args.role);
        let loaded = args.vault.loaded(around.world, of, file).await?;
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
