//! Finding PostgreSQL's programs.

use super::error::PgError;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A directory of programs of one version.
#[derive(Clone, Debug)]
pub struct Programs {
    bin: PathBuf,
    /// As the server says it: `15.18`.
    pub version: String,
}

impl Programs {
    /// First what `PATH` holds, then the newest under `/usr/lib/postgresql` (where Debian keeps
    /// servers, outside of `PATH`).
    ///
    /// # Errors
    /// None installed.
    pub fn find() -> Result<Self, PgError> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let in_path = std::env::split_paths(&path).collect::<Vec<_>>();
        let bin = in_path
            .into_iter()
            .chain(debian())
            .find(|d| d.join("postgres").is_file() && d.join("initdb").is_file());
        let bin = bin.ok_or_else(|| {
            PgError::told(
                "no PostgreSQL server found in PATH or \
         /usr/lib/postgresql; type: apt-get install postgresql",
            )
        })?;
        let version = version(&bin)?;
        Ok(Self { bin, version })
    }

    /// Those of one directory, where one is named.
    ///
    /// # Errors
    /// They are not there.
    pub fn of(bin: Option<&Path>) -> Result<Self, PgError> {
        bin.map_or_else(Self::find, Self::at)
    }

    fn at(bin: &Path) -> Result<Self, PgError> {
        let found = |name: &&str| bin.join(name).is_file();
        if let Some(missing) = ["postgres", "initdb"].into_iter().find(|name| !found(name)) {
            return Err(PgError::told(format!(
                "{} has no {missing}; name the directory that holds PostgreSQL's programs",
                bin.display()
            )));
        }
        // Of a relative one nothing is left once a server changes its directory.
        let bin = std::path::absolute(bin)
            .map_err(PgError::file(format!("resolving {}", bin.display())))?;
        let version = version(&bin)?;
        Ok(Self { bin, version })
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// `15` of `15.18`.
    pub fn major(&self) -> &str {
        self.version.split('.').next().unwrap_or(&self.version)
    }
}

fn debian() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/usr/lib/postgresql") else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|e| {
            let path = e.ok()?.path();
            Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin")))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, p)| p).collect()
}

fn version(bin: &Path) -> Result<String, PgError> {
    let output = Command::new(bin.join("postgres")).arg("--version").output();
    let output = output.map_err(PgError::file("postgres --version"))?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| PgError::told("postgres --version gave no version"))
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`
fn parse_version(text: &str) -> Option<String> {
    text.split_whitespace()
        .find(|w| w.starts_with(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_first_number() {
        assert_eq!(
            parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n").as_deref(),
            Some("15.18")
        );
        assert_eq!(parse_version("postgres"), None);
    }
}
