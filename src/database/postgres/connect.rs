//! Connecting: TLS, unless the server is on loopback.

use super::settings;
use crate::database::address::Address;
use crate::database::error::DatabaseError;
use crate::model::Seconds;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};

/// One session. Every session reads and writes values in the same text form, whatever the
/// database's own settings are.
pub struct Postgres {
    pub(super) client: Client,
    pub(super) address: Address,
    /// How long a connection may take.
    pub(super) patience: Seconds,
    driver: tokio::task::JoinHandle<()>,
    /// The transaction that is open may read a table by a policy that shows all of it.
    pub(super) by_policy: AtomicBool,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Postgres {
    /// # Errors
    /// No connection, a refused password, a certificate that the bundle does not cover.
    pub(super) async fn open(address: &Address, timeout: Seconds) -> Result<Self, DatabaseError> {
        let mut config = Config::new();
        config
            .host(&address.host)
            .port(address.port)
            .dbname(&address.database)
            .user(&address.user)
            .password(&address.password.0);
        config
            .application_name("dr")
            .connect_timeout(timeout.as_duration());
        let failed = |e: tokio_postgres::Error| DatabaseError::new("connect", &address.shown(), &e);
        let connecting = async {
            if address.loopback() {
                let (client, connection) = config
                    .ssl_mode(SslMode::Disable)
                    .connect(NoTls)
                    .await
                    .map_err(failed)?;
                Ok((client, tokio::spawn(async move { drop(connection.await) })))
            } else {
                let tls = tokio_postgres_rustls::MakeRustlsConnect::new(tls(address)?);
                let (client, connection) = config
                    .ssl_mode(SslMode::Require)
                    .connect(tls)
                    .await
                    .map_err(failed)?;
                Ok((client, tokio::spawn(async move { drop(connection.await) })))
            }
        };
        let timed_out = |_| not_connected(address, "connect", "no answer in time".into());
        let (client, driver) = tokio::time::timeout(timeout.as_duration(), connecting)
            .await
            .map_err(timed_out)??;
        let session = Self {
            client,
            address: address.clone(),
            patience: timeout,
            driver,
            by_policy: AtomicBool::new(false),
        };
        session
            .execute_as("begin a session", &settings::session())
            .await?;
        Ok(session)
    }
}

fn not_connected(
    address: &Address,
    operation: &str,
    source: Box<dyn std::error::Error + Send + Sync>,
) -> DatabaseError {
    DatabaseError {
        operation: operation.into(),
        database: address.shown(),
        code: None,
        source,
    }
}

fn tls(address: &Address) -> Result<rustls::ClientConfig, DatabaseError> {
    use rustls_pki_types::pem::PemObject;
    let failed = |operation: &str, source| not_connected(address, operation, source);
    let Some(file) = &address.ca_file else {
        return Err(failed(
            "connect",
            "TLS needs `credentials.postgres_ca_file` (for Aurora: the RDS certificate bundle)"
                .into(),
        ));
    };
    let mut roots = rustls::RootCertStore::empty();
    let certificates = rustls_pki_types::CertificateDer::pem_file_iter(file)
        .map_err(|e| failed("read the CA bundle", Box::new(e)))?;
    roots.add_parsable_certificates(certificates.flatten());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| failed("set up TLS", Box::new(e)))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
