//! What can be restored from where: proven first, newest first. Pure.

use crate::manifest::Exception;
use crate::model::{Method, Name, ObjectKey, Slot, SourceId, TargetName};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;

/// One way to restore one point from one target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RestoreOption {
    pub source: SourceId,
    pub method: Method,
    /// Of a dump.
    pub database: Option<Name>,
    pub target: TargetName,
    pub point: Slot,
    pub at: Timestamp,
    /// What would be lost: the age of the point.
    pub loses_s: i64,
    /// The newest verdict is that a restore passed.
    pub proven: bool,
    /// The newest verdict is that a restore failed: why.
    pub failed: Option<String>,
    /// Age of that verdict.
    pub proof_age_s: Option<i64>,
    /// Mean of what the drills of this method at this target took, of any point.
    pub eta_s: Option<f64>,
    pub eta_from_n: u64,
    /// Key of the dump's document, for method `dump`.
    pub dump: Option<ObjectKey>,
    /// Dumps of the same point at this target, by database: what is restored must equal them.
    pub equals: Vec<(Name, ObjectKey)>,
    /// What it would not bring back.
    pub exceptions: Vec<Exception>,
}

impl RestoreOption {
    /// `shop`, or `shop (database billing)`.
    pub fn what(&self) -> String {
        match &self.database {
            Some(database) => format!("{} (database {database})", self.source),
            None => self.source.to_string(),
        }
    }
}

/// Proven before never tried before failed, then newest first; the faster method first where points
/// are equal.
pub fn order(options: &mut [RestoreOption]) {
    options.sort_by(|a, b| {
        b.proven
            .cmp(&a.proven)
            .then(a.failed.is_some().cmp(&b.failed.is_some()))
            .then(b.at.cmp(&a.at))
            .then(a.method.cmp(&b.method))
    });
}

/// What is asked for; what is left out may be anything.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub method: Method,
    pub source: Option<&'a SourceId>,
    pub database: Option<&'a Name>,
    pub point: Option<Slot>,
    pub target: Option<&'a TargetName>,
}

impl Wanted<'_> {
    fn fits(&self, o: &RestoreOption) -> bool {
        o.method == self.method
            && self.source.is_none_or(|s| s == &o.source)
            && self.database.is_none_or(|d| Some(d) == o.database.as_ref())
            && self.point.is_none_or(|p| p == o.point)
            && self.target.is_none_or(|t| t == &o.target)
    }
}

/// The first option that fits what was asked for.
///
/// # Errors
/// Several sources, or databases, fit: which one is for a person to say.
pub fn pick<'a>(
    options: &'a [RestoreOption],
    wanted: &Wanted<'_>,
) -> Result<Option<&'a RestoreOption>, Ambiguous> {
    let fitting = || options.iter().filter(|o| wanted.fits(o));
    let things: BTreeSet<(SourceId, Option<Name>)> = fitting()
        .map(|o| (o.source.clone(), o.database.clone()))
        .collect();
    if things.len() > 1 {
        return Err(Ambiguous(things));
    }
    Ok(fitting().next())
}

/// Several things, of which one is meant.
#[derive(Debug, PartialEq, Eq)]
pub struct Ambiguous(pub BTreeSet<(SourceId, Option<Name>)>);

#[cfg(test)]
mod tests;
