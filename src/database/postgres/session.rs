//! What a session is asked, in SQL, and its answers.

use super::connect::Postgres;
use crate::database::error::DatabaseError;

impl Postgres {
    pub(super) fn failed(&self, operation: &str, error: &tokio_postgres::Error) -> DatabaseError {
        DatabaseError::new(operation, &self.address.shown(), error)
    }

    /// An answer that cannot be.
    pub(super) fn odd(&self, operation: &str, why: &str) -> DatabaseError {
        DatabaseError {
            operation: operation.into(),
            database: self.address.shown(),
            code: Some("answer".into()),
            source: why.into(),
        }
    }

    /// Runs statements without parameters.
    ///
    /// # Errors
    /// The server's.
    pub async fn execute(&self, sql: &str) -> Result<(), DatabaseError> {
        self.execute_as(&head(sql), sql).await
    }

    /// The same for statements that are not to be repeated in a message, or too long for one.
    ///
    /// # Errors
    /// The server's, which names the operation and not the text.
    pub async fn execute_as(&self, operation: &str, sql: &str) -> Result<(), DatabaseError> {
        self.client
            .batch_execute(sql)
            .await
            .map_err(|e| self.failed(operation, &e))
    }

    /// In the transaction that is open, which goes on whatever the server says: what it refuses,
    /// inside, is undone.
    ///
    /// # Errors
    /// The connection's.
    pub(super) async fn attempt<T>(
        &self,
        work: impl AsyncFnOnce() -> Result<T, DatabaseError>,
    ) -> Result<Result<T, DatabaseError>, DatabaseError> {
        self.execute("SAVEPOINT dr").await?;
        let after = match work().await {
            Err(e) if e.transient() => return Err(e),
            Err(e) => {
                self.execute("ROLLBACK TO SAVEPOINT dr").await?;
                Err(e)
            }
            done => done,
        };
        self.execute("RELEASE SAVEPOINT dr").await?;
        Ok(after)
    }

    /// Rows as text, NULL as `None`.
    ///
    /// # Errors
    /// The server's.
    pub async fn rows(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
        let messages = self
            .client
            .simple_query(sql)
            .await
            .map_err(|e| self.failed(&head(sql), &e))?;
        let row = |m: &tokio_postgres::SimpleQueryMessage| match m {
            tokio_postgres::SimpleQueryMessage::Row(r) => {
                Some((0..r.len()).map(|i| r.get(i).map(str::to_owned)).collect())
            }
            _ => None,
        };
        Ok(messages.iter().filter_map(row).collect())
    }

    /// The first column of the first row.
    ///
    /// # Errors
    /// The server's.
    pub async fn value(&self, sql: &str) -> Result<Option<String>, DatabaseError> {
        Ok(self
            .rows(sql)
            .await?
            .into_iter()
            .next()
            .and_then(|r| r.into_iter().next())
            .flatten())
    }

    /// A count.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn number(&self, sql: &str) -> Result<u64, DatabaseError> {
        let text = self.value(sql).await?.unwrap_or_default();
        let odd = |_| self.odd(&head(sql), "the server answers with no number");
        text.parse().map_err(odd)
    }
}

/// The beginning of a statement, for messages; statements that set passwords are not shown.
fn head(sql: &str) -> String {
    let line = sql.trim().lines().next().unwrap_or_default();
    if line.to_ascii_lowercase().contains("password") {
        "a statement with a password".into()
    } else {
        line.chars().take(90).collect()
    }
}

/// Names and numbers of a first column, without those that are NULL.
pub(super) fn firsts(rows: Vec<Vec<Option<String>>>) -> impl Iterator<Item = String> {
    rows.into_iter().filter_map(|r| r.into_iter().next()?)
}

/// Rows of two columns.
pub(super) fn pairs(rows: Vec<Vec<Option<String>>>) -> impl Iterator<Item = (String, String)> {
    rows.into_iter().filter_map(|row| {
        let mut columns = row.into_iter();
        Some((columns.next()??, columns.next()??))
    })
}
