//! What a drill is planned from, and its plan as far as it is made.

use crate::manifest::{Captured, Copy, Point};
use crate::model::{Name, Provider, Region, RunId, Seconds, Sha256, SourceId, TargetName, VaultId};
use crate::plan::names::{self, Tagged};
use crate::plan::step::Steps;
use crate::plan::{
    Asked, BaseCopy, Dumps, Link, LockProbed, Referred, ScratchDatabase, ScratchPlace, ServerPlace,
    Tags, Tried, TriedBy,
};
use crate::policy::{Assertion, Drill, Policy, Reference};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

pub struct DrillInput<'a> {
    pub policy: &'a Policy,
    pub drill: &'a Drill,
    pub policy_sha256: Sha256,
    pub vault: VaultId,
    pub journal_target: TargetName,
    pub run: RunId,
    pub opened_at: Timestamp,
    pub point: &'a Point,
    /// Sources of the point that were captured, in policy order.
    pub captured: &'a [Captured],
    /// Complete copies of them, in policy order of their targets.
    pub copies: &'a [Copy],
}

impl DrillInput<'_> {
    /// When what the run makes may be swept, in whole seconds.
    pub(super) fn expires_at(&self) -> Timestamp {
        let at = self.opened_at + self.drill.ttl.signed();
        Timestamp::from_second(at.as_second()).unwrap_or(self.opened_at)
    }

    /// Of everything that the run makes; clusters also say what they were made from.
    pub(super) fn scratch_tags(&self) -> Tags {
        let tagged = Tagged {
            vault: &self.vault,
            run: &self.run,
            source: None,
        };
        tagged.scratch(self.expires_at())
    }

    pub(super) fn copies_of<'b>(
        &'b self,
        source: &'b SourceId,
    ) -> impl Iterator<Item = &'b Copy> + 'b {
        self.copies.iter().filter(move |c| &c.source == source)
    }

    /// Targets that hold something of the point, or are to hold nothing before a drill dumps there.
    pub(super) fn targets(&self) -> impl Iterator<Item = &TargetName> {
        let has = |source: &SourceId, target: &TargetName| {
            self.copies_of(source).any(|c| &c.target == target)
        };
        let targets = self.policy.targets.iter().map(|t| &t.name);
        targets.filter(move |name| {
            let mut expected = self.point.expected_at(name).peekable();
            let nothing = expected.peek().is_none();
            nothing || expected.any(|source| has(source, name))
        })
    }
}

/// Steps as they are planned, with what each restore is proven by.
#[derive(Default)]
pub(super) struct Planned {
    pub steps: Steps,
    pub tried: Vec<Tried>,
    /// Which step tries the lock of each target.
    pub probes: BTreeMap<TargetName, Link<LockProbed>>,
    /// Where scratch clusters are made.
    pub clusters: BTreeSet<ScratchPlace>,
    pub dumps: Vec<Dumps>,
    /// Made on servers of the user's.
    pub databases: Vec<ScratchDatabase>,
}

impl Planned {
    pub fn prove(&mut self, source: &SourceId, target: &TargetName, by: TriedBy) {
        let probed = self.probes.get(target).cloned();
        self.tried.extend(probed.map(|probed| Tried {
            source: source.clone(),
            target: target.clone(),
            probed,
            by,
        }));
    }
}

impl DrillInput<'_> {
    /// Where dumps are loaded, if it is no scratch cluster.
    pub(super) fn scratch_server(&self) -> Option<ServerPlace> {
        self.drill.scratch_server.as_ref().map(ServerPlace::from)
    }

    /// `None`: nobody reads the running cluster.
    pub(super) fn min_comparable(&self, source: &SourceId) -> Option<u32> {
        let cluster = self.policy.clusters().find(|c| &c.id == source)?;
        cluster.reader.as_ref()?;
        let reading = cluster.reference.clone().unwrap_or_default();
        Some(reading.min_comparable)
    }

    /// `None`: not at all.
    pub(super) fn amcheck(&self) -> Option<Seconds> {
        Some(self.drill.amcheck).filter(|budget| budget.0 > 0)
    }

    /// What is asked of a restored database, by whichever method it was.
    pub(super) fn asked(
        &self,
        (source, database): (&SourceId, &Name),
        target: &TargetName,
        at: Timestamp,
    ) -> Asked {
        Asked {
            assertions: self.assertions(source, database),
            references: self.referred((source, database), target),
            heartbeat_max_age: self.drill.heartbeat_max_age,
            at,
        }
    }

    /// References of this database's rows, with what the same target holds of the files.
    pub(super) fn referred(
        &self,
        (source, database): (&SourceId, &Name),
        target: &TargetName,
    ) -> Vec<Referred> {
        let ours = |r: &&Reference| {
            &r.source == source && r.database.as_ref().is_none_or(|d| d == database)
        };
        let referred = |r: &Reference| Referred {
            reference: r.clone(),
            held: self.files_at(&r.files, target),
        };
        let all = self.policy.references.iter();
        all.filter(ours).map(referred).collect()
    }

    /// Only of a target that is drilled: a copy that was completed since is the next drill's, and
    /// whoever plans this one again must find the same.
    fn files_at(&self, files: &SourceId, target: &TargetName) -> Option<BaseCopy> {
        self.targets().find(|t| *t == target)?;
        let copy = self.copies_of(files).find(|c| &c.target == target)?;
        Some(BaseCopy::of(copy.slot, copy.files()?))
    }

    /// Assertions that name this database, or none where it is the only one.
    pub(super) fn assertions(&self, source: &SourceId, database: &Name) -> Vec<Assertion> {
        let all = self.drill.assertions.iter();
        let ours = |a: &&Assertion| {
            a.source.as_ref().is_none_or(|s| s == source)
                && a.database.as_ref().is_none_or(|d| d == database)
        };
        all.filter(ours).cloned().collect()
    }

    /// A database of this run alone, one for each dump: at most 63 bytes, whatever the dumped one
    /// is called.
    pub(super) fn scratch_database(
        &self,
        source: &SourceId,
        target: &TargetName,
        database: &Name,
    ) -> Name {
        let run = names::drill_databases(&self.vault, &self.policy.name, &self.run);
        let of = Sha256::of(format!("{source}/{target}/{database}").as_bytes());
        Name::new(format!("{run}{}", &of.0[..10]))
    }
}

/// A region is at another provider where a target says so.
pub(super) fn provider_of(policy: &Policy, region: &Region) -> Provider {
    policy
        .targets
        .iter()
        .find(|t| &t.region == region)
        .map_or(Provider::Aws, |t| t.provider)
}
