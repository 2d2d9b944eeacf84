//! Refusals, with the service's codes and statuses.

use crate::query::QueryError;

/// A refusal: `code` decides the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub code: &'static str,
    pub message: String,
}

pub fn fault(code: &'static str, message: impl Into<String>) -> Fault {
    Fault {
        code,
        message: message.into(),
    }
}

pub fn missing(parameter: &str) -> Fault {
    fault(
        "MissingParameter",
        format!("The request must contain the parameter {parameter}."),
    )
}

pub fn no_cluster(id: &str) -> Fault {
    fault(
        "DBClusterNotFoundFault",
        format!("DBCluster {id} not found."),
    )
}

pub fn no_instance(id: &str) -> Fault {
    fault("DBInstanceNotFound", format!("DBInstance {id} not found."))
}

pub fn no_snapshot(id: &str) -> Fault {
    fault(
        "DBClusterSnapshotNotFoundFault",
        format!("DBClusterSnapshot {id} not found."),
    )
}

pub fn denied(what: &str) -> Fault {
    fault(
        "AccessDenied",
        format!("User is not authorized to perform: {what}"),
    )
}

impl Fault {
    fn status(&self) -> u16 {
        match self.code {
            "AccessDenied" => 403,
            "DBClusterNotFoundFault" | "DBInstanceNotFound" | "DBClusterSnapshotNotFoundFault" => {
                404
            }
            "InternalFailure" => 500,
            "ServiceUnavailable" => 503,
            _ => 400,
        }
    }
}

impl From<Fault> for QueryError {
    fn from(fault: Fault) -> Self {
        Self {
            status: fault.status(),
            code: fault.code.into(),
            message: fault.message,
        }
    }
}
