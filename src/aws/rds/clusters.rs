//! Clusters and their instances: described, made, entered, deleted.

use super::{ClusterInfo, InstanceInfo, NewCluster, Rds, Tags, tags_in, tags_out};
use crate::aws::error::{Error, Kind, classify};
use aws_sdk_rds::types::ServerlessV2ScalingConfiguration;

fn scaling(acu: Option<(f64, f64)>) -> Option<ServerlessV2ScalingConfiguration> {
    acu.map(|(min, max)| {
        ServerlessV2ScalingConfiguration::builder()
            .min_capacity(min)
            .max_capacity(max)
            .build()
    })
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
            Err(e) if e.kind == Kind::NotFound => Ok(None),
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
            let answer = self
                .client
                .describe_db_clusters()
                .set_marker(marker)
                .send()
                .await;
            let answer = answer.map_err(|e| {
                classify(
                    e,
                    "DescribeDBClusters",
                    format!("clusters in {}", self.region),
                )
            })?;
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
        // The version is pinned: left out, the service takes the region's default, which may not be
        // the snapshot's.
        let request = self
            .client
            .restore_db_cluster_from_snapshot()
            .db_cluster_identifier(new.id)
            .snapshot_identifier(snapshot)
            .engine(new.engine)
            .engine_version(new.engine_version)
            .deletion_protection(new.deletion_protection)
            .set_db_subnet_group_name(new.subnet_group.map(str::to_owned))
            .set_vpc_security_group_ids(
                (!new.security_groups.is_empty()).then(|| new.security_groups.clone()),
            )
            .set_db_cluster_parameter_group_name(new.parameter_group.map(str::to_owned))
            .set_serverless_v2_scaling_configuration(scaling(new.acu))
            .set_tags(tags_out(new.tags));
        request.send().await.map(|_| ()).map_err(|e| {
            classify(
                e,
                "RestoreDBClusterFromSnapshot",
                self.thing("cluster", new.id),
            )
        })
    }

    /// # Errors
    /// `Exists`, `Quota`.
    pub async fn create_cluster(
        &self,
        new: &NewCluster<'_>,
        database: &str,
        user: &str,
        password: &str,
    ) -> Result<(), Error> {
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
            .set_vpc_security_group_ids(
                (!new.security_groups.is_empty()).then(|| new.security_groups.clone()),
            )
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
    pub async fn create_instance(
        &self,
        id: &str,
        cluster: &str,
        class: &str,
        engine: &str,
        tags: &Tags,
    ) -> Result<(), Error> {
        let request = self
            .client
            .create_db_instance()
            .db_instance_identifier(id)
            .db_cluster_identifier(cluster)
            .db_instance_class(class);
        let request = request
            .engine(engine)
            .publicly_accessible(false)
            .set_tags(tags_out(tags));
        request
            .send()
            .await
            .map(|_| ())
            .map_err(|e| classify(e, "CreateDBInstance", self.thing("instance", id)))
    }

    /// # Errors
    /// As the service's; no such instance is `None`.
    pub async fn instance(&self, id: &str) -> Result<Option<InstanceInfo>, Error> {
        let request = self
            .client
            .describe_db_instances()
            .db_instance_identifier(id);
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
            Err(e) if e.kind == Kind::NotFound => Ok(None),
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
        Err(e) if e.kind == Kind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}
