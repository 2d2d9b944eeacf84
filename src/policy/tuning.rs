//! How hard and how long this program tries: numbers with defaults that fit a real region.

use crate::model::Seconds;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Concurrency {
    /// Objects in flight at once.
    pub objects: u32,
    /// COPY streams at once.
    pub streams: u32,
    /// Size of a multipart part and of what one COPY chunk buffers, in bytes. At least 5 MiB (S3's
    /// minimum).
    pub part_size_bytes: u64,
    /// Pages of 8 KiB of a table in one chunk of a dump.
    pub chunk_pages: u32,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self {
            objects: 8,
            streams: 2,
            part_size_bytes: 8 << 20,
            chunk_pages: 16_384,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Runner {
    /// While a step lasts its holder says so this often.
    pub alive_every: Seconds,
    /// A run whose newest entry is older than this may be taken over.
    pub takeover_after: Seconds,
    pub margin: Seconds,
}

impl Default for Runner {
    fn default() -> Self {
        Self {
            alive_every: Seconds(60),
            takeover_after: Seconds(180),
            margin: Seconds(30),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    pub connect: Seconds,
    /// Total of one call, its retries by the SDK included.
    pub call: Seconds,
    /// How often a long operation is looked at.
    pub poll_every: Seconds,
    /// So long a step waits for a snapshot before the other branches of its run get their turn.
    pub patience: Seconds,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Seconds(3),
            call: Seconds(60),
            poll_every: Seconds(15),
            patience: Seconds::minutes(10),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Attempts of the SDK for one request.
    pub requests: u32,
    /// Attempts of a step in one `tick`; the next tick tries again until the deadline.
    pub steps: u32,
    pub backoff: Seconds,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            requests: 4,
            steps: 3,
            backoff: Seconds(2),
        }
    }
}

/// How long the lock probe's test objects are locked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Probe {
    pub control: Seconds,
    pub lock: Seconds,
}

impl Default for Probe {
    fn default() -> Self {
        Self {
            control: Seconds(5),
            lock: Seconds::minutes(5),
        }
    }
}
