//! The databases of a running server, dumped into one target.

use super::{ServerPlace, ServerRead};
use crate::manifest::DumpsHeld;
use crate::model::{SourceId, TargetName};
use crate::plan::Link;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DumpServer {
    pub source: SourceId,
    pub target: TargetName,
    pub server: ServerPlace,
    pub read: Link<ServerRead>,
    pub streams: u32,
    pub part_size_bytes: u64,
    pub chunk_pages: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerDumped {
    #[serde(flatten)]
    pub held: DumpsHeld,
}
