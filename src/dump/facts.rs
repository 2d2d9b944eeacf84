//! What a dump leaves out.

use super::DumpError;
use crate::database::{Database, LeftOut};
use std::collections::BTreeMap;

const REASONS: [(LeftOut, &str, &str); 10] = [
    (
        LeftOut::LargeObjects,
        "large objects",
        "the user of the dump may not read them; make it a member of their owners",
    ),
    (
        LeftOut::Configuration,
        "rows of extensions' tables",
        "the user of the dump may not read them as they are; GRANT SELECT on them, and see that no \
         row-level security hides some",
    ),
    (
        LeftOut::Tablespaces,
        "tablespaces",
        "their directories belong to a server; what lies in one is restored into the default",
    ),
    (
        LeftOut::Subscriptions,
        "subscriptions",
        "their definition holds a password",
    ),
    (
        LeftOut::MappingOptions,
        "options of user mappings",
        "all but the user's name may be secrets; set them again by ALTER USER MAPPING",
    ),
    (
        LeftOut::InvalidIndexes,
        "invalid indexes",
        "no query is served by what was not built to its end; REINDEX builds it again",
    ),
    (
        LeftOut::ColumnOrder,
        "order of columns of tables that inherit",
        "a table is made with those of its parents first",
    ),
    (
        LeftOut::ExtensionOwners,
        "owners of extensions",
        "an extension belongs to whoever makes it",
    ),
    (
        LeftOut::PartsByEnum,
        "parts of tables divided by hashes of enumerations",
        "such hashes are a database's own: rows may lie in other parts of their table",
    ),
    (
        LeftOut::Unlogged,
        "rows of unlogged tables that are empty",
        "no snapshot and no crash leaves them any",
    ),
];

/// Counted, with the reason.
pub(super) async fn excluded(main: &impl Database) -> Result<BTreeMap<String, String>, DumpError> {
    let mut excluded = BTreeMap::new();
    for (left_out, what, why) in REASONS {
        let count = main.count(left_out).await?;
        if count > 0 {
            excluded.insert(what.to_owned(), format!("{count}: {why}"));
        }
    }
    Ok(excluded)
}
