//! A command that could not give its answer.

use super::{Code, Exit, Failure, Hint};
use std::error::Error;
use std::fmt;

/// An error of a lower layer, as it stands.
pub type Cause = Box<dyn Error + Send + Sync>;

#[derive(Debug)]
pub struct Fail {
    pub code: Code,
    pub exit: Exit,
    /// Where: a file, a target, a run.
    pub place: String,
    pub hints: Vec<Hint>,
    what: What,
}

/// A sentence of ours, or an error of a lower layer that speaks for itself.
#[derive(Debug)]
enum What {
    Said(String),
    Caused(Cause),
}

impl Fail {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self::of(code, What::Said(message.into()))
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    /// An error of a lower layer, under the code that says what it means for the user.
    pub fn caused(code: Code, cause: impl Into<Cause>) -> Self {
        Self::of(code, What::Caused(cause.into()))
    }

    /// A plan that contradicts itself.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Code::PlanBroken, message)
    }

    pub fn stopped() -> Self {
        Self::new(Code::Stopped, "asked to stop")
    }

    /// What it means for the engine, where a step failed so.
    pub fn failure(&self) -> Failure {
        self.code.failure()
    }

    fn of(code: Code, what: What) -> Self {
        Self {
            code,
            exit: code.exit(),
            place: String::new(),
            hints: code.hint().into_iter().collect(),
            what,
        }
    }

    /// In place of the code's own.
    #[must_use]
    pub fn hint(mut self, hint: Hint) -> Self {
        self.hints = vec![hint];
        self
    }

    #[must_use]
    pub fn at(mut self, place: impl ToString) -> Self {
        self.place = place.to_string();
        self
    }

    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Said(message) => f.write_str(message),
            What::Caused(cause) => cause.fmt(f),
        }
    }
}

impl Error for Fail {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.what {
            What::Said(_) => None,
            What::Caused(cause) => cause.source(),
        }
    }
}

/// An error with all of its causes, for people.
pub fn full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        text.push_str(": ");
        text.push_str(&e.to_string());
        cause = e.source();
    }
    text
}

/// The first line of what an error says, for the middle of a sentence.
pub fn first_line(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::fmt::Error);

    #[test]
    fn a_cause_is_kept_and_told_once() {
        let fail = Fail::caused(Code::Damaged, Outer(std::fmt::Error));
        assert_eq!(fail.to_string(), "outer");
        assert_eq!(full(&fail), format!("outer: {}", std::fmt::Error));
        assert_eq!(fail.exit, Exit::Findings);
        assert_eq!(full(&Fail::usage("said")), "said");
    }
}
