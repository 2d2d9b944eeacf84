//! `pg_dump` as a child process: it knows every kind of object there is, so we do not. Which one,
//! and what of its output is kept.

use super::lex::{Kind, pieces};
use crate::database::address::Address;
use crate::database::error::DatabaseError;
use crate::model::Seconds;
use std::path::PathBuf;
use tokio::process::Command;

/// A `pg_dump` that is new enough for a server.
#[derive(Clone, Debug)]
pub struct DumpProgram {
    path: PathBuf,
    major: u32,
    minor: u32,
    /// It waits no longer for a table that somebody changes; `None`: as long as it takes.
    patience: Option<Seconds>,
}

impl DumpProgram {
    /// That of PATH, which somebody chose; where it is older than the server, the oldest of those
    /// beside it that is not. `server` is the server's `server_version_num`.
    ///
    /// # Errors
    /// There is none; says what to install.
    pub async fn for_server(server: u32) -> Result<Self, String> {
        let wanted = server / 10_000;
        let mut found = Vec::new();
        for path in std::iter::once(PathBuf::from("pg_dump")).chain(beside()) {
            found.extend(Self::ask(path).await);
        }
        Self::choose(found, wanted)
    }

    fn choose(found: Vec<Self>, wanted: u32) -> Result<Self, String> {
        let newest = found.iter().map(|p| p.major).max();
        let fitting = match found.first() {
            Some(first) if first.major >= wanted => found.into_iter().next(),
            _ => found
                .into_iter()
                .filter(|p| p.major >= wanted)
                .min_by_key(|p| p.major),
        };
        let install = format!(
            "install the client programs of PostgreSQL {wanted} or newer (Debian: \
             postgresql-client-{wanted})"
        );
        fitting.ok_or_else(|| match newest {
            Some(newest) => format!(
                "the server is PostgreSQL {wanted} and pg_dump is {newest}: an older program \
                 cannot read a newer server; {install}"
            ),
            None => format!("pg_dump does not start; {install}"),
        })
    }

    async fn ask(path: PathBuf) -> Option<Self> {
        let output = Command::new(&path)
            .arg("--version")
            .kill_on_drop(true)
            .output()
            .await;
        let (major, minor) = version(&String::from_utf8_lossy(&output.ok()?.stdout))?;
        Some(Self {
            path,
            major,
            minor,
            patience: None,
        })
    }

    pub fn waiting(self, patience: Seconds) -> Self {
        let patience = Some(patience);
        Self { patience, ..self }
    }

    /// CVE-2025-8715: such a program writes a name with a line break into a comment as it is, and
    /// the rest of the name becomes a statement.
    pub fn obeys_names(&self) -> bool {
        match self.major {
            13 => self.minor < 22,
            14 => self.minor < 19,
            15 => self.minor < 14,
            16 => self.minor < 10,
            17 => self.minor < 6,
            major => major < 13,
        }
    }

    /// As the program says it: `15.18`.
    pub fn version(&self) -> String {
        format!("{}.{}", self.major, self.minor)
    }

    /// `pre-data` or `post-data` of a database, as SQL. Subscriptions are left out: their
    /// definition holds a password; tablespaces too: they belong to a server.
    ///
    /// # Errors
    /// The program failed; its message without values is in the error.
    pub async fn section(
        &self,
        address: &Address,
        section: &str,
        snapshot: &str,
    ) -> Result<String, DatabaseError> {
        let failed = |why: String| DatabaseError {
            operation: format!("pg_dump of {section}"),
            database: address.shown(),
            code: Some("pg_dump".into()),
            source: why.into(),
        };
        let mut command = Command::new(&self.path);
        command
            .arg(format!("--section={section}"))
            .arg(format!("--snapshot={snapshot}"))
            .arg(format!("--dbname={}", quoted(&address.database)))
            .args([
                "--no-subscriptions",
                "--no-tablespaces",
                "--no-blobs",
                "--exclude-schema=dr_restore",
                "--encoding=UTF8",
            ]);
        if let Some(patience) = self.patience {
            command.arg(format!("--lock-wait-timeout={}s", patience.0));
        }
        enter(&mut command, address);
        let output = command.output().await.map_err(|e| failed(e.to_string()))?;
        if !output.status.success() {
            let told = complaints(&String::from_utf8_lossy(&output.stderr));
            return Err(failed(format!("{}: {told}", output.status)));
        }
        let text = String::from_utf8(output.stdout)
            .map_err(|_| failed("it wrote text that is not UTF-8".into()))?;
        without_meta(&text).map_err(failed)
    }
}

fn enter(command: &mut Command, address: &Address) {
    let mode = if address.loopback() {
        "disable"
    } else {
        "verify-full"
    };
    // Messages in English: they are read below. The program itself sets most of what a session of
    // ours does, and not these, which change the text of a schema, or whose it is.
    command
        .env(
            "PGOPTIONS",
            "-c role=none -c timezone=UTC -c bytea_output=hex -c lc_monetary=C \
             -c quote_all_identifiers=off",
        )
        .env("LC_ALL", "C")
        .env("PGPASSWORD", &address.password.0)
        .env("PGSSLMODE", mode)
        .env("PGCONNECT_TIMEOUT", "20")
        .kill_on_drop(true);
    if let Some(file) = &address.ca_file {
        command.env("PGSSLROOTCERT", file);
    }
    command.args(["--host", &address.host, "--port", &address.port.to_string()]);
    command.args(["--username", &address.user, "--no-password"]);
}

/// A name alone would be read as a connection string where it looks like one.
fn quoted(database: &str) -> String {
    let escaped = database.replace('\\', "\\\\").replace('\'', "\\'");
    format!("dbname='{escaped}'")
}

/// Where Debian and Red Hat keep the programs of several versions.
fn beside() -> Vec<PathBuf> {
    let below = |folder: &str| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let debian = below("/usr/lib/postgresql").map(|e| e.path());
    let others = below("/usr")
        .map(|e| e.path())
        .filter(|p| p.to_string_lossy().starts_with("/usr/pgsql-"));
    debian
        .chain(others)
        .map(|p| p.join("bin/pg_dump"))
        .filter(|p| p.is_file())
        .collect()
}

/// `pg_dump (PostgreSQL) 15.18 (Debian …)`; `18beta1` is 18.0.
fn version(text: &str) -> Option<(u32, u32)> {
    let word = text
        .split_whitespace()
        .find(|w| w.starts_with(|c: char| c.is_ascii_digit()))?;
    let number = |t: &str| {
        let end = t.find(|c: char| !c.is_ascii_digit()).unwrap_or(t.len());
        t[..end].parse().ok()
    };
    let (major, minor) = word.split_once('.').unwrap_or((word, "0"));
    Some((number(major)?, number(minor).unwrap_or(0)))
}

/// Drops `\restrict` with its random token, so that the text can be sent to a server and hashes the
/// same each time; every other byte stays. Another of psql's commands where a statement would begin
/// is none of `pg_dump`'s.
fn without_meta(text: &str) -> Result<String, String> {
    let mut kept = String::with_capacity(text.len());
    for piece in pieces(text) {
        if piece.kind != Kind::Meta {
            kept.push_str(piece.text);
            continue;
        }
        let word = piece
            .statement()
            .split_whitespace()
            .next()
            .unwrap_or_default();
        if !matches!(word, "\\restrict" | "\\unrestrict") {
            return Err(
                "it wrote a command of psql that it has no reason to write: an object's name \
                 holds a line break, and this pg_dump does not guard against that; install its \
                 newest minor version"
                    .into(),
            );
        }
        kept.push_str(&piece.text[..piece.start]);
    }
    Ok(kept)
}

/// Beginnings of messages, of the program's own and of servers, that hold no value of a row.
const HARMLESS: [&str; 12] = [
    "aborting because of server version mismatch",
    "server version: ",
    "connection to server ",
    "could not connect to ",
    "could not open ",
    "could not translate host name ",
    "could not obtain lock on relation ",
    "permission denied for ",
    "must be owner of ",
    "canceling statement due to ",
    "terminating connection due to ",
    "out of shared memory",
];

/// What the program complained of. It repeats what the server says, without its SQLSTATE: told is
/// what begins like something harmless.
fn complaints(stderr: &str) -> String {
    let mut told = Vec::new();
    for line in stderr.lines() {
        let Some(text) = [": error: ", ": detail: "]
            .iter()
            .find_map(|mark| line.split_once(mark).map(|(_, text)| text))
        else {
            continue;
        };
        let said = ["ERROR:  ", "FATAL:  ", "PANIC:  "]
            .iter()
            .find_map(|mark| text.split_once(mark));
        let harmless = |text: &str| HARMLESS.iter().any(|h| text.starts_with(h));
        match said {
            Some((before, message)) if harmless(before) || harmless(message) => {
                told.push(format!("{before}{message}"));
            }
            None if harmless(text) => told.push(text.to_owned()),
            _ => {}
        }
    }
    if told.is_empty() {
        "its message may hold values and is not repeated; type the same pg_dump by hand to read \
         it, or look into the server's log"
            .into()
    } else {
        told.join("; ")
    }
}

#[cfg(test)]
mod tests;
