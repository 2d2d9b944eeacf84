//! A point as the vaults know it.

use crate::manifest::{Captured, Copy, Point, Proof};
use crate::model::{SourceId, TargetName};
use jiff::Timestamp;

/// A point with its copies and proofs, merged over all targets that answered.
#[derive(Clone, Debug)]
pub struct Known {
    pub point: Point,
    pub captured: Vec<Captured>,
    pub copies: Vec<Copy>,
    pub proofs: Vec<Proof>,
}

impl Known {
    pub(super) fn copy(&self, source: &SourceId, target: &TargetName) -> Option<&Copy> {
        let is = |c: &&Copy| (&c.source, &c.target) == (source, target);
        self.copies.iter().find(is)
    }

    pub(super) fn captured(&self, source: &SourceId) -> Option<&Captured> {
        self.captured.iter().find(|c| &c.source == source)
    }

    /// The instant that a source of it stands for.
    pub(super) fn at_of(&self, source: &SourceId) -> Timestamp {
        self.captured(source)
            .map_or(self.point.slot.time(), |c| c.at)
    }

    /// The oldest of its instants: what a restore of all of it would go back to.
    pub(super) fn at(&self) -> Timestamp {
        let instants = self.captured.iter().map(|c| c.at);
        instants.min().unwrap_or(self.point.slot.time())
    }
}
