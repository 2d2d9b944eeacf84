//! Cluster snapshots: taken, copied, listed, shared, deleted.

use super::fault::{Fault, fault, no_cluster, no_snapshot};
use super::listing::listing;
use super::shared::{Ask, Rds, at};
use super::state::{Making, Region, SNAPSHOT_QUOTA, Snapshot, State, Who, arn, parse_arn};
use super::xml;
use jiff::Timestamp;
use std::sync::Arc;

pub(super) fn room_for(region: &Region, account: &str, id: &str) -> Result<(), Fault> {
    if region.snapshots.contains_key(id) {
        return Err(fault(
            "DBClusterSnapshotAlreadyExistsFault",
            format!(
                "Cannot create the cluster snapshot because one with the identifier {id} already \
                 exists."
            ),
        ));
    }
    if region.snapshots_owned(account) >= SNAPSHOT_QUOTA {
        return Err(fault(
            "SnapshotQuotaExceeded",
            format!("Cannot create more than {SNAPSHOT_QUOTA} manual cluster snapshots."),
        ));
    }
    Ok(())
}

/// A snapshot of this region that the caller may restore: his own by id, another's by ARN.
pub(super) fn restorable<'s>(
    state: &'s State,
    region: &str,
    who: &Who,
    name: &str,
) -> Result<&'s Snapshot, Fault> {
    let (wanted, id) = match parse_arn(name) {
        Some((r, "cluster-snapshot", id)) => (r, id),
        Some(_) => return Err(no_snapshot(name)),
        None => (region, name),
    };
    let by_arn = id.len() != name.len();
    let found = state.regions.get(wanted).and_then(|r| r.snapshots.get(id));
    let found = found.filter(|s| who.owns(&s.account) || (by_arn && who.may_restore(s)));
    found
        .filter(|s| !by_arn || arn(wanted, &s.account, "cluster-snapshot", id) == name)
        .ok_or_else(|| no_snapshot(name))
}

/// The caller's own snapshot by id or ARN.
pub(super) fn own<'s>(
    region: &'s mut Region,
    ask: &Ask<'_>,
    name: &str,
) -> Result<&'s mut Snapshot, Fault> {
    let id = match parse_arn(name) {
        Some((r, "cluster-snapshot", id)) if r == ask.region => id,
        Some(_) => return Err(no_snapshot(name)),
        None => name,
    };
    region
        .snapshots
        .get_mut(id)
        .filter(|s| ask.who.owns(&s.account))
        .ok_or_else(|| no_snapshot(name))
}

pub(super) fn must_be_ready(snapshot: &Snapshot, now: Timestamp) -> Result<(), Fault> {
    match snapshot.status(now) {
        "available" => Ok(()),
        status => Err(fault(
            "InvalidDBClusterSnapshotStateFault",
            format!("The snapshot {} is {status}, not available.", snapshot.id),
        )),
    }
}

impl Rds {
    pub(super) fn create_snapshot(self: &Arc<Self>, ask: &Ask<'_>) -> Result<String, Fault> {
        let id = ask.params.new_id("DBClusterSnapshotIdentifier")?;
        let cluster_id = ask.params.need("DBClusterIdentifier")?.to_owned();
        let tags = ask.params.tags();
        let ready_at = self.after(self.durations().snapshot_s);
        let answer = self.change(|state| {
            let region = state.region_mut(ask.region);
            let cluster = region
                .clusters
                .get(&cluster_id)
                .filter(|c| ask.who.owns(&c.account))
                .ok_or_else(|| no_cluster(&cluster_id))?;
            if !cluster.making.ready(ask.now) {
                return Err(fault(
                    "InvalidDBClusterStateFault",
                    format!("DBCluster {cluster_id} is not available."),
                ));
            }
            self.usable(&cluster.kms_key)?;
            room_for(region, &cluster.account, &id)?;
            let snapshot = Snapshot {
                id: id.clone(),
                account: cluster.account.clone(),
                cluster: cluster_id.clone(),
                cluster_created: cluster.created,
                created: ask.now,
                engine: cluster.engine.clone(),
                engine_version: cluster.engine_version.clone(),
                master_user: cluster.master_user.clone(),
                database: cluster.database.clone(),
                kms_key: cluster.kms_key.clone(),
                tags,
                shared_with: Vec::new(),
                source: None,
                from_other_region: false,
                bytes: 0,
                making: Making::until(ready_at),
            };
            let answer = xml::snapshot(ask.region, &snapshot, ask.now, true);
            region.snapshots.insert(id.clone(), snapshot);
            Ok(answer)
        })?;
        let (rds, region) = (self.clone(), ask.region.to_owned());
        tokio::spawn(async move {
            let taken = rds
                .engine
                .take_snapshot(&at(&region, &cluster_id), &id)
                .await;
            rds.snapshot_done(&region, &id, taken).await;
        });
        Ok(answer)
    }

    pub(super) fn describe_snapshots(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        let region = self.read(|s| s.region(ask.region));
        let shared = ask.params.flag("IncludeShared") == Some(true)
            || ask.params.get("SnapshotType") == Some("shared");
        let only_shared = ask.params.get("SnapshotType") == Some("shared");
        let visible = |s: &&Snapshot| {
            let own = ask.who.owns(&s.account);
            (own && !only_shared) || (!own && shared && ask.who.may_restore(s))
        };
        let wanted = ask.params.get("DBClusterSnapshotIdentifier");
        let named = |s: &&Snapshot| {
            let by_id = |w: &str| w == s.id && ask.who.owns(&s.account);
            wanted.is_none_or(|w| {
                by_id(w) || w == arn(ask.region, &s.account, "cluster-snapshot", &s.id)
            })
        };
        let of_cluster = |s: &&Snapshot| {
            ask.params
                .get("DBClusterIdentifier")
                .is_none_or(|c| c == s.cluster)
        };
        let kind = ask
            .params
            .get("SnapshotType")
            .is_none_or(|t| t == "manual" || t == "shared");
        let filters = ask.params.filters();
        let filtered = |s: &&Snapshot| {
            filters.iter().all(|(name, values)| match *name {
                "db-cluster-id" => values.contains(&s.cluster.as_str()),
                "db-cluster-snapshot-id" => values.contains(&s.id.as_str()),
                "engine" => values.contains(&s.engine.as_str()),
                "snapshot-type" => values.contains(&"manual"),
                _ => false,
            })
        };
        let found = region
            .snapshots
            .values()
            .filter(|_| kind)
            .filter(visible)
            .filter(named)
            .filter(of_cluster)
            .filter(filtered);
        let items: Vec<_> = found
            .map(|s| {
                (
                    s.id.clone(),
                    xml::snapshot(ask.region, s, ask.now, ask.who.owns(&s.account)),
                )
            })
            .collect();
        match wanted {
            Some(name) if items.is_empty() => Err(no_snapshot(name)),
            _ => listing("DBClusterSnapshots", items, ask.params),
        }
    }

    pub(super) async fn delete_snapshot(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        let name = ask.params.need("DBClusterSnapshotIdentifier")?;
        let snapshot = self.change(|state| {
            let region = state.region_mut(ask.region);
            let found = own(region, ask, name)?.clone();
            if !matches!(found.status(ask.now), "available" | "failed") {
                return Err(fault(
                    "InvalidDBClusterSnapshotStateFault",
                    format!("The snapshot {} is {}.", found.id, found.status(ask.now)),
                ));
            }
            region.snapshots.remove(&found.id);
            Ok(found)
        })?;
        self.engine
            .remove(&at(ask.region, &snapshot.id), "snapshots")
            .await;
        Ok(xml::snapshot(ask.region, &snapshot, ask.now, true))
    }
}

#[cfg(test)]
mod tests;
