//! Work that goes on after the answer, what it leaves in the state, and regions that go down and
//! come up.

use super::engine::At;
use super::fault::Fault;
use super::shared::{Rds, at, lock};
use super::state::{Making, Region, Tags, parse_arn};
use crate::pg::PgError;
use jiff::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// Things that a finished drill must not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Leftovers {
    pub clusters: usize,
    pub instances: usize,
    /// Server processes that belong to no running server of the state.
    pub processes: usize,
}

fn settle(making: &mut Making, done: &Result<u64, String>) {
    match done {
        Ok(_) => making.done = true,
        Err(why) => making.failed = Some(why.clone()),
    }
}

impl Rds {
    /// A state that cannot be written now stays `creating`, which a restart turns into `failed`.
    fn settle(&self, region: &str, work: impl FnOnce(&mut Region)) {
        let kept: Result<(), Fault> = self.change(|s| {
            work(s.region_mut(region));
            Ok(())
        });
        drop(kept);
    }

    pub(super) async fn snapshot_done(&self, region: &str, id: &str, done: Result<u64, PgError>) {
        let mut done = done.map_err(|e| e.to_string());
        let made = self.read(|s| s.region(region).snapshots.get(id).cloned());
        let Some(snapshot) = made else { return };
        if snapshot.from_other_region {
            // A long copy ends early when the region that it comes from goes.
            self.wait_until(snapshot.making.ready_at).await;
            let from = snapshot
                .source
                .as_deref()
                .and_then(parse_arn)
                .map(|(r, _, _)| r);
            if from.is_some_and(|r| self.is_down(r)) {
                done = Err("the source region does not answer".into());
            }
        }
        self.settle(region, |r| {
            if let Some(s) = r.snapshots.get_mut(id) {
                settle(&mut s.making, &done);
                s.bytes = done.as_ref().copied().unwrap_or(0);
            }
        });
    }

    pub(super) async fn cluster_done(&self, region: &str, id: &str, done: Result<u64, PgError>) {
        let done = done.map_err(|e| e.to_string());
        self.settle(region, |r| {
            if let Some(c) = r.clusters.get_mut(id) {
                settle(&mut c.making, &done);
            }
        });
    }

    /// Starts the server of a cluster for its new instance.
    pub(super) async fn start_for(&self, region: &str, instance: &str, cluster: &At, port: u16) {
        if !self.wanted(region, instance) {
            return;
        }
        let started = self
            .engine
            .start(cluster, port)
            .await
            .map(|()| 0)
            .map_err(|e| e.to_string());
        if self.is_down(region) {
            // Went down between the question and the start.
            self.engine.kill_region(region).await;
        } else if !self.wanted(region, instance)
            && self.read(|s| s.region(region).instances_of(&cluster.id).is_empty())
        {
            self.engine
                .stop(cluster, crate::pg::server::Stop::Clean)
                .await;
        }
        self.settle(region, |r| {
            if let Some(i) = r.instances.get_mut(instance) {
                settle(&mut i.making, &started);
            }
        });
    }

    fn wanted(&self, region: &str, instance: &str) -> bool {
        !self.is_down(region) && self.read(|s| s.region(region).instances.contains_key(instance))
    }

    /// Until the lab's clock, which someone may move, shows the time.
    pub(super) async fn wait_until(&self, time: Timestamp) {
        while self.now() < time {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Servers of a region's clusters that have an instance.
    ///
    /// # Errors
    /// The first that does not start.
    pub async fn start_region(&self, region: &str) -> Result<(), PgError> {
        let known = self.read(|s| s.region(region));
        let with_instance = known
            .clusters
            .values()
            .filter(|c| !known.instances_of(&c.id).is_empty());
        let starts = with_instance
            .map(|c| async move { self.engine.start(&at(region, &c.id), c.port).await });
        futures::future::join_all(starts)
            .await
            .into_iter()
            .collect::<Result<(), PgError>>()?;
        self.settle(region, |r| {
            r.instances.values_mut().for_each(|i| i.making.done = true)
        });
        Ok(())
    }

    /// # Errors
    /// As `start_region`.
    pub async fn start_all(&self) -> Result<(), PgError> {
        let regions: Vec<String> = self.around.admin_accounts.keys().cloned().collect();
        for region in regions {
            self.start_region(&region).await?;
        }
        Ok(())
    }

    /// As when a region is lost: every server of it is killed with SIGKILL.
    pub async fn region_down(&self, region: &str) {
        lock(&self.down).insert(region.to_owned());
        self.engine.kill_region(region).await;
    }

    /// # Errors
    /// As `start_region`.
    pub async fn region_up(&self, region: &str) -> Result<(), PgError> {
        lock(&self.down).remove(region);
        self.start_region(region).await
    }

    /// Ends every server in order.
    pub async fn stop(&self) {
        self.engine.stop_all().await;
    }

    pub async fn leftovers(&self) -> Leftovers {
        let scratch = |tags: &Tags| tags.get("dr:role").is_some_and(|r| r == "scratch");
        let (clusters, instances) = self.read(|s| {
            let regions = s.regions.values();
            let clusters = regions
                .clone()
                .flat_map(|r| r.clusters.values())
                .filter(|c| scratch(&c.tags))
                .count();
            (
                clusters,
                regions
                    .flat_map(|r| r.instances.values())
                    .filter(|i| scratch(&i.tags))
                    .count(),
            )
        });
        Leftovers {
            clusters,
            instances,
            processes: self.engine.strays().await,
        }
    }
}
