//! When runs are due, and what of those that were missed.

use crate::model::Seconds;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// A crontab line: five fields, or six with seconds first; or `@hourly`, `@daily`, `@weekly`,
    /// `@monthly`.
    pub cron: String,
    /// IANA name; daylight saving follows cronie's rule.
    #[serde(default = "default_zone")]
    pub time_zone: String,
    #[serde(default)]
    pub missed: Missed,
    /// A run that is not finished this long after it was opened is abandoned.
    #[serde(default = "default_deadline")]
    pub deadline: Seconds,
}

fn default_zone() -> String {
    "UTC".into()
}
fn default_deadline() -> Seconds {
    Seconds::hours(12)
}

/// What to do about slots that no runner was there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missed {
    /// Catch up the latest only.
    #[default]
    Latest,
    /// Catch up every one, oldest first (at most 100).
    All,
}
