//! `pg_dump` and `pg_dumpall` as child processes: they know every kind of object there is, so we do
//! not.

use super::connect::{Address, PgError};
use tokio::process::Command;

impl Address {
    async fn output(&self, program: &str, arguments: &[&str]) -> Result<String, PgError> {
        let failed = |why: String| PgError {
            operation: program.into(),
            database: self.shown(),
            code: None,
            source: why.into(),
        };
        let mode = if self.loopback() {
            "disable"
        } else {
            "verify-full"
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("PGPASSWORD", &self.password.0)
            .env("PGSSLMODE", mode)
            .env("PGCONNECT_TIMEOUT", "20")
            .kill_on_drop(true);
        if let Some(file) = &self.ca_file {
            command.env("PGSSLROOTCERT", file);
        }
        let port = self.port.to_string();
        command.args([
            "--host",
            &self.host,
            "--port",
            &port,
            "--username",
            &self.user,
            "--no-password",
        ]);
        let output = command.output().await.map_err(|e| {
            failed(format!(
                "{e}; install the PostgreSQL client programs (Debian: postgresql-client)"
            ))
        })?;
        if !output.status.success() {
            return Err(PgError {
                code: Some("pg_dump".into()),
                ..failed(
                    String::from_utf8_lossy(&output.stderr)
                        .lines()
                        .take(5)
                        .collect::<Vec<_>>()
                        .join("; "),
                )
            });
        }
        let text = String::from_utf8(output.stdout)
            .map_err(|_| failed("it wrote text that is not UTF-8".into()))?;
        Ok(plain_sql(&text))
    }
}

/// Drops psql's own commands (`\restrict` with a random token), so that the text can be sent to a
/// server and hashes the same each time.
fn plain_sql(text: &str) -> String {
    text.lines()
        .filter(|l| {
            !l.starts_with("\\restrict")
                && !l.starts_with("\\unrestrict")
                && !l.starts_with("\\connect")
        })
        .map(|l| format!("{l}\n"))
        .collect()
}

/// `globals`, `pre-data` or `post-data` of a database, as SQL. Subscriptions are left out: their
/// definition holds a password.
///
/// # Errors
/// The program is missing or failed; its first lines are in the message.
pub async fn schema_section(
    address: &Address,
    section: &str,
    snapshot: &str,
) -> Result<String, PgError> {
    if section == "globals" {
        return address
            .output("pg_dumpall", &["--globals-only", "--no-role-passwords"])
            .await;
    }
    let (section, snapshot, database) = (
        format!("--section={section}"),
        format!("--snapshot={snapshot}"),
        format!("--dbname={}", address.database),
    );
    address
        .output(
            "pg_dump",
            &[
                &section,
                &snapshot,
                "--no-subscriptions",
                "--encoding=UTF8",
                &database,
            ],
        )
        .await
}
