//! Clusters that are there: listed, changed, deleted.

use super::allow::allowed_on;
use super::fault::{Fault, denied, fault, no_cluster};
use super::listing::listing;
use super::new_clusters::good_password;
use super::shared::{Ask, Rds, at};
use super::state::{Cluster, Region, parse_arn};
use super::xml;

/// A cluster of the caller's by id or ARN.
fn own<'s>(region: &'s mut Region, ask: &Ask<'_>, name: &str) -> Result<&'s mut Cluster, Fault> {
    let id = match parse_arn(name) {
        Some((r, "cluster", id)) if r == ask.region => id,
        Some(_) => return Err(no_cluster(name)),
        None => name,
    };
    region
        .clusters
        .get_mut(id)
        .filter(|c| ask.who.owns(&c.account))
        .ok_or_else(|| no_cluster(name))
}

impl Rds {
    pub(super) fn describe_clusters(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        let mut region = self.read(|s| s.region(ask.region));
        let wanted = match ask.params.get("DBClusterIdentifier") {
            Some(name) => Some(own(&mut region, ask, name)?.id.clone()),
            None => None,
        };
        let filters = ask.params.filters();
        let filtered = |c: &&Cluster| {
            filters.iter().all(|(name, values)| match *name {
                "db-cluster-id" => values.contains(&c.id.as_str()),
                "engine" => values.contains(&c.engine.as_str()),
                _ => false,
            })
        };
        let mine = region
            .clusters
            .values()
            .filter(|c| ask.who.owns(&c.account) && wanted.as_ref().is_none_or(|w| *w == c.id));
        let items = mine
            .filter(filtered)
            .map(|c| {
                (
                    c.id.clone(),
                    xml::cluster(ask.region, &region, c, ask.now, None),
                )
            })
            .collect();
        listing("DBClusters", items, ask.params)
    }

    /// A new master password is in force when this answers.
    pub(super) async fn modify_cluster(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        let name = ask.params.need("DBClusterIdentifier")?;
        let mut region = self.read(|s| s.region(ask.region));
        let cluster = own(&mut region, ask, name)?.clone();
        if !allowed_on(ask.who.role, &cluster.tags) {
            return Err(denied("rds:ModifyDBCluster"));
        }
        if !cluster.making.ready(ask.now) {
            return Err(fault(
                "InvalidDBClusterStateFault",
                format!("DBCluster {} is not available.", cluster.id),
            ));
        }
        if let Some(password) = ask.params.get("MasterUserPassword") {
            good_password(password)?;
            let set = self
                .engine
                .set_password(
                    &at(ask.region, &cluster.id),
                    cluster.port,
                    &cluster.master_user,
                    password,
                )
                .await;
            set.map_err(|e| fault("InternalFailure", e.to_string()))?;
        }
        let scaling = ask.params.scaling()?;
        self.change(|state| {
            let region = state.region_mut(ask.region);
            let cluster = own(region, ask, name)?;
            if scaling.is_some() {
                cluster.scaling = scaling;
            }
            if let Some(protection) = ask.params.flag("DeletionProtection") {
                cluster.deletion_protection = protection;
            }
            let cluster = cluster.clone();
            Ok(xml::cluster(ask.region, region, &cluster, ask.now, None))
        })
    }

    pub(super) async fn delete_cluster(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        let name = ask.params.need("DBClusterIdentifier")?;
        let cluster = self.change(|state| {
            let region = state.region_mut(ask.region);
            let cluster = own(region, ask, name)?.clone();
            if !allowed_on(ask.who.role, &cluster.tags) {
                return Err(denied("rds:DeleteDBCluster"));
            }
            if cluster.deletion_protection {
                let told = "Cannot delete protected Cluster, please disable deletion protection \
                 and try again.";
                return Err(fault("InvalidParameterCombination", told));
            }
            if !region.instances_of(&cluster.id).is_empty() {
                let told = "Cluster cannot be deleted, it still contains DB instances in \
                 non-deleting state.";
                return Err(fault("InvalidDBClusterStateFault", told));
            }
            if !cluster.making.done && cluster.making.failed.is_none() {
                return Err(fault(
                    "InvalidDBClusterStateFault",
                    format!(
                        "DBCluster {} is being \
                 created.",
                        cluster.id
                    ),
                ));
            }
            if ask.params.flag("SkipFinalSnapshot") != Some(true) {
                let told = "SkipFinalSnapshot must be true: the lab takes no final snapshots.";
                return Err(fault("InvalidParameterCombination", told));
            }
            region.clusters.remove(&cluster.id);
            Ok(cluster)
        })?;
        self.engine
            .remove(&at(ask.region, &cluster.id), "clusters")
            .await;
        Ok(xml::cluster(
            ask.region,
            &Region::default(),
            &cluster,
            ask.now,
            Some("deleting"),
        ))
    }
}
