//! The schema as text, by `pg_dump`, and what a dump must know of its database beside it: what no
//! dump holds, which collations sort it, and whether its names can be trusted to a program.

use super::client::DumpProgram;
use super::connect::Postgres;
use super::large;
use super::secrets;
use crate::database::error::DatabaseError;
use crate::database::found::{LeftOut, SchemaError, SchemaPart};
use std::collections::BTreeMap;

/// Everything that has a name: the column that holds it, and the catalogue.
const NAMED: [(&str, &str); 23] = [
    ("nspname", "pg_namespace"),
    ("relname", "pg_class"),
    ("attname", "pg_attribute"),
    ("proname", "pg_proc"),
    ("typname", "pg_type"),
    ("conname", "pg_constraint"),
    ("tgname", "pg_trigger"),
    ("polname", "pg_policy"),
    ("rolname", "pg_roles"),
    ("extname", "pg_extension"),
    ("evtname", "pg_event_trigger"),
    ("pubname", "pg_publication"),
    ("srvname", "pg_foreign_server"),
    ("fdwname", "pg_foreign_data_wrapper"),
    ("collname", "pg_collation"),
    ("stxname", "pg_statistic_ext"),
    ("oprname", "pg_operator"),
    ("opcname", "pg_opclass"),
    ("opfname", "pg_opfamily"),
    ("cfgname", "pg_ts_config"),
    ("dictname", "pg_ts_dict"),
    ("lanname", "pg_language"),
    ("rulename", "pg_rewrite"),
];

/// User mappings with other options than `secrets::SHOWN`, or whose options are not shown to this
/// user.
const MAPPINGS: &str = "SELECT count(*) FROM pg_user_mappings m WHERE m.umoptions IS NULL OR \
     EXISTS (SELECT 1 FROM unnest(m.umoptions) AS o WHERE lower(split_part(o, '=', 1)) NOT IN \
     ('user', 'username'))";

const CONFIGURATION: &str = "SELECT count(*) FROM pg_class c JOIN pg_extension e ON c.oid = ANY \
     (e.extconfig) WHERE c.relkind = 'r' AND NOT (has_schema_privilege(c.relnamespace, \
     'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND NOT \
     row_security_active(c.oid))";

/// Servers before 15 keep no version of what sorts a database.
fn collations(version: u32) -> String {
    let kept = match version {
        150_000.. => "coalesce(datcollversion, '')",
        _ => "''",
    };
    format!("SELECT datcollate, {kept} FROM pg_database WHERE datname = current_database()")
}

/// `major`: 16.
///
/// # Errors
/// `NoReader`: no `pg_dump` here can read such a server.
pub(super) async fn readable(major: u32) -> Result<(), SchemaError> {
    let found = DumpProgram::for_server(major.saturating_mul(10_000)).await;
    found.map(drop).map_err(SchemaError::NoReader)
}

impl Postgres {
    /// # Errors
    /// `NoReader`; the server's.
    pub(super) async fn schema_reader(&self) -> Result<DumpProgram, SchemaError> {
        let version = self.version_num().await?;
        let found = DumpProgram::for_server(version).await;
        found.map_err(SchemaError::NoReader)
    }

    /// A `pg_dump` that writes a line break of a name as it is turns the rest of that name into a
    /// statement; with such a name in the database its output is not to be trusted.
    ///
    /// # Errors
    /// `NoReader`: there is such a name; the server's.
    pub(super) async fn reads_safely(&self, program: &DumpProgram) -> Result<(), SchemaError> {
        if !program.obeys_names() {
            return Ok(());
        }
        let lists = NAMED.map(|(name, list)| format!("SELECT {name}::text AS n FROM {list}"));
        let sql = format!(
            "SELECT count(*) FROM ({}) x WHERE n ~ E'[\\n\\r]'",
            lists.join(" UNION ALL ")
        );
        let count = self.value(&sql).await?.unwrap_or_default();
        if count == "0" {
            return Ok(());
        }
        Err(SchemaError::NoReader(format!(
            "{count} names in the database hold a line break, and pg_dump {} writes such a name so \
             that its second line is run as a statement (CVE-2025-8715); install the newest minor \
             version of the client programs",
            program.version()
        )))
    }

    /// # Errors
    /// The program failed.
    pub(super) async fn schema(
        &self,
        program: &DumpProgram,
        part: SchemaPart,
        snapshot: &str,
    ) -> Result<String, DatabaseError> {
        let text = program.section(&self.address, part.section(), snapshot);
        Ok(secrets::without(&text.await?))
    }

    /// # Errors
    /// The server's.
    pub(super) async fn count(&self, what: LeftOut) -> Result<u64, DatabaseError> {
        let sql = match what {
            LeftOut::LargeObjects => large::UNREADABLE,
            LeftOut::Configuration => CONFIGURATION,
            LeftOut::Tablespaces => "SELECT count(*) FROM pg_tablespace WHERE spcname !~ '^pg_'",
            LeftOut::Subscriptions => "SELECT count(subname) FROM pg_subscription",
            LeftOut::MappingOptions => MAPPINGS,
        };
        self.number(sql).await
    }

    /// # Errors
    /// The server's.
    pub(super) async fn collations(&self) -> Result<BTreeMap<String, String>, DatabaseError> {
        let rows = self.rows(&collations(self.version_num().await?)).await?;
        Ok(rows
            .into_iter()
            .filter_map(|r| Some((r.first()?.clone()?, r.get(1)?.clone()?)))
            .collect())
    }
}
