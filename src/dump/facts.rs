//! What a dump must know of its database beside the rows: what it leaves out, which collations
//! sort it, and whether its names can be trusted to a program.

use super::DumpError;
use crate::database::{Connection, DumpProgram};
use std::collections::BTreeMap;

/// A `pg_dump` that writes a line break of a name as it is turns the rest of that name into a
/// statement; with such a name in the database its output is not to be trusted.
pub(super) async fn names_without_breaks(
    main: &Connection,
    program: &DumpProgram,
) -> Result<(), DumpError> {
    let lists = [
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
    let lists = lists.map(|(name, list)| format!("SELECT {name}::text AS n FROM {list}"));
    let sql = format!(
        "SELECT count(*) FROM ({}) x WHERE n ~ E'[\\n\\r]'",
        lists.join(" UNION ALL ")
    );
    let count = main.value(&sql).await?.unwrap_or_default();
    if count == "0" {
        return Ok(());
    }
    Err(DumpError::Client(format!(
        "{count} names in the database hold a line break, and pg_dump {} writes such a name so \
         that its second line is run as a statement (CVE-2025-8715); install the newest minor \
         version of the client programs",
        program.version()
    )))
}

/// What a dump leaves out, counted, with the reason.
pub(super) async fn excluded(main: &Connection) -> Result<BTreeMap<String, String>, DumpError> {
    let checks = [
        (
            "large objects",
            "SELECT count(*) FROM pg_largeobject_metadata",
            "large objects are not part of a dump; keep such data in bytea columns or \
             files",
        ),
        (
            "tablespaces",
            "SELECT count(*) FROM pg_tablespace WHERE spcname !~ '^pg_'",
            "their directories belong to a server; what lies in one is restored into the default",
        ),
        (
            "subscriptions",
            "SELECT count(subname) FROM pg_subscription",
            "their definition holds a password",
        ),
    ];
    let mut excluded = BTreeMap::new();
    for (what, sql, why) in checks {
        let count = main.value(sql).await?.unwrap_or_default();
        if count != "0" {
            excluded.insert(what.to_owned(), format!("{count}: {why}"));
        }
    }
    Ok(excluded)
}

/// Versions of the collations in use: an index built under another version of the same name can be
/// wrong.
pub(super) async fn collations(main: &Connection) -> Result<BTreeMap<String, String>, DumpError> {
    let sql = "SELECT datcollate, coalesce(datcollversion, '') FROM pg_database WHERE datname = \
     current_database()";
    let rows = main.rows(sql).await?;
    Ok(rows
        .into_iter()
        .filter_map(|r| Some((r.first()?.clone()?, r.get(1)?.clone()?)))
        .collect())
}
