//! What actions do: observe, act if absent, observe again. One file per action, named after it; one
//! match over all of them.

mod assertion;
mod away;
mod check_restored;
mod cluster;
mod context;
mod controlled;
mod copy_objects;
mod copy_snapshot;
mod create_cluster;
mod database;
mod databases_there;
mod dump_database;
mod dump_server;
mod heartbeat;
mod hold_evidence;
mod inspect_scratch;
mod list_objects;
mod load_dump;
mod load_scratch;
mod lock_guard;
mod make_vault;
mod object_manifest;
mod one_dump;
mod probe_lock;
mod proofs;
mod publish_point;
mod read_back;
mod read_reference;
mod read_server;
mod referred;
mod restore_cluster;
mod restore_files;
mod share_snapshot;
mod snapshot;
mod source_compared;
mod spread_proofs;
mod store_policy;
mod structure;
mod take_snapshot;
mod teardown;
mod verify_copies;
mod verify_point;
mod write_proofs;

pub use context::{Context, Progress, Said, Secrets};
pub use object_manifest::read_manifest;
pub use proofs::proofs_of;
pub use restore_files::sample;
pub use source_compared::{Found, compare};

use crate::plan::{Action, Evidence, StoredAction};
use crate::report::Fail;

/// An action's effect. It may be called again after a crash at any moment and then changes nothing
/// that is done already.
pub(crate) trait Perform: Action {
    /// # Errors
    /// [`Fail`] with a kind that the engine acts on.
    async fn perform(&self, ctx: &Context<'_>) -> Result<Self::Output, Fail>;
}

/// Boxed: what waits for any action would else be as large as the largest of them, at every level
/// above.
async fn effect<A: Perform>(action: &A, ctx: &Context<'_>) -> Result<Evidence, Fail> {
    Box::pin(action.perform(ctx)).await.map(A::evidence)
}

/// The one match over actions.
///
/// # Errors
/// As the action's own.
pub async fn perform(action: &StoredAction, ctx: &Context<'_>) -> Result<Evidence, Fail> {
    match action {
        StoredAction::TakeSnapshot(a) => effect(a, ctx).await,
        StoredAction::ShareSnapshot(a) => effect(a, ctx).await,
        StoredAction::CopySnapshot(a) => effect(a, ctx).await,
        StoredAction::ReadReference(a) => effect(a, ctx).await,
        StoredAction::ReadServer(a) => effect(a, ctx).await,
        StoredAction::DumpServer(a) => effect(a, ctx).await,
        StoredAction::ListObjects(a) => effect(a, ctx).await,
        StoredAction::CopyObjects(a) => effect(a, ctx).await,
        StoredAction::VerifyCopies(a) => effect(a, ctx).await,
        StoredAction::PublishPoint(a) => effect(a, ctx).await,
        StoredAction::RestoreCluster(a) => effect(a, ctx).await,
        StoredAction::CreateCluster(a) => effect(a, ctx).await,
        StoredAction::InspectScratch(a) => effect(a, ctx).await,
        StoredAction::DumpDatabase(a) => effect(a, ctx).await,
        StoredAction::LoadScratch(a) => effect(a, ctx).await,
        StoredAction::RestoreFiles(a) => effect(a, ctx).await,
        StoredAction::ProbeLock(a) => effect(a, ctx).await,
        StoredAction::WriteProofs(a) => effect(a, ctx).await,
        StoredAction::Teardown(a) => effect(a, ctx).await,
        StoredAction::SweepDrill(a) => effect(a, ctx).await,
        StoredAction::SpreadProofs(a) => effect(a, ctx).await,
        StoredAction::LoadDump(a) => effect(a, ctx).await,
        StoredAction::CheckRestored(a) => effect(a, ctx).await,
        StoredAction::MakeVault(a) => effect(a, ctx).await,
        StoredAction::StorePolicy(a) => effect(a, ctx).await,
        StoredAction::VerifyPoint(a) => effect(a, ctx).await,
    }
}
