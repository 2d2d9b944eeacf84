//! Clusters that are made: empty, or from a snapshot.

use super::allow::allowed_on;
use super::engine::Initial;
use super::fault::{Fault, denied, fault};
use super::shared::{Ask, ENGINE, Rds, at};
use super::snapshots::{must_be_ready, restorable};
use super::state::{Cluster, Making, Region, State, Tags, parse_arn};
use super::xml;
use std::sync::Arc;

struct Source {
    master_user: String,
    database: Option<String>,
    kms_key: String,
}

impl Rds {
    /// The record of a new cluster, put into the state; the caller starts the work.
    fn new_cluster(
        &self,
        state: &mut State,
        ask: &Ask<'_>,
        id: &str,
        tags: Tags,
        source: Source,
    ) -> Result<Cluster, Fault> {
        if !allowed_on(ask.who.role, &tags) {
            return Err(denied(
                "rds: making a cluster without the tag dr:role that this role may make",
            ));
        }
        let engine = ask.params.need("Engine")?;
        if engine != ENGINE {
            return Err(fault(
                "InvalidParameterValue",
                format!("Invalid DB engine: {engine}. The lab has {ENGINE}."),
            ));
        }
        let version = &self.engine.programs.version;
        if ask
            .params
            .get("EngineVersion")
            .is_some_and(|v| v != version && v != self.engine.programs.major())
        {
            let wanted = ask.params.get("EngineVersion").unwrap_or_default();
            return Err(fault(
                "InvalidParameterCombination",
                format!("Cannot find version {wanted} for {ENGINE}; the lab has {version}."),
            ));
        }
        let scaling = ask.params.scaling()?;
        let port = self.free_port(state)?;
        let region = state.region_mut(ask.region);
        if region.clusters.contains_key(id) {
            return Err(fault(
                "DBClusterAlreadyExistsFault",
                format!("DB Cluster already exists: {id}"),
            ));
        }
        let cluster = Cluster {
            id: id.to_owned(),
            account: self.account_of(ask),
            created: ask.now,
            engine: engine.to_owned(),
            engine_version: version.clone(),
            master_user: source.master_user,
            database: source.database,
            port,
            kms_key: source.kms_key,
            deletion_protection: ask.params.flag("DeletionProtection").unwrap_or(false),
            scaling,
            tags,
            making: Making::until(self.after(self.durations().cluster_s)),
        };
        region.clusters.insert(id.to_owned(), cluster.clone());
        Ok(cluster)
    }

    pub(super) fn create_cluster(self: &Arc<Self>, ask: &Ask<'_>) -> Result<String, Fault> {
        let id = ask.params.new_id("DBClusterIdentifier")?;
        let user = ask.params.need("MasterUsername")?.to_owned();
        let password = ask.params.need("MasterUserPassword")?.to_owned();
        good_password(&password)?;
        if user == crate::pg::session::ADMIN {
            return Err(fault(
                "InvalidParameterValue",
                format!("MasterUsername {user} cannot be used as it is a reserved word."),
            ));
        }
        let database = ask.params.get("DatabaseName").map(str::to_owned);
        let kms_key = self.key(ask.region, ask.params.get("KmsKeyId"))?;
        let initial = Initial {
            user: user.clone(),
            password,
            database: database.clone(),
        };
        let source = Source {
            master_user: user,
            database,
            kms_key,
        };
        let cluster =
            self.change(|state| self.new_cluster(state, ask, &id, ask.params.tags(), source))?;
        let (rds, region, port) = (self.clone(), ask.region.to_owned(), cluster.port);
        tokio::spawn(async move {
            let made = rds.engine.create(&at(&region, &id), port, initial).await;
            rds.cluster_done(&region, &id, made).await;
        });
        Ok(xml::cluster(
            ask.region,
            &Region::default(),
            &cluster,
            ask.now,
            Some("creating"),
        ))
    }

    pub(super) fn restore_cluster(self: &Arc<Self>, ask: &Ask<'_>) -> Result<String, Fault> {
        let id = ask.params.new_id("DBClusterIdentifier")?;
        let name = ask.params.need("SnapshotIdentifier")?;
        let (cluster, snapshot) = self.change(|state| {
            if parse_arn(name).is_some_and(|(r, _, _)| r != ask.region) {
                return Err(super::fault::no_snapshot(name));
            }
            let snapshot = restorable(state, ask.region, ask.who, name)?.clone();
            must_be_ready(&snapshot, ask.now)?;
            self.usable(&snapshot.kms_key)?;
            let kms_key = match ask.params.get("KmsKeyId") {
                None => snapshot.kms_key.clone(),
                given => self.key(ask.region, given)?,
            };
            let database = snapshot.database.clone();
            let source = Source {
                master_user: snapshot.master_user.clone(),
                database,
                kms_key,
            };
            Ok((
                self.new_cluster(state, ask, &id, ask.params.tags(), source)?,
                snapshot,
            ))
        })?;
        let (rds, region) = (self.clone(), ask.region.to_owned());
        tokio::spawn(async move {
            let made = rds
                .engine
                .restore(&at(&region, &snapshot.id), &at(&region, &id))
                .await;
            rds.cluster_done(&region, &id, made).await;
        });
        Ok(xml::cluster(
            ask.region,
            &Region::default(),
            &cluster,
            ask.now,
            Some("creating"),
        ))
    }
}

pub(super) fn good_password(password: &str) -> Result<(), Fault> {
    let good = (8..=128).contains(&password.len())
        && password
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"/\"@".contains(&b));
    let told = "The parameter MasterUserPassword is not a valid password: 8 to 128 printable \
     ASCII characters besides '/', '@', '\"', ' '.";
    if good {
        Ok(())
    } else {
        Err(fault("InvalidParameterValue", told))
    }
}
