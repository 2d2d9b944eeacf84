//! The look at what was restored, which ends the RTO.

use super::input::RestoreInput;
use crate::manifest::HeartbeatColumn;
use crate::model::Name;
use crate::plan::{CheckRestored, Restored};

pub(super) fn check(
    input: &RestoreInput<'_>,
    restored: Restored,
    databases: Vec<Name>,
    heartbeat: Option<HeartbeatColumn>,
) -> CheckRestored {
    CheckRestored {
        source: input.captured.source.clone(),
        restored,
        databases,
        heartbeat,
        streams: input.streams,
        against: input.against.clone(),
    }
}
