//! A server as a whole: its databases, and those that a drill makes there.

use super::connect::Postgres;
use super::facts::made_like;
use super::platform;
use super::session::pairs;
use crate::database::error::DatabaseError;
use crate::database::found::Dropped;
use crate::database::quote::{ident, literal};
use crate::manifest::DatabaseFacts;
use jiff::Timestamp;

const NOW: &str = "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";
const DATABASES: &str = "SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE NOT \
     datistemplate ORDER BY datname";

const COMMENTS: &str = "SELECT b.datname, d.description FROM pg_shdescription d \
     JOIN pg_database b ON b.oid = d.objoid WHERE d.classoid = 'pg_database'::regclass";

impl Postgres {
    /// By the server's clock.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn now(&self) -> Result<Option<Timestamp>, DatabaseError> {
        Ok(self.value(NOW).await?.and_then(|t| t.parse().ok()))
    }

    /// Names of all databases but templates and the platform's own, whether they can be entered or
    /// not.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn databases(&self) -> Result<Vec<String>, DatabaseError> {
        let all = pairs(self.rows(DATABASES).await?);
        let users = all.filter(|(name, owner)| !platform::database(name, owner));
        Ok(users.map(|(name, _)| name).collect())
    }

    /// # Errors
    /// The server's.
    pub(super) async fn server_version(&self) -> Result<String, DatabaseError> {
        Ok(self.value("SHOW server_version").await?.unwrap_or_default())
    }

    /// A database with a comment that says whose it is; one that is there and says so, or says
    /// nothing under a name that nobody else would choose, is taken. What is loaded into it may
    /// say more.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn make_database(
        &self,
        name: &str,
        comment: &str,
        like: Option<&DatabaseFacts>,
    ) -> Result<bool, DatabaseError> {
        match self.comment_of(name).await? {
            None => {
                self.create_database(name, like).await?;
            }
            Some(None) => {}
            Some(Some(found)) => return Ok(found.contains(comment)),
        }
        let say = format!(
            "COMMENT ON DATABASE {} IS {}",
            ident(name),
            literal(comment)
        );
        self.execute(&say).await?;
        Ok(true)
    }

    async fn create_database(
        &self,
        name: &str,
        like: Option<&DatabaseFacts>,
    ) -> Result<(), DatabaseError> {
        // template0: an empty database, whatever was put into template1. A crash right after it
        // leaves one without a comment, under a name that is this run's alone.
        let create = format!("CREATE DATABASE {} TEMPLATE template0", ident(name));
        let same = like.map(|facts| format!("{create}{}", made_like(facts)));
        if let Some(same) = same {
            match self.execute(&same).await {
                Err(e) if e.transient() => return Err(e),
                // A locale that this server does not have: what differs then is told by the load.
                Err(_) => {}
                Ok(()) => return Ok(()),
            }
        }
        self.execute(&create).await
    }

    /// Only one whose comment says whose it is, or that has none, as a crash right after its making
    /// leaves it: the name is a run's alone.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn drop_database(
        &self,
        name: &str,
        comment: &str,
    ) -> Result<Dropped, DatabaseError> {
        match self.comment_of(name).await? {
            None => Ok(Dropped::NotThere),
            Some(found) if found.as_ref().is_none_or(|f| f.contains(comment)) => {
                // What a load joined is known in the database alone.
                let within = self.address.with_database(name);
                match Self::open(&within, self.patience).await {
                    Ok(there) => there.leave_roles().await?,
                    Err(e) if e.transient() => return Err(e),
                    // Nobody enters it any more, and nothing was loaded by this user.
                    Err(_) => {}
                }
                let drop = format!("DROP DATABASE {} WITH (FORCE)", ident(name));
                self.execute(&drop).await?;
                Ok(Dropped::Done)
            }
            Some(found) => Ok(Dropped::NotOurs(found)),
        }
    }

    /// Databases that say something of themselves, each with what it says.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn databases_commented(&self) -> Result<Vec<(String, String)>, DatabaseError> {
        Ok(pairs(self.rows(COMMENTS).await?).collect())
    }

    /// `None`: there is no such database.
    async fn comment_of(&self, name: &str) -> Result<Option<Option<String>>, DatabaseError> {
        let sql = format!(
            "SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_database \
             WHERE datname = {}",
            literal(name)
        );
        let rows = self.rows(&sql).await?;
        Ok(rows
            .into_iter()
            .next()
            .map(|r| r.into_iter().next().flatten()))
    }
}
