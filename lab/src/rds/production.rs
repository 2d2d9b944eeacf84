//! The production cluster, which is there from the first start on.

use super::engine::Initial;
use super::shared::{ENGINE, Rds, at};
use super::state::{Cluster, Instance, Making, Tags};
use crate::pg::PgError;

/// What a production cluster is made of.
#[derive(Clone)]
pub struct Production {
    pub region: String,
    pub id: String,
    pub instance: String,
    pub account: String,
    pub database: String,
    pub user: String,
    pub password: String,
}

impl Production {
    /// For programs; the password is made of letters and digits.
    pub fn url(&self, port: u16) -> String {
        format!(
            "postgres://{}:{}@127.0.0.1:{port}/{}",
            self.user, self.password, self.database
        )
    }
}

impl Rds {
    /// The URL of a cluster of the state, by its production description.
    pub fn url_of(&self, production: &Production) -> Option<String> {
        Some(production.url(self.port_of(production)?))
    }

    /// Where its server listens.
    pub fn port_of(&self, production: &Production) -> Option<u16> {
        self.read(|s| {
            let region = s.region(&production.region);
            region.clusters.get(&production.id).map(|c| c.port)
        })
    }

    /// Makes the cluster with its server running, or leaves what is there. A crash in the middle
    /// leaves files that the
    /// state does not know; the next start removes them and begins again.
    ///
    /// # Errors
    /// The server's, or the disk's.
    pub async fn ensure_production(&self, wanted: &Production) -> Result<String, PgError> {
        if let Some(url) = self.url_of(wanted) {
            return Ok(url);
        }
        let told = |f: super::fault::Fault| PgError::told(f.message);
        let port = self.read(|s| self.free_port(s)).map_err(told)?;
        let initial = Initial {
            user: wanted.user.clone(),
            password: wanted.password.clone(),
            database: Some(wanted.database.clone()),
        };
        let place = at(&wanted.region, &wanted.id);
        self.engine.create(&place, port, initial).await?;
        self.engine.start(&place, port).await?;
        let now = self.now();
        let ready = Making {
            done: true,
            ready_at: now,
            failed: None,
        };
        let cluster = Cluster {
            id: wanted.id.clone(),
            account: wanted.account.clone(),
            created: now,
            engine: ENGINE.into(),
            engine_version: self.engine.programs.version.clone(),
            master_user: wanted.user.clone(),
            database: Some(wanted.database.clone()),
            port,
            kms_key: self
                .around
                .default_keys
                .get(&wanted.region)
                .cloned()
                .unwrap_or_default(),
            deletion_protection: true,
            scaling: Some(("0.5".into(), "16".into())),
            tags: Tags::new(),
            making: ready.clone(),
        };
        let instance = Instance {
            id: wanted.instance.clone(),
            account: wanted.account.clone(),
            cluster: wanted.id.clone(),
            class: "db.serverless".into(),
            created: now,
            tags: Tags::new(),
            making: ready,
        };
        let kept = self.change(|s| {
            let region = s.region_mut(&wanted.region);
            region.clusters.insert(cluster.id.clone(), cluster);
            region.instances.insert(instance.id.clone(), instance);
            Ok(())
        });
        kept.map_err(told)?;
        Ok(wanted.url(port))
    }
}
