//! Cluster snapshots: made, shared, copied.

use super::{Rds, SnapshotInfo, Tags, tags_in, tags_out};
use crate::aws::error::{Error, Kind, classify};

fn snapshot_info(s: &aws_sdk_rds::types::DbClusterSnapshot) -> SnapshotInfo {
    let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
    SnapshotInfo {
        id: text(s.db_cluster_snapshot_identifier()),
        arn: text(s.db_cluster_snapshot_arn()),
        cluster: text(s.db_cluster_identifier()),
        status: text(s.status()),
        created: s.snapshot_create_time().and_then(|t| {
            jiff::Timestamp::new(t.secs(), i32::try_from(t.subsec_nanos()).ok()?).ok()
        }),
        engine: text(s.engine()),
        engine_version: text(s.engine_version()),
        master_user: text(s.master_username()),
        encrypted: s.storage_encrypted().unwrap_or(false),
        kms_key: s.kms_key_id().map(str::to_owned),
        percent: s.percent_progress().unwrap_or(0),
        tags: tags_in(s.tag_list()),
    }
}

impl Rds {
    /// By id, or by ARN where another account owns it. `None`: there is none that this key may see.
    ///
    /// # Errors
    /// As the service's.
    pub async fn snapshot(&self, id: &str) -> Result<Option<SnapshotInfo>, Error> {
        let request = self
            .client
            .describe_db_cluster_snapshots()
            .db_cluster_snapshot_identifier(id)
            .include_shared(id.starts_with("arn:"));
        match request
            .send()
            .await
            .map_err(|e| classify(e, "DescribeDBClusterSnapshots", self.thing("snapshot", id)))
        {
            Ok(answer) => Ok(answer.db_cluster_snapshots().first().map(snapshot_info)),
            Err(e) if e.kind == Kind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// # Errors
    /// `Exists`, `State` (the cluster is busy), `Quota`.
    pub async fn create_snapshot(
        &self,
        cluster: &str,
        id: &str,
        tags: &Tags,
    ) -> Result<SnapshotInfo, Error> {
        let request = self
            .client
            .create_db_cluster_snapshot()
            .db_cluster_identifier(cluster)
            .db_cluster_snapshot_identifier(id)
            .set_tags(tags_out(tags));
        let answer = request
            .send()
            .await
            .map_err(|e| classify(e, "CreateDBClusterSnapshot", self.thing("cluster", cluster)))?;
        answer
            .db_cluster_snapshot()
            .map(snapshot_info)
            .ok_or_else(|| no_answer("CreateDBClusterSnapshot", id))
    }

    /// Lets other accounts restore and copy it. Adding an account twice is harmless.
    ///
    /// # Errors
    /// As the service's.
    pub async fn share_snapshot(&self, id: &str, with: &[String]) -> Result<(), Error> {
        let request = self
            .client
            .modify_db_cluster_snapshot_attribute()
            .db_cluster_snapshot_identifier(id)
            .attribute_name("restore");
        let request = request.set_values_to_add(Some(with.to_vec()));
        request.send().await.map(|_| ()).map_err(|e| {
            classify(
                e,
                "ModifyDBClusterSnapshotAttribute",
                self.thing("snapshot", id),
            )
        })
    }

    /// # Errors
    /// As the service's.
    pub async fn shared_with(&self, id: &str) -> Result<Vec<String>, Error> {
        let answer = self
            .client
            .describe_db_cluster_snapshot_attributes()
            .db_cluster_snapshot_identifier(id)
            .send()
            .await;
        let answer = answer.map_err(|e| {
            classify(
                e,
                "DescribeDBClusterSnapshotAttributes",
                self.thing("snapshot", id),
            )
        })?;
        let attributes = answer
            .db_cluster_snapshot_attributes_result()
            .map(|r| r.db_cluster_snapshot_attributes())
            .unwrap_or_default();
        Ok(attributes
            .iter()
            .filter(|a| a.attribute_name() == Some("restore"))
            .flat_map(|a| a.attribute_values().to_vec())
            .collect())
    }

    /// Copies into this region under a key of this region.
    ///
    /// # Errors
    /// `Exists`, `KeyUnusable`, `Quota` (five copies are in progress), `NotFound` (not shared with
    /// us).
    pub async fn copy_snapshot(
        &self,
        source_arn: &str,
        id: &str,
        kms_key: Option<&str>,
        tags: &Tags,
    ) -> Result<SnapshotInfo, Error> {
        let request = self
            .client
            .copy_db_cluster_snapshot()
            .source_db_cluster_snapshot_identifier(source_arn)
            .target_db_cluster_snapshot_identifier(id);
        let request = request
            .set_kms_key_id(kms_key.map(str::to_owned))
            .set_tags(tags_out(tags));
        let answer = request.send().await.map_err(|e| {
            classify(
                e,
                "CopyDBClusterSnapshot",
                self.thing("snapshot", source_arn),
            )
        })?;
        answer
            .db_cluster_snapshot()
            .map(snapshot_info)
            .ok_or_else(|| no_answer("CopyDBClusterSnapshot", id))
    }
}

fn no_answer(operation: &'static str, id: &str) -> Error {
    Error::new(
        Kind::Unavailable,
        operation,
        id,
        "EmptyAnswer",
        "the service described nothing",
    )
}
