//! A cluster's snapshot restored and read, and its databases dumped into every target and loaded
//! again.

use super::planned::{DrillInput, Planned};
use crate::manifest::{Captured, CapturedCluster, SnapshotCopy};
use crate::model::{ClusterId, Name, Role, Sha256, SourceId, TargetName};
use crate::plan::names;
use crate::plan::new_cluster::{Life, NewCluster};
use crate::plan::{
    ClusterMade, ClusterSpec, CreateCluster, DumpDatabase, DumpTaken, Dumps, InspectScratch,
    Inspected, Link, LoadScratch, RestoreCluster, ScratchAt, ScratchDatabase, ScratchPlace,
    TriedBy,
};
use jiff::Timestamp;

/// One cluster under drill.
struct Drilled<'a> {
    input: &'a DrillInput<'a>,
    source: &'a SourceId,
    captured: &'a Captured,
    snapshot_at: Timestamp,
    cluster: &'a CapturedCluster,
    copy: &'a SnapshotCopy,
}

/// From the first copy, in the policy's order.
pub(super) fn plan(
    input: &DrillInput<'_>,
    captured: &Captured,
    cluster: &CapturedCluster,
    planned: &mut Planned,
) {
    let mut copies = input.copies_of(&captured.source);
    let of = |target: &TargetName| cluster.copies.iter().find(|c| &c.target == target);
    let Some(copy) = copies.find_map(|c| of(&c.target)) else {
        return;
    };
    let drilled = Drilled {
        input,
        source: &captured.source,
        captured,
        snapshot_at: captured.at,
        cluster,
        copy,
    };
    let restored = drilled.restore(planned);
    let inspected: Vec<Inspected> = cluster
        .databases
        .iter()
        .map(|d| drilled.inspect(d, &restored, planned))
        .collect();
    let by = TriedBy::Snapshot {
        cluster: restored.clone(),
        inspected: inspected.clone(),
        snapshot_at: captured.at,
    };
    planned.prove(drilled.source, &copy.target, by);
    let at = match input.scratch_server() {
        Some(server) => ScratchAt::Server(server),
        None => ScratchAt::Cluster(drilled.create(&restored, planned)),
    };
    let targets: Vec<TargetName> = input.targets().cloned().collect();
    for inspected in &inspected {
        let scratch = Scratch {
            restored: restored.clone(),
            inspected,
            at: at.clone(),
        };
        for target in &targets {
            let by = drilled.dump(target, &scratch, planned);
            planned.prove(drilled.source, target, by);
        }
    }
    planned.dumps.push(Dumps {
        source: drilled.source.clone(),
        targets,
    });
}

/// Where a dump comes from and is loaded into.
struct Scratch<'a> {
    restored: Link<ClusterMade>,
    inspected: &'a Inspected,
    at: ScratchAt,
}

impl Drilled<'_> {
    fn restore(&self, planned: &mut Planned) -> Link<ClusterMade> {
        let spec = self.spec("snapshot");
        planned.clusters.insert(ScratchPlace {
            region: spec.region.clone(),
            endpoint: spec.endpoint.clone(),
        });
        let restore = RestoreCluster {
            source: self.source.clone(),
            spec,
            snapshot_arn: self.copy.arn.clone(),
        };
        planned.steps.add(Role::Driller, restore, &[])
    }

    fn inspect(
        &self,
        database: &Name,
        restored: &Link<ClusterMade>,
        planned: &mut Planned,
    ) -> Inspected {
        let inspect = InspectScratch {
            source: self.source.clone(),
            database: database.clone(),
            target: self.copy.target.clone(),
            cluster: restored.clone(),
            heartbeat: self.captured.heartbeat_of(database),
            snapshot_at: self.snapshot_at,
            heartbeat_max_age: self.input.drill.heartbeat_max_age,
            assertions: self.input.assertions(self.source, database),
            references: self
                .input
                .referred((self.source, database), &self.copy.target),
            streams: self.input.policy.concurrency.streams,
            min_comparable: self.input.min_comparable(self.source),
            amcheck: self.input.amcheck(),
        };
        let inspected = planned
            .steps
            .add(Role::Driller, inspect, &[restored.step()]);
        Inspected {
            database: database.clone(),
            by: inspected,
        }
    }

    fn create(&self, restored: &Link<ClusterMade>, planned: &mut Planned) -> Link<ClusterMade> {
        let create = CreateCluster {
            source: self.source.clone(),
            spec: self.spec("empty"),
        };
        planned.steps.add(Role::Driller, create, &[restored.step()])
    }

    fn dump(&self, target: &TargetName, scratch: &Scratch<'_>, planned: &mut Planned) -> TriedBy {
        let concurrency = &self.input.policy.concurrency;
        let Inspected { database, by } = scratch.inspected;
        let dump = DumpDatabase {
            target: target.clone(),
            source: self.source.clone(),
            database: database.clone(),
            cluster: scratch.restored.clone(),
            inspected: by.clone(),
            streams: concurrency.streams,
            part_size_bytes: concurrency.part_size_bytes,
            chunk_pages: concurrency.chunk_pages,
        };
        let dumped = planned.steps.add(Role::Driller, dump, &[by.step()]);
        let into = match &scratch.at {
            ScratchAt::Cluster(_) => loaded_into(target, database),
            ScratchAt::Server(server) => {
                let name = self.input.scratch_database(self.source, target, database);
                planned.databases.push(ScratchDatabase {
                    server: server.clone(),
                    name: name.clone(),
                });
                name
            }
        };
        let taken = DumpTaken::Dumped(dumped.clone());
        let load = LoadScratch {
            source: self.source.clone(),
            database: database.clone(),
            target: target.clone(),
            at: scratch.at.clone(),
            dump: taken.clone(),
            inspected: Some(by.clone()),
            heartbeat: self.captured.heartbeat_of(database),
            asked: Some(
                self.input
                    .asked((self.source, database), target, self.snapshot_at),
            ),
            into,
            streams: concurrency.streams,
            amcheck: self.input.amcheck(),
        };
        let mut needs = vec![dumped.step()];
        if let ScratchAt::Cluster(empty) = &scratch.at {
            needs.insert(0, empty.step());
        }
        let loaded = planned.steps.add(Role::Driller, load, &needs);
        TriedBy::Dump {
            database: database.clone(),
            dump: taken,
            loaded,
            snapshot_at: self.snapshot_at,
        }
    }

    fn spec(&self, what: &str) -> ClusterSpec {
        let input = self.input;
        let prefix = names::drill_prefix(&input.vault, &input.policy.name, &input.run);
        let new = NewCluster {
            captured: self.cluster,
            copy: self.copy,
            id: ClusterId::new(format!("{prefix}-{}-{what}", self.source)),
            account: &input.drill.account,
            endpoint: input.policy.rds_endpoint(&self.copy.region),
            shape: &input.drill.cluster,
            life: Life::Scratch {
                until: input.expires_at(),
            },
        };
        new.spec(&input.vault, &input.run)
    }
}

/// A database of the scratch cluster, one for each dump: at most 63 bytes, whatever the dumped one
/// is called.
fn loaded_into(target: &TargetName, database: &Name) -> Name {
    let hash = Sha256::of(database.as_str().as_bytes());
    let target = target.as_str().replace('-', "_");
    Name::new(format!("dr_load_{target}_{}", &hash.0[..8]))
}
