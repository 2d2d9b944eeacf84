//! The newest heartbeat of a restored database, and its age.

use crate::database::Database;
use crate::manifest::{Check, HeartbeatColumn};
use crate::model::Seconds;
use crate::plan::Beat;
use crate::proof::{self, Scope};
use crate::report::Fail;
use jiff::Timestamp;

/// The newest heartbeat, where there is a table of them; or why it cannot be read.
pub(super) async fn heartbeat(
    connection: &impl Database,
    column: Option<&HeartbeatColumn>,
) -> Result<Result<Beat, String>, Fail> {
    let Some(column) = column else {
        return Ok(Ok(Beat::default()));
    };
    match connection.heartbeat(column).await {
        Ok(beat) => Ok(Ok(beat)),
        Err(e) if e.transient() => Err(e.into()),
        Err(e) => Ok(Err(e.source.to_string())),
    }
}

/// Its age, as a check.
pub(super) fn beat_checked(
    scope: &Scope<'_>,
    beat: &Result<Beat, String>,
    at: Timestamp,
    max_age: Seconds,
) -> Check {
    let newest = beat.as_ref().map(|b| b.at).map_err(String::as_str);
    proof::heartbeat(scope, newest, at, max_age.0)
}
