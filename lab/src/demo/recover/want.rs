//! The four restores: which vault, whose key, where to; and the two commands of each.

use super::super::terminal::{Answer, Terminal, Variable, empty_dir, shown};
use crate::accounts::{OTHER_REGION, Provider, Role, SECOND_REGION, random_text};
use crate::listen::free_port;
use crate::rds::engine::{At, Initial};
use crate::up::{LabError, Up, write_private};
use jiff::Timestamp;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The user, and the database, of production.
const USER: &str = "master";
const DATABASE: &str = "shop";
/// Where files are recovered to, in both places.
const FILES: &str = "recovered-files";
const CLUSTER: &str = "shop-restored";

/// Where a restore goes, and how the judge gets in.
pub enum Destination {
    Cluster {
        user: &'static str,
        password: String,
        database: &'static str,
    },
    Database {
        url: String,
    },
    Bucket {
        region: String,
        name: String,
    },
}

pub struct Want {
    pub method: &'static str,
    pub target: &'static str,
    pub into: Destination,
    terminal: Terminal,
    arguments: Vec<String>,
    /// Commands as they were typed.
    typed: Mutex<Vec<String>>,
}

/// A vault and what reaches it.
struct Vault<'a> {
    up: &'a Up,
    dr: &'a Path,
    root: &'a Path,
    region: &'static str,
    bucket: &'static str,
    target: &'static str,
    killed_at: Timestamp,
}

/// # Errors
/// The disk's, or no PostgreSQL comes up at the other provider.
pub async fn all(
    up: &Up,
    dr: &Path,
    root: &Path,
    killed_at: Timestamp,
) -> Result<Vec<Want>, LabError> {
    let central = Vault {
        up,
        dr,
        root,
        region: SECOND_REGION,
        bucket: "dr-vault-central",
        target: "central",
        killed_at,
    };
    let other = Vault {
        up,
        dr,
        root,
        region: OTHER_REGION,
        bucket: "dr-vault-other",
        target: "other",
        killed_at,
    };
    let password = random_text(24);
    let password_file = empty_dir(&root.join("operator"))?.join("master-password");
    write_private(&password_file, password.as_bytes())?;
    let file = password_file.display().to_string();
    let snapshot = ["--cluster", CLUSTER, "--master-password-file", &file];
    let url = empty_database(up).await?;
    let bucket = |region: &str| Destination::Bucket {
        region: region.into(),
        name: FILES.into(),
    };
    Ok(vec![
        central.want(
            "snapshot",
            &snapshot,
            Destination::Cluster {
                user: USER,
                password,
                database: DATABASE,
            },
        )?,
        central.want("files", &["--to-bucket", FILES], bucket(SECOND_REGION))?,
        other.want("dump", &[], Destination::Database { url })?,
        other.want("files", &["--to-bucket", FILES], bucket(OTHER_REGION))?,
    ])
}

/// Any empty PostgreSQL will do: here one at the other provider, where there is no RDS.
async fn empty_database(up: &Up) -> Result<String, LabError> {
    let port = free_port().map_err(|e| LabError::told(format!("no free port: {e}")))?;
    let password = random_text(24);
    let (engine, at) = (&up.lab.shop.rds.engine, At::new(OTHER_REGION, "empty"));
    engine
        .create(
            &at,
            port,
            Initial {
                user: "owner".into(),
                password: password.clone(),
                database: Some(DATABASE.into()),
            },
        )
        .await?;
    engine.start(&at, port).await?;
    Ok(format!(
        "postgres://owner:{password}@127.0.0.1:{port}/{DATABASE}"
    ))
}

impl Vault<'_> {
    fn want(
        &self,
        method: &'static str,
        more: &[&str],
        into: Destination,
    ) -> Result<Want, LabError> {
        let folder = self.root.join(format!("{method}-{}", self.target));
        let (home, dir) = (
            empty_dir(&folder.join("home"))?,
            empty_dir(&folder.join("work"))?,
        );
        let terminal = Terminal {
            dr: self.dr.to_owned(),
            dir,
            variables: self.variables(&home, &into)?,
        };
        let mut arguments: Vec<String> = [
            "restore",
            "--from",
            &format!("s3://{}", self.bucket),
            "--region",
            self.region,
        ]
        .map(str::to_owned)
        .into();
        let endpoints = self.up.lab.endpoints();
        for (service, url) in endpoints
            .get(self.region)
            .into_iter()
            .flatten()
            .filter(|(s, _)| **s != "kms")
        {
            arguments.extend(["--endpoint".to_owned(), format!("{service}={url}")]);
        }
        arguments.extend(
            ["--method", method]
                .iter()
                .chain(more)
                .map(|a| (*a).to_owned()),
        );
        arguments.extend([
            "--incident-at".to_owned(),
            self.killed_at.to_string(),
            "--json".to_owned(),
        ]);
        Ok(Want {
            method,
            target: self.target,
            into,
            terminal,
            arguments,
            typed: Mutex::default(),
        })
    }

    /// The restorer's key, and where a dump goes.
    fn variables(&self, home: &Path, into: &Destination) -> Result<Vec<Variable>, LabError> {
        let key = self
            .up
            .lab
            .keys
            .fixed
            .key(Provider::of_region(self.region), Role::Restorer)
            .ok_or_else(|| LabError::told("the restorer has no key"))?;
        let variable = |name, value: &str, secret| Variable {
            name,
            value: value.to_owned(),
            secret,
        };
        let mut variables = vec![
            variable("HOME", &home.display().to_string(), false),
            variable("AWS_ACCESS_KEY_ID", &key.access_key_id, false),
            variable("AWS_SECRET_ACCESS_KEY", &key.secret_access_key, true),
        ];
        if let Destination::Database { url } = into {
            variables.push(variable("DR_RESTORE_INTO", url, true));
        }
        Ok(variables)
    }
}

impl Want {
    fn type_in(&self, arguments: &[&str]) {
        self.typed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(shown(arguments));
    }

    /// Everything that was typed into its terminal.
    pub fn typed(&self) -> Vec<String> {
        let commands = self
            .typed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        self.terminal
            .entered()
            .into_iter()
            .chain(commands)
            .collect()
    }

    /// First the plan, which changes nothing; then the same command with the plan's hash.
    ///
    /// # Errors
    /// What went wrong, as the commands told it.
    pub async fn execute(&self) -> Result<Answer, LabError> {
        let mut arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        self.type_in(&arguments);
        let plan = self.terminal.run(&arguments).await?;
        let hash = plan.json["plan"]["hash"].as_str();
        let (Some(hash), 2, Some(false)) = (hash, plan.exit, plan.json["executed"].as_bool())
        else {
            return Err(LabError::told(format!(
                "a restore that nobody confirmed ends with {} and answers {}",
                plan.exit, plan.json
            )));
        };
        arguments.extend(["--yes", "--plan", hash]);
        self.type_in(&arguments);
        let done = self.terminal.succeed(&arguments).await?;
        if done.json["executed"] == true {
            Ok(done)
        } else {
            Err(LabError::told(format!(
                "the restore was not executed: {}",
                done.json
            )))
        }
    }
}
