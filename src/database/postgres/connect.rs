//! Connecting: TLS, unless the server is on loopback.

use super::error::PgError;
use crate::model::Seconds;
use std::sync::Arc;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};

/// A password; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// Where a database is and how to enter.
#[derive(Clone, Debug)]
pub struct Address {
    pub host: String,
    pub port: u16,
    pub database: String,
    pub user: String,
    pub password: Secret,
    /// PEM bundle; needed unless the host is loopback.
    pub ca_file: Option<String>,
}

/// One session. Every session reads and writes values in the same text form, whatever the
/// database's own settings are.
pub struct Connection {
    pub(super) client: Client,
    pub(super) name: String,
    driver: tokio::task::JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Settings without which dates, floats and bytes would not survive a round trip;
/// `row_security=off` makes a filtered read an error.
const SESSION: &str = "SET datestyle='ISO, MDY'; SET intervalstyle=postgres; SET \
 extra_float_digits=3; SET bytea_output=hex; SET timezone='UTC'; \
     SET client_encoding=UTF8; SET xmloption=content; SET search_path=pg_catalog; SET \
     row_security=off; SET statement_timeout=0; SET lock_timeout=0; SET jit=off";

impl Address {
    pub fn loopback(&self) -> bool {
        crate::model::is_loopback(&self.host)
    }

    pub fn with_database(&self, database: &str) -> Self {
        Self {
            database: database.into(),
            ..self.clone()
        }
    }

    /// Without the password.
    pub fn shown(&self) -> String {
        format!(
            "postgres://{}@{}:{}/{}",
            self.user, self.host, self.port, self.database
        )
    }

    /// # Errors
    /// The text is no PostgreSQL URL with one host; the text itself is not repeated, for it may
    /// hold a password.
    pub fn from_url(url: &str, ca_file: Option<String>) -> Result<Self, String> {
        let wrong =
            |why: &str| format!("{why}; write it like postgres://user:password@host:5432/database");
        let config: Config = url
            .parse()
            .map_err(|_| wrong("this is not a PostgreSQL URL"))?;
        let host = match config.get_hosts() {
            [tokio_postgres::config::Host::Tcp(host)] => host.clone(),
            _ => return Err(wrong("the URL must name one TCP host")),
        };
        Ok(Self {
            host,
            port: config.get_ports().first().copied().unwrap_or(5432),
            database: config
                .get_dbname()
                .ok_or_else(|| wrong("the URL names no database"))?
                .to_owned(),
            user: config
                .get_user()
                .ok_or_else(|| wrong("the URL names no user"))?
                .to_owned(),
            password: Secret(
                config
                    .get_password()
                    .map(|p| String::from_utf8_lossy(p).into_owned())
                    .unwrap_or_default(),
            ),
            ca_file,
        })
    }

    fn failed(&self, operation: &str, source: Box<dyn std::error::Error + Send + Sync>) -> PgError {
        PgError {
            operation: operation.into(),
            database: self.shown(),
            code: None,
            source,
        }
    }

    /// # Errors
    /// No connection, a refused password, a certificate that the bundle does not cover.
    pub async fn connect(&self, timeout: Seconds) -> Result<Connection, PgError> {
        let mut config = Config::new();
        config
            .host(&self.host)
            .port(self.port)
            .dbname(&self.database)
            .user(&self.user)
            .password(&self.password.0);
        config
            .application_name("dr")
            .connect_timeout(timeout.as_duration());
        let failed = |e: tokio_postgres::Error| PgError::new("connect", &self.shown(), &e);
        let connecting = async {
            if self.loopback() {
                let (client, connection) = config
                    .ssl_mode(SslMode::Disable)
                    .connect(NoTls)
                    .await
                    .map_err(failed)?;
                Ok((client, tokio::spawn(async move { drop(connection.await) })))
            } else {
                let tls = tokio_postgres_rustls::MakeRustlsConnect::new(self.tls()?);
                let (client, connection) = config
                    .ssl_mode(SslMode::Require)
                    .connect(tls)
                    .await
                    .map_err(failed)?;
                Ok((client, tokio::spawn(async move { drop(connection.await) })))
            }
        };
        let timed_out = |_| self.failed("connect", "no answer in time".into());
        let (client, driver) = tokio::time::timeout(timeout.as_duration(), connecting)
            .await
            .map_err(timed_out)??;
        let connection = Connection {
            client,
            name: self.shown(),
            driver,
        };
        connection.execute(SESSION).await?;
        Ok(connection)
    }

    fn tls(&self) -> Result<rustls::ClientConfig, PgError> {
        use rustls_pki_types::pem::PemObject;
        let Some(file) = &self.ca_file else {
            return Err(self.failed(
                "connect",
                "TLS needs `credentials.postgres_ca_file` (for Aurora: the RDS certificate bundle)"
                    .into(),
            ));
        };
        let mut roots = rustls::RootCertStore::empty();
        let certificates = rustls_pki_types::CertificateDer::pem_file_iter(file)
            .map_err(|e| self.failed("read the CA bundle", Box::new(e)))?;
        roots.add_parsable_certificates(certificates.flatten());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions();
        let builder = builder.map_err(|e| self.failed("set up TLS", Box::new(e)))?;
        Ok(builder.with_root_certificates(roots).with_no_client_auth())
    }
}

impl Connection {
    pub(super) fn failed(&self, operation: &str, error: &tokio_postgres::Error) -> PgError {
        PgError::new(operation, &self.name, error)
    }

    /// An answer that cannot be.
    pub(super) fn odd(&self, operation: &str, why: &str) -> PgError {
        PgError {
            operation: operation.into(),
            database: self.name.clone(),
            code: Some("answer".into()),
            source: why.into(),
        }
    }

    /// Runs statements without parameters.
    ///
    /// # Errors
    /// The server's.
    pub async fn execute(&self, sql: &str) -> Result<(), PgError> {
        self.execute_as(&head(sql), sql).await
    }

    /// The same for statements that are not to be repeated in a message, or too long for one.
    ///
    /// # Errors
    /// The server's, which names the operation and not the text.
    pub async fn execute_as(&self, operation: &str, sql: &str) -> Result<(), PgError> {
        self.client
            .batch_execute(sql)
            .await
            .map_err(|e| self.failed(operation, &e))
    }

    /// Rows as text, NULL as `None`.
    ///
    /// # Errors
    /// The server's.
    pub async fn rows(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, PgError> {
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
    pub async fn value(&self, sql: &str) -> Result<Option<String>, PgError> {
        Ok(self
            .rows(sql)
            .await?
            .into_iter()
            .next()
            .and_then(|r| r.into_iter().next())
            .flatten())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gives_an_address_and_never_shows_its_password() {
        let address = Address::from_url("postgres://u:s3cret@127.0.0.1:5433/shop", None).unwrap();
        assert!(address.loopback());
        assert_eq!(address.shown(), "postgres://u@127.0.0.1:5433/shop");
        assert!(!format!("{address:?}").contains("s3cret"));
        assert!(
            !Address::from_url("mysql://u:s3cret@h/d", None)
                .unwrap_err()
                .contains("s3cret")
        );
        assert!(Address::from_url("postgres://u@h", None).is_err());
    }
}
