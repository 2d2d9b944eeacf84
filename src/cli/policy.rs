//! `dr policy check|schema`.

use super::answer::{Answer, Outcome};
use crate::operations::policy_check::policy_check;
use crate::policy;
use std::path::PathBuf;

#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    /// Says what is wrong with policies: unknown fields, contradictions, promises that no method
    /// can keep
    Check {
        /// Policy files
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Prints the JSON Schema of a policy
    Schema,
}

pub fn run(verb: &Verb) -> Outcome {
    match verb {
        Verb::Schema => Ok(schema()),
        Verb::Check { files } => check(files),
    }
}

fn schema() -> Answer {
    let mut answer = Answer::new("dr/policy-schema/1", "aws");
    let schema = policy::schema();
    answer.block(serde_json::to_string_pretty(&schema).expect("a schema is text and lists"));
    answer.set("policy_schema", schema);
    answer
}

fn check(files: &[PathBuf]) -> Outcome {
    let checked = policy_check(files)?;
    let mut answer = Answer::new("dr/policy-check/1", "aws");
    for file in checked.files.iter().filter(|f| f.valid) {
        answer.line(format!("{}: valid", file.file));
    }
    let files: Vec<&str> = checked.files.iter().map(|f| f.file.as_str()).collect();
    answer.set("files", files);
    answer.findings = checked.findings;
    Ok(answer)
}
