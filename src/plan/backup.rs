//! The plan of a backup run: each source is a branch of its own, and in it each target.

mod branch;
mod bucket;
mod cluster;
mod server;

pub use branch::BackupInput;

use super::Plan;
use super::opening::Opening;
use super::step::Steps;
use crate::manifest::PointSource;
use crate::model::{RunKind, StepId};
use crate::policy::{Policy, Source};

pub fn backup(input: &BackupInput<'_>) -> Plan {
    let policy = input.policy;
    let opening = Opening {
        kind: RunKind::Backup,
        policy,
        policy_sha256: &input.policy_sha256,
        run: &input.run,
        slot: input.slot,
        vault: &input.vault,
        opened_at: input.opened_at,
        deadline: policy.schedule.deadline,
        journal_target: &input.journal_target,
        locked_from: input.slot.time().max(input.opened_at),
    };
    opening.plan(steps(input))
}

/// First everything is captured, then copied: what is captured late is not in this point.
fn steps(input: &BackupInput<'_>) -> Steps {
    let mut steps = Steps::default();
    let taken: Vec<cluster::Taken<'_>> = input
        .policy
        .clusters()
        .map(|c| cluster::take(input, c, &mut steps))
        .collect();
    let servers: Vec<server::Read<'_>> = input
        .policy
        .servers()
        .filter_map(|s| server::read(input.policy, s, &mut steps))
        .collect();
    let sources = expected(input.policy);
    let mut instants: Vec<StepId> = taken.iter().map(|t| t.taken.step().clone()).collect();
    // Dumped at once, for a dump's instant is when it is made.
    for server in &servers {
        let branch = server.branch(input);
        for target in &input.policy.targets {
            let dumped = server.dump(input, target, &mut steps);
            branch.publish(&sources, &target.name, &dumped, &mut steps);
            instants.push(dumped);
        }
    }
    // Rows that a snapshot or a dump holds then find their files, never the other way round.
    let instants: Vec<&StepId> = instants.iter().collect();
    let listed: Vec<bucket::Listed<'_>> = input
        .policy
        .buckets()
        .map(|b| bucket::list(input, b, &instants, &mut steps))
        .collect();
    for cluster in &taken {
        let branch = cluster.branch(input);
        for target in &input.policy.targets {
            if let Some(copied) = cluster.copy(input, target, &mut steps) {
                branch.publish(&sources, &target.name, &copied, &mut steps);
            }
        }
    }
    for bucket in &listed {
        let branch = bucket.branch(input);
        for target in &input.policy.targets {
            let verified = bucket.copy(input, target, &mut steps);
            branch.publish(&sources, &target.name, &verified, &mut steps);
        }
    }
    steps
}

/// What a point of this policy is to hold.
fn expected(policy: &Policy) -> Vec<PointSource> {
    let one = |source: &Source| {
        let holds = |t: &&crate::policy::Target| match source {
            Source::Aurora(_) => t.snapshots.is_some(),
            Source::Postgres(_) | Source::Bucket(_) => true,
        };
        let targets = policy.targets.iter().filter(holds);
        PointSource {
            id: source.id().clone(),
            kind: source.kind(),
            targets: targets.map(|t| t.name.clone()).collect(),
        }
    };
    policy.sources.iter().map(one).collect()
}
