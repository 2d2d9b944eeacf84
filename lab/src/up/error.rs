//! Why a lab does not come up, in words for the person at the terminal.

use crate::pg::PgError;
use std::path::Path;

#[derive(Debug, thiserror::Error)]
pub enum LabError {
    #[error("{0}")]
    Told(String),
    #[error("{what}: {source}")]
    File {
        what: String,
        source: std::io::Error,
    },
    #[error(transparent)]
    Server(#[from] PgError),
}

impl LabError {
    pub fn told(text: impl Into<String>) -> Self {
        Self::Told(text.into())
    }

    /// For `map_err` beside file operations.
    pub fn file(doing: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let what = format!("{doing} {}", path.display());
        move |source| Self::File { what, source }
    }

    pub fn port(port: u16, source: std::io::Error) -> Self {
        Self::told(format!(
            "port {port} of this lab cannot be opened ({source}); see who has it: ss -ltnp \
             'sport = :{port}'"
        ))
    }
}
