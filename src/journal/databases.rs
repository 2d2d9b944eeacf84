//! Which databases the copies of clusters have, by the evidence of a run's steps. Pure.

use super::RunState;
use crate::model::SourceId;
use crate::plan::{
    CaptureParts, ClusterParts, DatabasesKnown, DatabasesListed, Link, PublishPoint, ReferenceRead,
};
use std::collections::BTreeMap;

/// Which databases a cluster's copy has, by what was asked of the cluster so far.
pub fn databases_of(state: &RunState, parts: &ClusterParts) -> DatabasesKnown {
    let Some(all) = &parts.all else {
        return DatabasesKnown {
            databases: parts.databases.clone(),
            exceptions: Vec::new(),
        };
    };
    let listed = |link: &Link<ReferenceRead>| -> Option<&DatabasesListed> {
        state.output(link)?.listed.as_ref()
    };
    all.known(&parts.id, listed(&all.before), listed(&all.after))
}

/// Of each cluster that was published.
pub fn of_clusters(state: &RunState) -> BTreeMap<&SourceId, DatabasesKnown> {
    let published = state.done::<PublishPoint>();
    let clusters = published.filter_map(|(_, action, _)| match &action.captured {
        CaptureParts::Aurora(parts) => Some((&action.source, databases_of(state, parts))),
        CaptureParts::Postgres(_) | CaptureParts::Bucket { .. } => None,
    });
    clusters.collect()
}
