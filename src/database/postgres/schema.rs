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
const MAPPINGS: &str = "SELECT count(*) FROM pg_user_mappings m WHERE (m.umoptions IS NULL \
     AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)) OR \
     EXISTS (SELECT 1 FROM unnest(m.umoptions) AS o WHERE lower(split_part(o, '=', 1)) NOT IN \
     ('user', 'username'))";

const CONFIGURATION: &str = "SELECT count(*) FROM pg_class c JOIN pg_extension e ON c.oid = ANY \
     (e.extconfig) WHERE c.relkind = 'r' AND NOT (has_schema_privilege(c.relnamespace, \
     'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND NOT \
     row_security_active(c.oid))";

/// As `pg_dump` leaves them out; those of divided tables are its own way to say that a part has
/// none.
const INVALID: &str = "SELECT count(*) FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN \
     pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname !~ '^pg_' AND t.relkind <> 'p' AND \
     NOT (i.indisvalid AND i.indisready)";

/// Tables with a column that is no parent's before one that is, or with two parents' columns in
/// another order than theirs; and those below them.
const REORDERED: &str = "WITH RECURSIVE placed (relid, attnum, at) AS (SELECT a.attrelid, \
     a.attnum, coalesce((SELECT min(h.inhseqno * 10000 + p.attnum) FROM pg_inherits h JOIN \
     pg_attribute p ON p.attrelid = h.inhparent WHERE h.inhrelid = a.attrelid AND p.attname = \
     a.attname AND NOT p.attisdropped AND p.attnum > 0), 2147483647) FROM pg_attribute a JOIN \
     pg_class c ON c.oid = a.attrelid WHERE c.relkind IN ('r', 'f') AND NOT c.relispartition AND \
     a.attnum > 0 AND NOT a.attisdropped AND EXISTS (SELECT 1 FROM pg_inherits h WHERE h.inhrelid \
     = c.oid)), other (relid) AS (SELECT x.relid FROM (SELECT relid, at, max(at) OVER (PARTITION \
     BY relid ORDER BY attnum) AS before FROM placed) x WHERE x.at < x.before UNION SELECT \
     h.inhrelid FROM other o JOIN pg_inherits h ON h.inhparent = o.relid) SELECT count(*) FROM \
     other";

/// Who owns one that is no superuser of the server itself, of the platform, or the database's
/// owner.
const OWNERS: &str = "SELECT count(*) FROM pg_extension e JOIN pg_roles o ON o.oid = e.extowner \
     JOIN pg_database d ON d.datname = current_database() WHERE o.oid NOT IN (10, d.datdba) AND \
     o.rolname !~ '^(pg_|rds)'";

const BY_ENUM: &str = "SELECT count(*) FROM pg_partitioned_table p WHERE p.partstrat = 'h' AND \
     EXISTS (SELECT 1 FROM pg_opclass o WHERE o.oid = ANY (p.partclass) AND o.opcname = \
     'enum_ops')";

const UNLOGGED: &str = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relpersistence = 'u' \
     AND pg_relation_size(oid) = 0";

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
            LeftOut::InvalidIndexes => INVALID,
            LeftOut::ColumnOrder => REORDERED,
            LeftOut::ExtensionOwners => OWNERS,
            LeftOut::PartsByEnum => BY_ENUM,
            LeftOut::Unlogged => UNLOGGED,
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
