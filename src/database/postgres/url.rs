//! Addresses written as a URL.

use crate::database::address::{Address, Secret};
use tokio_postgres::Config;

impl Address {
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
