//! What a step does, and what it leaves behind: one file per action, with its fields and its
//! output. The same name stands in plan, step id, evidence and code (`copy-objects`,
//! `CopyObjects`, `copy_objects.rs`; src/steps/ has a file of that name with the effect).
//!
//! Every name in an action was decided at planning time.

mod all_databases;
mod check_restored;
mod cluster_spec;
mod copy_objects;
mod copy_snapshot;
mod create_cluster;
mod dump_database;
mod dump_server;
mod inspect_scratch;
mod list_objects;
mod load_dump;
mod load_scratch;
mod make_vault;
mod probe_lock;
mod publish_point;
mod read_reference;
mod read_server;
mod referred;
mod restore_cluster;
mod restore_files;
mod share_snapshot;
mod spread_proofs;
mod store_policy;
mod sweep_drill;
mod take_snapshot;
mod teardown;
mod verify_copies;
mod verify_point;
mod write_proofs;

pub use all_databases::{AllDatabases, DatabasesKnown};
pub use check_restored::{Against, CheckRestored, Restored, RestoredChecked};
pub use cluster_spec::{ClusterMade, ClusterSpec};
pub use copy_objects::{BaseCopy, CopyObjects, NotKept, ObjectsCopied};
pub use copy_snapshot::{CopySnapshot, SnapshotCopied};
pub use create_cluster::CreateCluster;
pub use dump_database::{DatabaseDumped, DumpDatabase};
pub use dump_server::{DumpServer, ServerDumped};
pub use inspect_scratch::{Beat, InspectScratch, ScratchInspected};
pub use list_objects::{ListObjects, ListedSource, ObjectsListed};
pub use load_dump::{LoadDump, Refusals};
pub use load_scratch::{Asked, DumpLoaded, DumpTaken, LoadScratch, ScratchAt};
pub use make_vault::{BucketFound, MakeVault, VaultMade};
pub use probe_lock::{LockProbed, ProbeLock};
pub use publish_point::{
    CaptureParts, ClusterParts, CopyParts, HeldParts, PointPublished, PublishPoint, ServerParts,
};
pub use read_reference::{DatabasesListed, DatabasesRead, Moment, ReadReference, ReferenceRead};
pub use read_server::{ReadServer, ServerPlace, ServerRead};
pub use referred::Referred;
pub use restore_cluster::RestoreCluster;
pub use restore_files::{FilesRestored, Purpose, RestoreFiles};
pub use share_snapshot::{ShareSnapshot, SnapshotShared};
pub use spread_proofs::{ProofsSpread, SpreadProofs};
pub use store_policy::{PolicyStored, StorePolicy};
pub use sweep_drill::SweepDrill;
pub use take_snapshot::{SnapshotTaken, TakeSnapshot};
pub use teardown::{Dumps, ScratchDatabase, ScratchPlace, Teardown, TornDown};
pub use verify_copies::{CopiesVerified, VerifyCopies};
pub use verify_point::{CodeCounted, PointVerified, TargetRead, VerifyPoint};
pub use write_proofs::{Inspected, ProofsWritten, Tried, TriedBy, WriteProofs};

use crate::model::StepId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

pub type Tags = BTreeMap<String, String>;

/// One kind of action.
pub trait Action: Sized {
    type Output: Output + 'static;
    /// Beginning of its steps' ids, and its tag in plan and evidence.
    const NAME: &'static str;

    /// Which of several this one is done to: a source, a target, where a plan has one such step for
    /// each.
    fn of(&self) -> Vec<&dyn fmt::Display> {
        Vec::new()
    }
    fn stored(self) -> StoredAction;
    fn in_plan(stored: &StoredAction) -> Option<&Self>;
    fn evidence(output: Self::Output) -> Evidence;

    fn step_id(&self) -> StepId {
        StepId::new(Self::NAME, &self.of())
    }
}

/// What a step leaves in the journal when it succeeded; links lead to it.
pub trait Output: Sized {
    fn in_journal(evidence: &Evidence) -> Option<&Self>;
}

/// The two stored forms, made from one list so that neither lacks what the other has.
macro_rules! actions {
    ($($action:ident $(of $($of:ident)+)? => $output:ident, $name:literal;)*) => {
        /// An action as a plan stores it.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "do")]
        pub enum StoredAction {
            $(#[serde(rename = $name)] $action($action),)*
        }

        /// An output as the journal stores it.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "of")]
        pub enum Evidence {
            $(#[serde(rename = $name)] $action($output),)*
        }

        $(impl Action for $action {
            type Output = $output;
            const NAME: &'static str = $name;

            $(fn of(&self) -> Vec<&dyn fmt::Display> {
                vec![$(&self.$of),+]
            })?
            fn stored(self) -> StoredAction {
                StoredAction::$action(self)
            }
            fn in_plan(stored: &StoredAction) -> Option<&Self> {
                match stored {
                    StoredAction::$action(action) => Some(action),
                    _ => None,
                }
            }
            fn evidence(output: $output) -> Evidence {
                Evidence::$action(output)
            }
        })*

        impl StoredAction {
            /// Names of all actions, for pages and tests that speak of each.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            pub fn name(&self) -> &'static str {
                match self {
                    $(StoredAction::$action(_) => $name,)*
                }
            }
        }
    };
}

actions! {
    TakeSnapshot of source => SnapshotTaken, "take-snapshot";
    ShareSnapshot of source => SnapshotShared, "share-snapshot";
    CopySnapshot of source target => SnapshotCopied, "copy-snapshot";
    ReadReference of source moment => ReferenceRead, "read-reference";
    ReadServer of source => ServerRead, "read-server";
    DumpServer of source target => ServerDumped, "dump-server";
    ListObjects of source => ObjectsListed, "list-objects";
    CopyObjects of source target => ObjectsCopied, "copy-objects";
    VerifyCopies of source target => CopiesVerified, "verify-copies";
    PublishPoint of source target => PointPublished, "publish-point";
    RestoreCluster of source => ClusterMade, "restore-cluster";
    CreateCluster of source => ClusterMade, "create-cluster";
    InspectScratch of source database => ScratchInspected, "inspect-scratch";
    DumpDatabase of source database target => DatabaseDumped, "dump-database";
    LoadScratch of source database target => DumpLoaded, "load-scratch";
    RestoreFiles of source target => FilesRestored, "restore-files";
    ProbeLock of target => LockProbed, "probe-lock";
    WriteProofs => ProofsWritten, "write-proofs";
    Teardown => TornDown, "teardown";
    SweepDrill of run => TornDown, "sweep-drill";
    SpreadProofs of run target => ProofsSpread, "spread-proofs";
    LoadDump of source => DumpLoaded, "load-dump";
    CheckRestored of source => RestoredChecked, "check-restored";
    MakeVault of target => VaultMade, "make-vault";
    StorePolicy of target => PolicyStored, "store-policy";
    VerifyPoint => PointVerified, "verify-point";
}

macro_rules! outputs {
    ($($output:ident of $($action:ident)|+;)*) => {
        $(impl Output for $output {
            fn in_journal(evidence: &Evidence) -> Option<&Self> {
                match evidence {
                    $(Evidence::$action(output))|+ => Some(output),
                    _ => None,
                }
            }
        })*
    };
}

outputs! {
    SnapshotTaken of TakeSnapshot;
    SnapshotShared of ShareSnapshot;
    SnapshotCopied of CopySnapshot;
    ReferenceRead of ReadReference;
    ServerRead of ReadServer;
    ServerDumped of DumpServer;
    ObjectsListed of ListObjects;
    ObjectsCopied of CopyObjects;
    CopiesVerified of VerifyCopies;
    PointPublished of PublishPoint;
    ClusterMade of RestoreCluster | CreateCluster;
    ScratchInspected of InspectScratch;
    DatabaseDumped of DumpDatabase;
    DumpLoaded of LoadScratch | LoadDump;
    FilesRestored of RestoreFiles;
    LockProbed of ProbeLock;
    ProofsWritten of WriteProofs;
    TornDown of Teardown | SweepDrill;
    ProofsSpread of SpreadProofs;
    RestoredChecked of CheckRestored;
    VaultMade of MakeVault;
    PolicyStored of StorePolicy;
    PointVerified of VerifyPoint;
}
