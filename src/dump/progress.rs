//! A load, and what of it is committed already.

use super::DumpError;
use crate::database::{Address, Connection, literal};
use crate::manifest::Dump;
use crate::model::Seconds;
use crate::vault::Vault;

pub struct LoadInput<'a> {
    pub address: &'a Address,
    pub vault: &'a Vault,
    pub dump: &'a Dump,
    /// Names this load; a database that another load began is not touched.
    pub mark: &'a str,
    pub streams: u32,
    pub timeout: Seconds,
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
}

/// Whether the transaction that loaded this was committed.
pub(super) async fn done(connection: &Connection, item: &str) -> Result<bool, DumpError> {
    Ok(connection
        .value(&format!(
            "SELECT 1 FROM dr_restore.progress WHERE item = {}",
            literal(item)
        ))
        .await?
        .is_some())
}
