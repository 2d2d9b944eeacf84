//! An Aurora cluster: its snapshot, shared with the vaults' accounts, and the snapshot's copies.

use super::branch::{BackupInput, Branch};
use crate::manifest::SnapshotCopy;
use crate::model::{AccountId, Name, Role, Seconds, StepId};
use crate::plan::names::{self, Tagged};
use crate::plan::step::Steps;
use crate::plan::{
    AllDatabases, CaptureParts, ClusterParts, CopyParts, CopySnapshot, HeldParts, Link, Moment,
    PublishPoint, ReadReference, ShareSnapshot, SnapshotTaken, TakeSnapshot,
};
use crate::policy::{AuroraSource, Databases, SnapshotTarget, Target};
use jiff::Timestamp;

/// The snapshot's steps, for those that build on it.
pub(super) struct Taken<'a> {
    pub cluster: &'a AuroraSource,
    pub name: Name,
    pub taken: Link<SnapshotTaken>,
    /// Also that it is shared, where that is needed.
    done: Vec<StepId>,
    /// The second reading of the source.
    again: Option<StepId>,
}

fn ends_at(from: Timestamp, kept: Seconds) -> Timestamp {
    Timestamp::from_second((from + kept.signed()).as_second()).unwrap_or(from)
}

/// Snapshot and share.
pub(super) fn take<'a>(
    input: &BackupInput<'a>,
    cluster: &'a AuroraSource,
    steps: &mut Steps,
) -> Taken<'a> {
    let policy = input.policy;
    let name = names::snapshot(&input.vault, &policy.name, &cluster.id, input.slot);
    let longest = policy.targets.iter().map(|t| t.lock.retention).max();
    let tagged = Tagged {
        vault: &input.vault,
        run: &input.run,
        source: Some(names::cluster_arn(
            &cluster.region,
            &cluster.account,
            &cluster.cluster,
        )),
    };
    let endpoint = policy.rds_endpoint(&cluster.region).map(str::to_owned);
    let take = TakeSnapshot {
        source: cluster.id.clone(),
        cluster: cluster.cluster.clone(),
        region: cluster.region.clone(),
        account: cluster.account.clone(),
        endpoint: endpoint.clone(),
        snapshot: name.clone(),
        tags: tagged.snapshot(ends_at(
            input.opened_at,
            longest.unwrap_or(Seconds::days(1)),
        )),
    };
    let before = read(input, cluster, Moment::Before);
    let before = before.map(|read| steps.add(Role::Scheduler, read, &[]));
    let first: Vec<&StepId> = before.iter().map(Link::step).collect();
    let taken = steps.add_after(Role::Scheduler, take, &first);
    let mut done = vec![taken.step().clone()];
    // The point is published with what its source was read to hold, or without.
    let again = read(input, cluster, Moment::After);
    let again = again.map(|read| steps.add(Role::Scheduler, read, &[taken.step()]));
    let with = shared_with(input, cluster);
    if !with.is_empty() {
        let share = ShareSnapshot {
            source: cluster.id.clone(),
            region: cluster.region.clone(),
            endpoint,
            snapshot: name.clone(),
            with,
        };
        let shared = steps.add(Role::Scheduler, share, &[taken.step()]);
        done.push(shared.step().clone());
    }
    Taken {
        cluster,
        name,
        taken,
        done,
        again: again.map(|read| read.step().clone()),
    }
}

/// `None`: nobody is named who may read it.
fn read(input: &BackupInput<'_>, cluster: &AuroraSource, moment: Moment) -> Option<ReadReference> {
    /// The service's own readers come first.
    const STREAMS: u32 = 2;
    let reader = cluster.reader.as_ref()?;
    let endpoint = input.policy.rds_endpoint(&cluster.region);
    Some(ReadReference {
        source: cluster.id.clone(),
        moment,
        cluster: cluster.cluster.clone(),
        region: cluster.region.clone(),
        endpoint: endpoint.map(str::to_owned),
        user: reader.user.clone(),
        databases: cluster.databases.clone(),
        heartbeat: cluster.heartbeat.as_ref().map(Into::into),
        budget: cluster.reference.clone().unwrap_or_default().budget,
        streams: STREAMS.min(input.policy.concurrency.streams),
    })
}

/// Who says which databases there are, where all of them are wanted.
fn all(input: &BackupInput<'_>, cluster: &AuroraSource) -> Option<AllDatabases> {
    if cluster.databases != Databases::All || cluster.reader.is_none() {
        return None;
    }
    let read = |moment: Moment| Steps::coming::<ReadReference>(&[&cluster.id, &moment]);
    Some(AllDatabases {
        named: input.policy.databases_named(&cluster.id),
        before: read(Moment::Before),
        after: read(Moment::After),
    })
}

/// The accounts that copy it, each once.
fn shared_with(input: &BackupInput<'_>, cluster: &AuroraSource) -> Vec<AccountId> {
    let places = input.policy.targets.iter();
    let mut with: Vec<AccountId> = places
        .filter_map(|t| t.snapshots.as_ref())
        .map(|s| s.account.clone())
        .filter(|a| a != &cluster.account)
        .collect();
    with.sort();
    with.dedup();
    with
}

impl<'a> Taken<'a> {
    pub fn branch(&self, input: &BackupInput<'_>) -> Branch<'a> {
        let cluster = self.cluster;
        let places = || {
            let targets = input.policy.targets.iter();
            targets.filter_map(|t| Some((t, t.snapshots.as_ref()?)))
        };
        let copy = |(target, place): (&Target, &SnapshotTarget)| SnapshotCopy {
            target: target.name.clone(),
            region: target.region.clone(),
            account: place.account.clone(),
            arn: names::snapshot_arn(&target.region, &place.account, &self.name),
            kms_key: place.kms_key.clone(),
        };
        let parts = |(target, _): (&Target, &SnapshotTarget)| CopyParts {
            target: target.name.clone(),
            published: Steps::coming::<PublishPoint>(&[&cluster.id, &target.name]),
            held: HeldParts::Snapshot {
                copied: Steps::coming::<CopySnapshot>(&[&cluster.id, &target.name]),
            },
        };
        Branch {
            source: &cluster.id,
            captured: CaptureParts::Aurora(Box::new(ClusterParts {
                id: cluster.cluster.clone(),
                region: cluster.region.clone(),
                account: cluster.account.clone(),
                databases: cluster.databases.listed().to_vec(),
                all: all(input, cluster),
                heartbeat: cluster.heartbeat.as_ref().map(Into::into),
                taken: self.taken.clone(),
                copies: places().map(copy).collect(),
            })),
            copies: places().map(parts).collect(),
        }
    }

    /// `None`: this target has no place for snapshots.
    pub fn copy(
        &self,
        input: &BackupInput<'_>,
        target: &Target,
        steps: &mut Steps,
    ) -> Option<StepId> {
        let place = target.snapshots.as_ref()?;
        let (policy, cluster) = (input.policy, self.cluster);
        let source_arn = names::snapshot_arn(&cluster.region, &cluster.account, &self.name);
        let tagged = Tagged {
            vault: &input.vault,
            run: &input.run,
            source: Some(source_arn.clone()),
        };
        let share_with = policy
            .drill
            .iter()
            .map(|d| d.account.clone())
            .filter(|a| a != &place.account)
            .collect();
        let copy = CopySnapshot {
            source: cluster.id.clone(),
            target: target.name.clone(),
            taken: self.taken.clone(),
            source_arn,
            region: target.region.clone(),
            account: place.account.clone(),
            endpoint: policy.rds_endpoint(&target.region).map(str::to_owned),
            copy: self.name.clone(),
            kms_key: place.kms_key.clone(),
            share_with,
            tags: tagged.snapshot(ends_at(input.opened_at, target.lock.retention)),
        };
        let needs: Vec<&StepId> = self.done.iter().collect();
        let after: Vec<&StepId> = self.again.iter().collect();
        let copied = steps.add_in_order(Role::Copier, copy, (&needs, &after));
        Some(copied.step().clone())
    }
}
