//! `dr policy check|schema`.

use super::exit::Exit;
use super::load::{calendar, text_of};
use super::output::{Answer, Fail, Finding, Outcome, Severity};
use crate::policy::{self, check, parse};
use std::path::PathBuf;

#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    /// Says what is wrong with policies: unknown fields, contradictions, promises that no path can
    /// keep
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
        Verb::Check { files } => check_all(files),
    }
}

fn schema() -> Answer {
    let mut answer = Answer::new("dr/policy-schema/1");
    let schema = policy::schema();
    answer.block(serde_json::to_string_pretty(&schema).unwrap_or_default());
    answer.set("policy_schema", schema);
    answer
}

fn check_all(files: &[PathBuf]) -> Outcome {
    let mut answer = Answer::new("dr/policy-check/1");
    let mut checked = Vec::new();
    for file in files {
        let shown = file.display().to_string();
        let text = text_of(file).map_err(|e| {
            Fail::new(
                Exit::Usage,
                "policy-unreadable",
                format!("policy {shown} cannot be read: {e}"),
            )
            .hint("dr policy check FILE")
        })?;
        let mut errors = 0;
        match parse(&shown, &text) {
            Err(e) => {
                errors += 1;
                answer.find(
                    finding("policy-invalid", Severity::Error, &shown, &e),
                    Exit::Usage,
                );
            }
            Ok(policy) => {
                for trouble in check(&policy, &calendar()) {
                    let severity = if trouble.severity == policy::Severity::Error {
                        Severity::Error
                    } else {
                        Severity::Warning
                    };
                    errors += usize::from(severity == Severity::Error);
                    answer.find(
                        finding(trouble.code, severity, &shown, &trouble.at(&shown, &text)),
                        Exit::Usage,
                    );
                }
            }
        }
        if errors == 0 {
            answer.line(format!("{shown}: valid"));
        }
        checked.push(shown);
    }
    answer.set("files", checked);
    Ok(answer)
}

fn finding(code: &str, severity: Severity, file: &str, error: &policy::ParseError) -> Finding {
    let place = error.position.map_or_else(
        || file.to_owned(),
        |(line, column)| format!("{file}:{line}:{column}"),
    );
    Finding {
        code: code.into(),
        severity,
        thing: String::new(),
        place,
        hint: "dr policy schema".into(),
        message: error.to_string(),
    }
}
