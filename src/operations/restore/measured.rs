//! What a restore came to: its figures, and where what it made answers. Pure.

use super::choice::Choice;
use crate::engine::Report;
use crate::model::ClusterId;
use crate::plan::{CheckRestored, LoadDump, RestoreCluster, RestoreFiles, RestoreInto};
use jiff::Timestamp;
use serde::Serialize;

/// Where the RTO is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RtoFrom {
    IncidentAt,
    /// Of a restore that was resumed.
    FirstCommand,
    CommandStart,
}

/// What the RPO is counted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RpoBasis {
    /// The newest heartbeat found in the restored data.
    Heartbeat,
    SnapshotTime,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    pub tables: u64,
    pub rows: u64,
    pub objects: u64,
    pub heartbeat_id: Option<i64>,
    pub incident_at: Timestamp,
    pub rto_s: Option<f64>,
    pub rto_from: RtoFrom,
    pub rpo_s: Option<f64>,
    pub rpo_basis: RpoBasis,
    /// `HOST:PORT`, or a bucket's URL.
    pub endpoint: Option<String>,
    pub cluster: Option<ClusterId>,
    /// What the server has otherwise than the dump, and was not changed.
    pub exceptions: Vec<String>,
    /// Statements of the dump that the server refused.
    pub undone: Vec<String>,
    /// Tables that were compared with a dump of the same point; `None`: there is none.
    pub compared: Option<u64>,
    /// Those that are otherwise, and objects that are.
    pub differs: Vec<String>,
}

pub(super) fn measure(
    report: &Report,
    choice: &Choice<'_>,
    incident_at: Timestamp,
    rto_from: RtoFrom,
) -> Measured {
    let state = &report.state;
    let checked = state.done::<CheckRestored>().next().map(|(_, _, c)| c);
    let files = state.done::<RestoreFiles>().next().map(|(_, _, f)| f);
    let made = state.done::<RestoreCluster>().next().map(|(_, _, m)| m);
    let loaded = state.done::<LoadDump>().next().map(|(_, _, l)| l);
    let answered_at = checked
        .map(|c| c.answered_at)
        .or(files.map(|f| f.answered_at));
    let heartbeat = checked.map(|c| c.heartbeat).unwrap_or_default();
    let (lost_since, rpo_basis) = match heartbeat.at {
        Some(at) => (at, RpoBasis::Heartbeat),
        None => (choice.option.at, RpoBasis::SnapshotTime),
    };
    let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64().max(0.0);
    let endpoint = match (&choice.into, made) {
        (RestoreInto::Cluster { .. }, Some(made)) => Some(format!("{}:{}", made.host, made.port)),
        (RestoreInto::Cluster { .. }, None) => None,
        (RestoreInto::Database(into), _) => Some(format!("{}:{}", into.host, into.port)),
        (RestoreInto::Bucket { bucket, prefix, .. }, _) => Some(format!("s3://{bucket}/{prefix}")),
    };
    Measured {
        tables: checked.map_or(0, |c| c.tables),
        rows: checked.map_or(0, |c| c.rows),
        objects: files.map_or(0, |f| f.restored),
        heartbeat_id: heartbeat.id,
        incident_at,
        rto_s: answered_at.map(|t| seconds(incident_at, t)),
        rto_from,
        rpo_s: answered_at.map(|_| seconds(lost_since, incident_at)),
        rpo_basis,
        endpoint,
        cluster: made.map(|m| m.id.clone()),
        exceptions: loaded.map(|l| l.exceptions.clone()).unwrap_or_default(),
        compared: checked.and_then(|c| c.compared),
        differs: loaded
            .map(|l| l.objects_differ.clone())
            .into_iter()
            .chain(checked.map(|c| c.differs.clone()))
            .flatten()
            .collect(),
        undone: loaded.map(|l| l.undone.clone()).unwrap_or_default(),
    }
}
