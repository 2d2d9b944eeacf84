//! What a dump leaves out.

use super::DumpError;
use crate::database::{Database, LeftOut};
use std::collections::BTreeMap;

const REASONS: [(LeftOut, &str, &str); 4] = [
    (
        LeftOut::LargeObjects,
        "large objects",
        "large objects are not part of a dump; keep such data in bytea columns or files",
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
