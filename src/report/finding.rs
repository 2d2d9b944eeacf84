//! One thing worth telling.

use super::{Code, Exit, Fail, Hint};
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    /// Leaves the exit code 0.
    Warning,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub code: Code,
    pub severity: Severity,
    /// What the command ends with because of it, where it is an error.
    pub exit: Exit,
    /// What it is about: a key with its version, a table, a cluster.
    pub thing: String,
    /// Where: a target, a file and line, a run.
    pub place: String,
    pub hint: Option<Hint>,
    pub message: String,
}

impl Finding {
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            exit: code.exit(),
            thing: String::new(),
            place: String::new(),
            hint: code.hint(),
            message: message.into(),
        }
    }

    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    #[must_use]
    pub fn thing(mut self, thing: impl ToString) -> Self {
        self.thing = thing.to_string();
        self
    }

    #[must_use]
    pub fn place(mut self, place: impl ToString) -> Self {
        self.place = place.to_string();
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: Hint) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Where this code ends a command in another way than usual.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

/// A failure of a part, told beside what the other parts came to.
impl From<Fail> for Finding {
    fn from(fail: Fail) -> Self {
        Self {
            code: fail.code,
            severity: Severity::Error,
            exit: fail.exit,
            thing: String::new(),
            place: fail.place.clone(),
            message: super::full(&fail),
            hint: fail.hints.into_iter().next(),
        }
    }
}

/// What a command with these findings ends with.
pub fn exit_of(findings: &[Finding]) -> Exit {
    let errors = findings.iter().filter(|f| f.severity == Severity::Error);
    errors.fold(Exit::Done, |exit, f| exit.and(f.exit))
}
