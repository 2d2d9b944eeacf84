//! Instances: with the first one a cluster's server runs, with the last one it ends.

use super::allow::allowed_on;
use super::fault::{Fault, denied, fault, no_cluster, no_instance};
use super::listing::listing;
use super::shared::{Ask, Rds, at};
use super::state::{Instance, Making, Region, parse_arn};
use super::xml;
use crate::pg::server::Stop;
use std::sync::Arc;

const SERVERLESS: &str = "db.serverless";
/// In the service's words.
const NO_SCALING: &str = "Set the Serverless v2 scaling configuration on the parent DB cluster \
                          before creating a Serverless v2 DB instance.";

fn own<'s>(region: &'s mut Region, ask: &Ask<'_>, name: &str) -> Result<&'s mut Instance, Fault> {
    let id = match parse_arn(name) {
        Some((r, "db", id)) if r == ask.region => id,
        Some(_) => return Err(no_instance(name)),
        None => name,
    };
    region
        .instances
        .get_mut(id)
        .filter(|i| ask.who.owns(&i.account))
        .ok_or_else(|| no_instance(name))
}

fn shown(ask: &Ask<'_>, region: &Region, instance: &Instance, status: Option<&str>) -> String {
    // An instance never outlives its cluster.
    region
        .clusters
        .get(&instance.cluster)
        .map(|c| xml::instance(ask.region, instance, c, ask.now, status))
        .unwrap_or_default()
}

impl Rds {
    pub(super) fn create_instance(self: &Arc<Self>, ask: &Ask<'_>) -> Result<String, Fault> {
        let id = ask.params.new_id("DBInstanceIdentifier")?;
        let cluster_id = ask.params.need("DBClusterIdentifier")?.to_owned();
        let class = ask.params.need("DBInstanceClass")?.to_owned();
        let tags = ask.params.tags();
        if !allowed_on(ask.who.role, &tags) {
            return Err(denied(
                "rds: making an instance without the tag dr:role that this role may make",
            ));
        }
        let (answer, ready_at, port) = self.change(|state| {
            let region = state.region_mut(ask.region);
            let cluster = region
                .clusters
                .get(&cluster_id)
                .filter(|c| ask.who.owns(&c.account))
                .ok_or_else(|| no_cluster(&cluster_id))?
                .clone();
            if region.instances.contains_key(&id) {
                return Err(fault(
                    "DBInstanceAlreadyExists",
                    format!("DB instance already exists: {id}"),
                ));
            }
            if ask
                .params
                .get("Engine")
                .is_some_and(|e| e != cluster.engine)
            {
                return Err(fault(
                    "InvalidParameterCombination",
                    "The engine is not the cluster's.",
                ));
            }
            if !cluster.making.ready(ask.now) {
                return Err(fault(
                    "InvalidDBClusterStateFault",
                    format!("DBCluster {cluster_id} is not available."),
                ));
            }
            if class == SERVERLESS && cluster.scaling.is_none() {
                return Err(fault("InvalidDBClusterStateFault", NO_SCALING));
            }
            self.usable(&cluster.kms_key)?;
            let ready_at = self.after(self.durations().instance_s);
            let instance = Instance {
                id: id.clone(),
                account: cluster.account.clone(),
                cluster: cluster_id.clone(),
                class,
                created: ask.now,
                tags,
                making: Making::until(ready_at),
            };
            let answer = xml::instance(ask.region, &instance, &cluster, ask.now, None);
            region.instances.insert(id.clone(), instance);
            Ok((answer, ready_at, cluster.port))
        })?;
        let (rds, region) = (self.clone(), ask.region.to_owned());
        tokio::spawn(async move {
            rds.wait_until(ready_at).await;
            rds.start_for(&region, &id, &at(&region, &cluster_id), port)
                .await;
        });
        Ok(answer)
    }

    pub(super) fn describe_instances(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        let mut region = self.read(|s| s.region(ask.region));
        let wanted = match ask.params.get("DBInstanceIdentifier") {
            Some(name) => Some(own(&mut region, ask, name)?.id.clone()),
            None => None,
        };
        let filters = ask.params.filters();
        let filtered = |i: &&Instance| {
            filters.iter().all(|(name, values)| match *name {
                "db-instance-id" => values.contains(&i.id.as_str()),
                "db-cluster-id" => values.contains(&i.cluster.as_str()),
                _ => false,
            })
        };
        let mine = region
            .instances
            .values()
            .filter(|i| ask.who.owns(&i.account) && wanted.as_ref().is_none_or(|w| *w == i.id));
        let items = mine
            .filter(filtered)
            .map(|i| (i.id.clone(), shown(ask, &region, i, None)))
            .collect();
        listing("DBInstances", items, ask.params)
    }

    pub(super) fn modify_instance(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        let name = ask.params.need("DBInstanceIdentifier")?;
        self.change(|state| {
            let region = state.region_mut(ask.region);
            let instance = own(region, ask, name)?;
            if !allowed_on(ask.who.role, &instance.tags) {
                return Err(denied("rds:ModifyDBInstance"));
            }
            if let Some(class) = ask.params.get("DBInstanceClass") {
                class.clone_into(&mut instance.class);
            }
            let instance = instance.clone();
            Ok(shown(ask, region, &instance, None))
        })
    }

    pub(super) async fn delete_instance(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        let name = ask.params.need("DBInstanceIdentifier")?;
        let (answer, cluster, last) = self.change(|state| {
            let region = state.region_mut(ask.region);
            let instance = own(region, ask, name)?.clone();
            if !allowed_on(ask.who.role, &instance.tags) {
                return Err(denied("rds:DeleteDBInstance"));
            }
            let answer = shown(ask, region, &instance, Some("deleting"));
            region.instances.remove(&instance.id);
            let last = region.instances_of(&instance.cluster).is_empty();
            Ok((answer, instance.cluster, last))
        })?;
        if last {
            self.engine
                .stop(&at(ask.region, &cluster), Stop::Clean)
                .await;
        }
        Ok(answer)
    }
}
