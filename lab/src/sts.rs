//! STS: who a key is.

use crate::accounts::{Caller, Role};
use crate::query::{QueryError, QueryService};
use std::collections::BTreeMap;

pub struct Sts;

/// `arn:aws:sts::222222222222:assumed-role/copier/lab`
pub fn arn(caller: &Caller) -> String {
    match caller.role {
        Role::Admin => format!("arn:aws:iam::{}:user/admin", caller.account),
        role => format!("arn:aws:sts::{}:assumed-role/{role}/lab", caller.account),
    }
}

#[async_trait::async_trait]
impl QueryService for Sts {
    async fn call(
        &self,
        caller: &Caller,
        operation: &str,
        _: &BTreeMap<String, String>,
    ) -> Result<String, QueryError> {
        match operation {
            "GetCallerIdentity" => Ok(format!(
                "<Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account>",
                arn(caller),
                caller.access_key_id,
                caller.account
            )),
            other => Err(QueryError::new(
                400,
                "InvalidAction",
                format!("Could not find operation {other} for version 2011-06-15"),
            )),
        }
    }
}
