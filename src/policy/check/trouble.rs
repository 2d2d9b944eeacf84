//! What is found wrong, and where in the file.

use crate::policy::locate::locate;
use crate::policy::parse::ParseError;
use crate::report::{Code, Severity};

/// One thing `policy check` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub code: Code,
    pub severity: Severity,
    /// Path of the field, such as `targets[0].lock`.
    pub path: String,
    pub message: String,
}

impl Trouble {
    /// With the place in the file drawn under it.
    pub fn at(&self, file: &str, text: &str) -> ParseError {
        ParseError::at(
            file,
            text,
            locate(text, &self.path),
            format!("{}: {}", self.path, self.message),
        )
    }
}

#[derive(Default)]
pub(super) struct Found(pub(super) Vec<Trouble>);

impl Found {
    pub(super) fn error(
        &mut self,
        code: Code,
        path: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.push(code, Severity::Error, path.into(), message.into());
    }
    pub(super) fn warning(
        &mut self,
        code: Code,
        path: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.push(code, Severity::Warning, path.into(), message.into());
    }
    fn push(&mut self, code: Code, severity: Severity, path: String, message: String) {
        self.0.push(Trouble {
            code,
            severity,
            path,
            message,
        });
    }
}
