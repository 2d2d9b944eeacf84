//! One connection to a server, driven in the background.

use super::error::PgError;
use std::path::Path;
use tokio_postgres::{Client, Config, NoTls};

/// Where the lab's own superuser comes in: a connection string, without a password.
pub fn inside(sockets: &Path, port: u16, database: &str) -> String {
    let host = sockets.display();
    format!("host='{host}' port={port} user={ADMIN} dbname='{database}'")
}

/// The same for a database of a server of this lab; any other one is entered as its URL says.
pub fn as_judge(url: &str, sockets: &Path) -> String {
    let ours = url.parse::<Config>().ok().and_then(|config| {
        let (port, database) = (*config.get_ports().first()?, config.get_dbname()?);
        let socket = sockets.join(format!(".s.PGSQL.{port}"));
        socket.exists().then(|| inside(sockets, port, database))
    });
    ours.unwrap_or_else(|| url.to_owned())
}

/// The lab's own superuser, let in without a password over the socket directory only.
pub const ADMIN: &str = "rdsadmin";

/// A client and the task that moves its bytes; both end together.
pub struct Session {
    pub client: Client,
    driver: tokio::task::JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Session {
    /// As the lab's superuser through the socket.
    ///
    /// # Errors
    /// The server does not answer yet, or no more.
    pub async fn admin(sockets: &Path, port: u16, database: &str) -> Result<Self, PgError> {
        let mut config = Config::new();
        config
            .host_path(sockets)
            .port(port)
            .user(ADMIN)
            .dbname(database);
        Self::open(&config).await
    }

    /// # Errors
    /// The URL is wrong, or the server does not let us in.
    pub async fn url(url: &str) -> Result<Self, PgError> {
        let config: Config = url.parse().map_err(PgError::sql("reading the URL"))?;
        Self::open(&config).await
    }

    async fn open(config: &Config) -> Result<Self, PgError> {
        let mut config = config.clone();
        config
            .connect_timeout(std::time::Duration::from_secs(5))
            .application_name("dr-lab");
        let (client, connection) = config
            .connect(NoTls)
            .await
            .map_err(PgError::sql("connecting"))?;
        let driver = tokio::spawn(async move {
            // An error here reaches whoever waits on the client as well.
            let _ended = connection.await;
        });
        Ok(Self { client, driver })
    }

    /// Statements without parameters, in one round trip.
    ///
    /// # Errors
    /// The server's.
    pub async fn batch(&self, sql: &str) -> Result<(), PgError> {
        self.client
            .batch_execute(sql)
            .await
            .map_err(PgError::sql(head(sql)))
    }

    /// First column of the first row, as text.
    ///
    /// # Errors
    /// The server's, or no row.
    pub async fn text(&self, sql: &str) -> Result<Option<String>, PgError> {
        let rows = self.rows(sql).await?;
        Ok(rows
            .into_iter()
            .next()
            .and_then(|r| r.into_iter().next().flatten()))
    }

    /// All rows as text.
    ///
    /// # Errors
    /// The server's.
    pub async fn rows(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, PgError> {
        let messages = self
            .client
            .simple_query(sql)
            .await
            .map_err(PgError::sql(head(sql)))?;
        Ok(messages
            .iter()
            .filter_map(|m| match m {
                tokio_postgres::SimpleQueryMessage::Row(r) => {
                    Some((0..r.len()).map(|i| r.get(i).map(str::to_owned)).collect())
                }
                _ => None,
            })
            .collect())
    }
}

/// Enough of a statement to recognise it: its first two words, never a password.
fn head(sql: &str) -> String {
    sql.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// A text as an SQL literal.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name as an SQL identifier.
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
