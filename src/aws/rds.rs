//! Aurora clusters and their snapshots. Own polling, no SDK waiters: those give up on a throttle and sleep up to half an hour.

use super::clients::Settings;
use super::error::{Error, classify};
use crate::policy::Region;
use aws_sdk_rds::config::BehaviorVersion;
use aws_sdk_rds::types::{ServerlessV2ScalingConfiguration, Tag};
use std::collections::BTreeMap;

type Tags = BTreeMap<String, String>;

/// RDS of one region, seen with one key.
#[derive(Clone)]
pub struct Rds {
    client: aws_sdk_rds::Client,
    pub region: Region,
}

/// A cluster snapshot as described.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotInfo {
    pub id: String,
    pub arn: String,
    pub cluster: String,
    pub status: String,
    pub created: Option<jiff::Timestamp>,
    pub engine: String,
    pub engine_version: String,
    pub master_user: String,
    pub encrypted: bool,
    pub kms_key: Option<String>,
    pub percent: i32,
    pub tags: Tags,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ClusterInfo {
    pub id: String,
    pub arn: String,
    pub status: String,
    pub endpoint: Option<String>,
    pub port: Option<u16>,
    pub master_user: String,
    pub members: Vec<String>,
    pub deletion_protection: bool,
    pub tags: Tags,
}

#[derive(Clone, Debug, PartialEq)]
pub struct InstanceInfo {
    pub id: String,
    pub status: String,
    pub cluster: Option<String>,
    pub tags: Tags,
}

/// What a polled status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Ready,
    Working,
    Failed,
}

/// Statuses are plain strings with no published list; what is known is here, the rest is still at work until the deadline.
pub fn phase(status: &str) -> Phase {
    match status {
        "available" => Phase::Ready,
        "failed"
        | "deleted"
        | "deleting"
        | "cloning-failed"
        | "migration-failed"
        | "inaccessible-encryption-credentials"
        | "inaccessible-encryption-credentials-recoverable"
        | "insufficient-capacity"
        | "storage-full"
        | "restore-error" => Phase::Failed,
        s if s.starts_with("incompatible-") => Phase::Failed,
        _ => Phase::Working,
    }
}

/// Shape of a new cluster.
#[derive(Clone, Debug)]
pub struct NewCluster<'a> {
    pub id: &'a str,
    pub engine: &'a str,
    pub engine_version: &'a str,
    pub subnet_group: Option<&'a str>,
    pub security_groups: Vec<String>,
    pub parameter_group: Option<&'a str>,
    pub acu: Option<(f64, f64)>,
    pub deletion_protection: bool,
    pub tags: &'a Tags,
}

fn tags_in(tags: &[Tag]) -> Tags {
    tags.iter()
        .filter_map(|t| Some((t.key()?.to_owned(), t.value().unwrap_or_default().to_owned())))
        .collect()
}

fn tags_out(tags: &Tags) -> Option<Vec<Tag>> {
    Some(tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect())
}

fn scaling(acu: Option<(f64, f64)>) -> Option<ServerlessV2ScalingConfiguration> {
    acu.map(|(min, max)| {
        ServerlessV2ScalingConfiguration::builder()
            .min_capacity(min)
            .max_capacity(max)
            .build()
    })
}

fn snapshot_info(s: &aws_sdk_rds::types::DbClusterSnapshot) -> SnapshotInfo {
    let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
    SnapshotInfo {
        id: text(s.db_cluster_snapshot_identifier()),
        arn: text(s.db_cluster_snapshot_arn()),
        cluster: text(s.db_cluster_identifier()),
        status: text(s.status()),
        created: s
            .snapshot_create_time()
            .and_then(|t| jiff::Timestamp::new(t.secs(), i32::try_from(t.subsec_nanos()).ok()?).ok()),
        engine: text(s.engine()),
        engine_version: text(s.engine_version()),
        master_user: text(s.master_username()),
        encrypted: s.storage_encrypted().unwrap_or(false),
        kms_key: s.kms_key_id().map(str::to_owned),
        percent: s.percent_progress().unwrap_or(0),
        tags: tags_in(s.tag_list()),
    }
}

fn cluster_info(c: &aws_sdk_rds::types::DbCluster) -> ClusterInfo {
    let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
    ClusterInfo {
        id: text(c.db_cluster_identifier()),
        arn: text(c.db_cluster_arn()),
        status: text(c.status()),
        endpoint: c.endpoint().map(str::to_owned),
        port: c.port().and_then(|p| u16::try_from(p).ok()),
        master_user: text(c.master_username()),
        members: c
            .db_cluster_members()
            .iter()
            .filter_map(|m| m.db_instance_identifier().map(str::to_owned))
            .collect(),
        deletion_protection: c.deletion_protection().unwrap_or(false),
        tags: tags_in(c.tag_list()),
    }
}

impl Rds {
    pub async fn new(settings: &Settings) -> Self {
        let mut config = aws_sdk_rds::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(aws_sdk_rds::config::Region::new(settings.region.clone()))
            .credentials_provider(settings.credential.provider(&settings.region).await)
            .timeout_config(settings.timeouts())
            .retry_config(settings.retries());
        if let Some(url) = &settings.endpoint {
            config = config.endpoint_url(url);
        }
        Self {
            client: aws_sdk_rds::Client::from_conf(config.build()),
            region: Region::new(settings.region.clone()),
        }
    }

    fn thing(&self, what: &str, id: &str) -> String {
        format!("{what} {id} in {}", self.region)
    }

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
            Err(e) if e.kind == super::Kind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// # Errors
    /// `Exists`, `State` (the cluster is busy), `Quota`.
    pub async fn create_snapshot(&self, cluster: &str, id: &str, tags: &Tags) -> Result<SnapshotInfo, Error> {
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
        request
            .send()
            .await
            .map(|_| ())
            .map_err(|e| classify(e, "ModifyDBClusterSnapshotAttribute", self.thing("snapshot", id)))
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
        let answer = answer.map_err(|e| classify(e, "DescribeDBClusterSnapshotAttributes", self.thing("snapshot", id)))?;
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
    /// `Exists`, `KeyUnusable`, `Quota` (five copies are in progress), `NotFound` (not shared with us).
    pub async fn copy_snapshot(&self, source_arn: &str, id: &str, kms_key: Option<&str>, tags: &Tags) -> Result<SnapshotInfo, Error> {
        let request = self
            .client
            .copy_db_cluster_snapshot()
            .source_db_cluster_snapshot_identifier(source_arn)
            .target_db_cluster_snapshot_identifier(id);
        let request = request.set_kms_key_id(kms_key.map(str::to_owned)).set_tags(tags_out(tags));
        let answer = request
            .send()
            .await
            .map_err(|e| classify(e, "CopyDBClusterSnapshot", self.thing("snapshot", source_arn)))?;
        answer
            .db_cluster_snapshot()
            .map(snapshot_info)
            .ok_or_else(|| no_answer("CopyDBClusterSnapshot", id))
    }

    /// # Errors
    /// As the service's; no such cluster is `None`.
    pub async fn cluster(&self, id: &str) -> Result<Option<ClusterInfo>, Error> {
        let request = self.client.describe_db_clusters().db_cluster_identifier(id);
        match request
            .send()
            .await
            .map_err(|e| classify(e, "DescribeDBClusters", self.thing("cluster", id)))
        {
            Ok(answer) => Ok(answer.db_clusters().first().map(cluster_info)),
            Err(e) if e.kind == super::Kind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// All clusters that this key may see.
    ///
    /// # Errors
    /// As the service's.
    pub async fn clusters(&self) -> Result<Vec<ClusterInfo>, Error> {
        let (mut found, mut marker) = (Vec::new(), None);
        loop {
            let answer = self.client.describe_db_clusters().set_marker(marker).send().await;
            let answer = answer.map_err(|e| classify(e, "DescribeDBClusters", format!("clusters in {}", self.region)))?;
            found.extend(answer.db_clusters().iter().map(cluster_info));
            marker = answer.marker().filter(|m| !m.is_empty()).map(str::to_owned);
            if marker.is_none() {
                return Ok(found);
            }
        }
    }

    /// # Errors
    /// `Exists`, `Quota`, `KeyUnusable`, `NotFound` (the snapshot).
    pub async fn restore_cluster(&self, new: &NewCluster<'_>, snapshot: &str) -> Result<(), Error> {
        // The version is pinned: left out, the service takes the region's default, which may not be the snapshot's.
        let request = self
            .client
            .restore_db_cluster_from_snapshot()
            .db_cluster_identifier(new.id)
            .snapshot_identifier(snapshot)
            .engine(new.engine)
            .engine_version(new.engine_version)
            .deletion_protection(new.deletion_protection)
            .set_db_subnet_group_name(new.subnet_group.map(str::to_owned))
            .set_vpc_security_group_ids((!new.security_groups.is_empty()).then(|| new.security_groups.clone()))
            .set_db_cluster_parameter_group_name(new.parameter_group.map(str::to_owned))
            .set_serverless_v2_scaling_configuration(scaling(new.acu))
            .set_tags(tags_out(new.tags));
        request
            .send()
            .await
            .map(|_| ())
            .map_err(|e| classify(e, "RestoreDBClusterFromSnapshot", self.thing("cluster", new.id)))
    }

    /// # Errors
    /// `Exists`, `Quota`.
    pub async fn create_cluster(&self, new: &NewCluster<'_>, database: &str, user: &str, password: &str) -> Result<(), Error> {
        let request = self
            .client
            .create_db_cluster()
            .db_cluster_identifier(new.id)
            .engine(new.engine)
            .engine_version(new.engine_version)
            .deletion_protection(new.deletion_protection)
            .database_name(database)
            .master_username(user)
            .master_user_password(password)
            .storage_encrypted(true)
            .set_db_subnet_group_name(new.subnet_group.map(str::to_owned))
            .set_vpc_security_group_ids((!new.security_groups.is_empty()).then(|| new.security_groups.clone()))
            .set_db_cluster_parameter_group_name(new.parameter_group.map(str::to_owned))
            .set_serverless_v2_scaling_configuration(scaling(new.acu))
            .set_tags(tags_out(new.tags));
        request
            .send()
            .await
            .map(|_| ())
            .map_err(|e| classify(e, "CreateDBCluster", self.thing("cluster", new.id)))
    }

    /// # Errors
    /// `Exists`, `State` (the cluster is not available yet).
    pub async fn create_instance(&self, id: &str, cluster: &str, class: &str, engine: &str, tags: &Tags) -> Result<(), Error> {
        let request = self
            .client
            .create_db_instance()
            .db_instance_identifier(id)
            .db_cluster_identifier(cluster)
            .db_instance_class(class);
        let request = request.engine(engine).publicly_accessible(false).set_tags(tags_out(tags));
        request
            .send()
            .await
            .map(|_| ())
            .map_err(|e| classify(e, "CreateDBInstance", self.thing("instance", id)))
    }

    /// # Errors
    /// As the service's; no such instance is `None`.
    pub async fn instance(&self, id: &str) -> Result<Option<InstanceInfo>, Error> {
        let request = self.client.describe_db_instances().db_instance_identifier(id);
        match request
            .send()
            .await
            .map_err(|e| classify(e, "DescribeDBInstances", self.thing("instance", id)))
        {
            Ok(answer) => Ok(answer.db_instances().first().map(|i| InstanceInfo {
                id: i.db_instance_identifier().unwrap_or_default().to_owned(),
                status: i.db_instance_status().unwrap_or_default().to_owned(),
                cluster: i.db_cluster_identifier().map(str::to_owned),
                tags: tags_in(i.tag_list()),
            })),
            Err(e) if e.kind == super::Kind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// # Errors
    /// `State` while the cluster is busy.
    pub async fn set_password(&self, cluster: &str, password: &str) -> Result<(), Error> {
        let request = self
            .client
            .modify_db_cluster()
            .db_cluster_identifier(cluster)
            .master_user_password(password)
            .apply_immediately(true);
        request
            .send()
            .await
            .map(|_| ())
            .map_err(|e| classify(e, "ModifyDBCluster", self.thing("cluster", cluster)))
    }

    /// The caller has read this instance's tags.
    ///
    /// # Errors
    /// As the service's; already gone is fine.
    pub async fn delete_instance(&self, id: &str) -> Result<(), Error> {
        let request = self
            .client
            .delete_db_instance()
            .db_instance_identifier(id)
            .skip_final_snapshot(true);
        gone(
            request
                .send()
                .await
                .map_err(|e| classify(e, "DeleteDBInstance", self.thing("instance", id))),
        )
    }

    /// The caller has read this cluster's tags.
    ///
    /// # Errors
    /// As the service's; already gone is fine.
    pub async fn delete_cluster(&self, id: &str) -> Result<(), Error> {
        let request = self
            .client
            .delete_db_cluster()
            .db_cluster_identifier(id)
            .skip_final_snapshot(true)
            .delete_automated_backups(true);
        gone(
            request
                .send()
                .await
                .map_err(|e| classify(e, "DeleteDBCluster", self.thing("cluster", id))),
        )
    }
}

fn gone<T>(result: Result<T, Error>) -> Result<(), Error> {
    match result {
        Ok(_) => Ok(()),
        Err(e) if e.kind == super::Kind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

fn no_answer(operation: &'static str, id: &str) -> Error {
    Error::new(
        super::Kind::Unavailable,
        operation,
        id,
        "EmptyAnswer",
        "the service described nothing",
    )
}
