//! What a server has to be dumped: looked at once, for all targets.

use crate::manifest::Exception;
use crate::model::{Name, SourceId};
use crate::policy::{Databases, ScratchServer};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadServer {
    pub source: SourceId,
    pub server: ServerPlace,
    pub databases: Databases,
    /// Those that the policy names elsewhere, where it wants all: one that is not there is missed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<Name>,
}

/// A server as a plan names it; the password is its executor's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServerPlace {
    pub host: Name,
    pub port: u16,
    pub user: Name,
}

impl From<&ScratchServer> for ServerPlace {
    fn from(server: &ScratchServer) -> Self {
        Self {
            host: server.host.clone(),
            port: server.port,
            user: server.user.clone(),
        }
    }
}

impl fmt::Display for ServerPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} as {}", self.host, self.port, self.user)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerRead {
    /// By the server's clock.
    pub at: Timestamp,
    pub server_version: String,
    pub databases: Vec<Name>,
    /// Databases that are wanted and not there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
}
