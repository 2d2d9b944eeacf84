//! What is wrong with policy files, each for itself.

use super::policy_file::{calendar, text_of};
use crate::policy::{ParseError, check, parse};
use crate::report::{Code, Exit, Fail, Finding, Hint, Severity};
use std::path::PathBuf;

pub struct Checked {
    pub files: Vec<CheckedFile>,
    pub findings: Vec<Finding>,
}

pub struct CheckedFile {
    pub file: String,
    pub valid: bool,
}

/// # Errors
/// Exit 2: a file cannot be read.
pub fn policy_check(files: &[PathBuf]) -> Result<Checked, Fail> {
    let mut checked = Checked {
        files: Vec::new(),
        findings: Vec::new(),
    };
    for file in files {
        let shown = file.display().to_string();
        let found = check_one(&shown, &text_of(file)?);
        let valid = found.iter().all(|f| f.severity != Severity::Error);
        checked.findings.extend(found);
        checked.files.push(CheckedFile { file: shown, valid });
    }
    Ok(checked)
}

fn check_one(file: &str, text: &str) -> Vec<Finding> {
    let policy = match parse(file, text) {
        Ok(policy) => policy,
        Err(e) => return vec![finding(Code::PolicyInvalid, Severity::Error, file, &e)],
    };
    let found = check(&policy, &calendar());
    let one = |t: &crate::policy::Trouble| finding(t.code, t.severity, file, &t.at(file, text));
    found.iter().map(one).collect()
}

fn finding(code: Code, severity: Severity, file: &str, error: &ParseError) -> Finding {
    let place = error.position.map_or_else(
        || file.to_owned(),
        |(line, column)| format!("{file}:{line}:{column}"),
    );
    Finding::error(code, error.to_string())
        .severity(severity)
        .exit(Exit::Usage)
        .place(place)
        .hint(Hint::dr("policy schema"))
}
