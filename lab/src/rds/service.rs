//! The query service of one region: from a verified caller and a form to an answer.

use super::allow::allowed;
use super::fault::{Fault, denied, fault};
use super::params::Params;
use super::shared::{Ask, Rds};
use super::state::Who;
use crate::accounts::Caller;
use crate::query::{QueryError, QueryService};
use std::collections::BTreeMap;
use std::sync::Arc;

pub struct RdsRegion {
    pub rds: Arc<Rds>,
    pub region: String,
}

#[async_trait::async_trait]
impl QueryService for RdsRegion {
    async fn call(
        &self,
        caller: &Caller,
        operation: &str,
        params: &BTreeMap<String, String>,
    ) -> Result<String, QueryError> {
        let who = Who {
            role: caller.role,
            account: caller.account.clone(),
        };
        Ok(self
            .rds
            .perform(&self.region, &who, operation, params)
            .await?)
    }
}

impl Rds {
    /// One operation; the answer is the XML inside the result element.
    ///
    /// # Errors
    /// A refusal with the service's code.
    pub async fn perform(
        self: &Arc<Self>,
        region: &str,
        who: &Who,
        operation: &str,
        params: &BTreeMap<String, String>,
    ) -> Result<String, Fault> {
        dispatch(
            self,
            operation,
            &Ask {
                region,
                who,
                params: Params(params),
                now: self.now(),
            },
        )
        .await
    }
}

async fn dispatch(rds: &Arc<Rds>, operation: &str, ask: &Ask<'_>) -> Result<String, Fault> {
    if !allowed(ask.who.role, operation) {
        return Err(denied(&format!("rds:{operation}")));
    }
    match operation {
        "CreateDBClusterSnapshot" => rds.create_snapshot(ask),
        "CopyDBClusterSnapshot" => rds.copy_snapshot(ask),
        "DescribeDBClusterSnapshots" => rds.describe_snapshots(ask),
        "DeleteDBClusterSnapshot" => rds.delete_snapshot(ask).await,
        "DescribeDBClusterSnapshotAttributes" => rds.describe_attributes(ask),
        "ModifyDBClusterSnapshotAttribute" => rds.modify_attribute(ask),
        "AddTagsToResource" => rds.add_tags(ask),
        "ListTagsForResource" => rds.list_tags(ask),
        "RemoveTagsFromResource" => rds.remove_tags(ask),
        "CreateDBCluster" => rds.create_cluster(ask),
        "RestoreDBClusterFromSnapshot" => rds.restore_cluster(ask),
        "DescribeDBClusters" => rds.describe_clusters(ask),
        "ModifyDBCluster" => rds.modify_cluster(ask).await,
        "DeleteDBCluster" => rds.delete_cluster(ask).await,
        "CreateDBInstance" => rds.create_instance(ask),
        "DescribeDBInstances" => rds.describe_instances(ask),
        "ModifyDBInstance" => rds.modify_instance(ask),
        "DeleteDBInstance" => rds.delete_instance(ask).await,
        other => Err(fault(
            "InvalidAction",
            format!("The lab does not have the action {other}."),
        )),
    }
}
