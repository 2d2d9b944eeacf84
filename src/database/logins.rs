//! Who enters which server, by the runner's own policy: a stored plan names no password, and one
//! that names another server or user than the policy does is not obeyed.

use super::{Address, Secret};
use crate::model::{Name, SourceId};
use crate::plan::ServerPlace;
use crate::policy::{Policy, Reader, Source};
use crate::report::{Code, Fail};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
struct Login {
    host: Name,
    port: u16,
    user: Name,
    password_file: String,
    ca_file: Option<String>,
}

/// Logins of sources, and of the scratch server.
#[derive(Clone, Debug, Default)]
pub struct Logins {
    sources: BTreeMap<SourceId, Login>,
    scratch: Option<Login>,
    clusters: BTreeMap<SourceId, (Reader, Option<String>)>,
}

impl Logins {
    pub fn of(policy: &Policy) -> Self {
        let ca_file = &policy.credentials.postgres_ca_file;
        let sources = policy.sources.iter().filter_map(|source| match source {
            Source::Postgres(server) => {
                let reader = server.reader.as_ref()?;
                let login = Login {
                    host: server.host.clone(),
                    port: server.port,
                    user: reader.user.clone(),
                    password_file: reader.password_file.clone(),
                    ca_file: reader.ca_file.clone().or(ca_file.clone()),
                };
                Some((server.id.clone(), login))
            }
            Source::Aurora(_) | Source::Bucket(_) => None,
        });
        let clusters = policy.clusters().filter_map(|cluster| {
            let reader = cluster.reader.clone()?;
            Some((cluster.id.clone(), (reader, ca_file.clone())))
        });
        let scratch = policy
            .drill
            .as_ref()
            .and_then(|d| d.scratch_server.as_ref());
        Self {
            clusters: clusters.collect(),
            sources: sources.collect(),
            scratch: scratch.map(|server| Login {
                host: server.host.clone(),
                port: server.port,
                user: server.user.clone(),
                password_file: server.password_file.clone(),
                ca_file: server.ca_file.clone().or(ca_file.clone()),
            }),
        }
    }

    /// # Errors
    /// 13: the policy names another server, or none; 2: its password cannot be read.
    pub fn source(&self, id: &SourceId, place: &ServerPlace) -> Result<Address, Fail> {
        enter(self.sources.get(id), &format!("source {id}"), place)
    }

    /// Into a running cluster, where its service says that it is.
    ///
    /// # Errors
    /// As [`Logins::source`].
    pub fn cluster(
        &self,
        id: &SourceId,
        user: &Name,
        (host, port): (String, u16),
    ) -> Result<Address, Fail> {
        let place = ServerPlace {
            host: Name::new(host),
            port,
            user: user.clone(),
        };
        let login = self.clusters.get(id).map(|(reader, ca_file)| Login {
            host: place.host.clone(),
            port,
            user: reader.user.clone(),
            password_file: reader.password_file.clone(),
            ca_file: reader.ca_file.clone().or(ca_file.clone()),
        });
        enter(login.as_ref(), &format!("source {id}"), &place)
    }

    /// # Errors
    /// As [`Logins::source`].
    pub fn scratch(&self, place: &ServerPlace) -> Result<Address, Fail> {
        enter(self.scratch.as_ref(), "drill.scratch_server", place)
    }
}

fn enter(login: Option<&Login>, what: &str, place: &ServerPlace) -> Result<Address, Fail> {
    let named = |l: &&Login| (&l.host, l.port, &l.user) == (&place.host, place.port, &place.user);
    let login = login.filter(named).ok_or_else(|| {
        Fail::new(
            Code::PlanNotOurs,
            format!("the plan enters {place}, and the policy's {what} is not that server"),
        )
    })?;
    let password = std::fs::read_to_string(&login.password_file).map_err(|e| {
        let file = &login.password_file;
        let message = format!("the password of {what} cannot be read from {file}: {e}");
        Fail::new(Code::PasswordUnreadable, message).at(file)
    })?;
    Ok(Address {
        host: login.host.to_string(),
        port: login.port,
        // Every server has it; what is read is asked for by name.
        database: "postgres".into(),
        user: login.user.to_string(),
        password: Secret(password.trim_end_matches(['\r', '\n']).to_owned()),
        ca_file: login.ca_file.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_enters_another_server_than_the_policys_is_refused() {
        let login = Login {
            host: Name::new("db.example.com"),
            port: 5432,
            user: Name::new("reader"),
            password_file: "no-such-file".into(),
            ca_file: None,
        };
        let logins = Logins {
            clusters: BTreeMap::new(),
            sources: [(SourceId::new("ledger"), login)].into(),
            scratch: None,
        };
        let place = |host: &str, port, user: &str| ServerPlace {
            host: Name::new(host),
            port,
            user: Name::new(user),
        };
        let ledger = SourceId::new("ledger");
        let code = |id: &SourceId, place: ServerPlace| logins.source(id, &place).unwrap_err().code;
        let right = || place("db.example.com", 5432, "reader");
        assert_eq!(code(&ledger, right()), Code::PasswordUnreadable);
        for other in [
            place("thief.example.com", 5432, "reader"),
            place("db.example.com", 5433, "reader"),
            place("db.example.com", 5432, "postgres"),
        ] {
            assert_eq!(code(&ledger, other), Code::PlanNotOurs);
        }
        assert_eq!(code(&SourceId::new("other"), right()), Code::PlanNotOurs);
        assert_eq!(
            logins.scratch(&right()).unwrap_err().code,
            Code::PlanNotOurs
        );
    }
}
