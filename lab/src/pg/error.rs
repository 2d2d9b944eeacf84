//! Why a server or its files do not do what they should.

/// What went wrong with a server or its files, in words for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum PgError {
    #[error("{0}")]
    Told(String),
    #[error("{what}: {source}")]
    File {
        what: String,
        source: std::io::Error,
    },
    #[error("{what}: {source}")]
    Sql {
        what: String,
        source: tokio_postgres::Error,
    },
}

impl PgError {
    pub fn told(text: impl Into<String>) -> Self {
        Self::Told(text.into())
    }

    /// For `map_err` beside file operations.
    pub fn file(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::File { what, source }
    }

    /// For `map_err` beside statements.
    pub fn sql(what: impl Into<String>) -> impl FnOnce(tokio_postgres::Error) -> Self {
        let what = what.into();
        move |source| Self::Sql { what, source }
    }
}
