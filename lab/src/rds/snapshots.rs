//! Cluster snapshots: taken, copied, listed, shared, deleted.

use super::fault::{Fault, fault, no_cluster, no_snapshot};
use super::state::{
    COPY_QUOTA, Making, Region, SNAPSHOT_QUOTA, Snapshot, State, Who, arn, parse_arn,
};
use super::{Ask, Rds, at, listing, xml};
use jiff::Timestamp;
use std::sync::Arc;

fn room_for(region: &Region, account: &str, id: &str) -> Result<(), Fault> {
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
fn own<'s>(region: &'s mut Region, ask: &Ask<'_>, name: &str) -> Result<&'s mut Snapshot, Fault> {
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

    pub(super) fn copy_snapshot(self: &Arc<Self>, ask: &Ask<'_>) -> Result<String, Fault> {
        let source_name = ask.params.need("SourceDBClusterSnapshotIdentifier")?;
        let id = ask.params.new_id("TargetDBClusterSnapshotIdentifier")?;
        let from = parse_arn(source_name)
            .map_or(ask.region, |(r, _, _)| r)
            .to_owned();
        let other = from != ask.region;
        if other && self.is_down(&from) {
            return Err(fault(
                "ServiceUnavailable",
                format!("{from} does not answer."),
            ));
        }
        let ready_at = self.after(self.durations().copy_s);
        let account = self.account_of(ask);
        let (answer, source_id) = self.change(|state| {
            let source = restorable(state, &from, ask.who, source_name)?.clone();
            must_be_ready(&source, ask.now)?;
            self.usable(&source.kms_key)?;
            let key = match ask.params.get("KmsKeyId") {
                None if other => {
                    return Err(fault(
                        "InvalidParameterCombination",
                        "KmsKeyId must be given to copy an encrypted snapshot from another region.",
                    ));
                }
                None => source.kms_key.clone(),
                given => self.key(ask.region, given)?,
            };
            let region = state.region_mut(ask.region);
            room_for(region, &account, &id)?;
            if other && region.copies_under_way(&account, ask.now) >= COPY_QUOTA {
                return Err(fault(
                    "SnapshotQuotaExceeded",
                    format!(
                        "Cannot copy more than {COPY_QUOTA} snapshots from other regions at a time."
                    ),
                ));
            }
            let mut tags = if ask.params.flag("CopyTags") == Some(true) {
                source.tags.clone()
            } else {
                super::state::Tags::new()
            };
            tags.extend(ask.params.tags());
            let snapshot = Snapshot {
                id: id.clone(),
                account: account.clone(),
                created: source.created,
                kms_key: key,
                tags,
                shared_with: Vec::new(),
                source: Some(arn(&from, &source.account, "cluster-snapshot", &source.id)),
                from_other_region: other,
                bytes: 0,
                making: Making::until(ready_at),
                ..source.clone()
            };
            let answer = xml::snapshot(ask.region, &snapshot, ask.now, true);
            region.snapshots.insert(id.clone(), snapshot);
            Ok((answer, source.id))
        })?;
        let (rds, region) = (self.clone(), ask.region.to_owned());
        tokio::spawn(async move {
            let copied = rds
                .engine
                .copy_snapshot(&at(&from, &source_id), &at(&region, &id))
                .await;
            rds.snapshot_done(&region, &id, copied).await;
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

    pub(super) fn describe_attributes(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        let name = ask.params.need("DBClusterSnapshotIdentifier")?;
        let mut region = self.read(|s| s.region(ask.region));
        own(&mut region, ask, name).map(|s| attributes(s))
    }

    pub(super) fn modify_attribute(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        let name = ask.params.need("DBClusterSnapshotIdentifier")?;
        if ask.params.need("AttributeName")? != "restore" {
            return Err(fault(
                "InvalidParameterValue",
                "AttributeName must be restore.",
            ));
        }
        let (add, remove) = (
            ask.params.list("ValuesToAdd"),
            ask.params.list("ValuesToRemove"),
        );
        let account = |v: &&str| v.len() == 12 && v.bytes().all(|b| b.is_ascii_digit());
        if let Some(wrong) = add.iter().chain(&remove).find(|v| !account(v)) {
            return Err(fault(
                "InvalidParameterValue",
                format!("{wrong} is no account; an encrypted snapshot cannot be public."),
            ));
        }
        self.change(|state| {
            let snapshot = own(state.region_mut(ask.region), ask, name)?;
            must_be_ready(snapshot, ask.now)?;
            snapshot
                .shared_with
                .retain(|a| !remove.contains(&a.as_str()) && !add.contains(&a.as_str()));
            snapshot
                .shared_with
                .extend(add.iter().map(|a| (*a).to_owned()));
            Ok(attributes(snapshot))
        })
    }
}

fn attributes(snapshot: &Snapshot) -> String {
    let values: String = snapshot
        .shared_with
        .iter()
        .map(|a| xml::element("AttributeValue", a))
        .collect();
    let attribute =
        xml::element("AttributeName", "restore") + &xml::wrap("AttributeValues", values);
    let list = xml::wrap(
        "DBClusterSnapshotAttributes",
        xml::wrap("DBClusterSnapshotAttribute", attribute),
    );
    xml::wrap(
        "DBClusterSnapshotAttributesResult",
        xml::element("DBClusterSnapshotIdentifier", &snapshot.id) + &list,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Role;
    use crate::rds::state::Tags;

    fn snapshot(id: &str, shared_with: &[&str], ready_at: i64, copied: bool) -> Snapshot {
        let at = |s| Timestamp::from_second(s).expect("a second");
        Snapshot {
            id: id.into(),
            account: "111111111111".into(),
            cluster: "shop".into(),
            cluster_created: at(0),
            created: at(0),
            engine: "aurora-postgresql".into(),
            engine_version: "15.18".into(),
            master_user: "master".into(),
            database: None,
            kms_key: String::new(),
            tags: Tags::new(),
            shared_with: shared_with.iter().map(|a| (*a).to_owned()).collect(),
            source: copied
                .then(|| arn("eu-central-1", "111111111111", "cluster-snapshot", "source")),
            from_other_region: copied,
            bytes: 0,
            making: Making {
                done: true,
                ready_at: at(ready_at),
                failed: None,
            },
        }
    }

    fn state(snapshots: Vec<Snapshot>) -> State {
        let mut state = State::default();
        state.region_mut("eu-west-3").snapshots =
            snapshots.into_iter().map(|s| (s.id.clone(), s)).collect();
        state
    }

    #[test]
    fn a_shared_snapshot_is_found_by_arn_and_only_by_those_it_is_shared_with() {
        let state = state(vec![snapshot("one", &["222222222222"], 0, false)]);
        let find = |account: &str, name: &str| {
            restorable(
                &state,
                "eu-west-3",
                &Who {
                    role: Role::Copier,
                    account: account.into(),
                },
                name,
            )
            .map(|s| s.id.clone())
            .map_err(|f| f.code)
        };
        let name = arn("eu-west-3", "111111111111", "cluster-snapshot", "one");
        let none = Err("DBClusterSnapshotNotFoundFault");
        assert_eq!(find("111111111111", "one"), Ok("one".into()));
        assert_eq!(find("222222222222", &name), Ok("one".into()));
        assert_eq!(find("222222222222", "one"), none);
        assert_eq!(find("333333333333", &name), none);
        assert_eq!(
            find(
                "222222222222",
                &arn("eu-west-3", "333333333333", "cluster-snapshot", "one")
            ),
            none
        );
        assert_eq!(
            find(
                "111111111111",
                "arn:aws:rds:eu-west-3:111111111111:cluster:one"
            ),
            none
        );
    }

    #[test]
    fn copies_count_while_they_are_under_way_and_snapshots_always() {
        let now = Timestamp::from_second(10).expect("a second");
        let all = (0..100)
            .map(|i| snapshot(&format!("s{i}"), &[], if i < 5 { 20 } else { 0 }, i < 7))
            .collect();
        let region = state(all).region("eu-west-3");
        assert_eq!(region.copies_under_way("111111111111", now), COPY_QUOTA);
        assert_eq!(region.copies_under_way("222222222222", now), 0);
        assert_eq!(
            room_for(&region, "111111111111", "new").map_err(|f| f.code),
            Err("SnapshotQuotaExceeded")
        );
        assert_eq!(room_for(&region, "222222222222", "new"), Ok(()));
        assert_eq!(
            room_for(&region, "222222222222", "s1").map_err(|f| f.code),
            Err("DBClusterSnapshotAlreadyExistsFault")
        );
    }
}
