//! The plan of a drill: restore an existing point into scratch things, from every target, and prove
//! it.

mod cluster;
mod files;
mod planned;
mod server;

pub use planned::DrillInput;

use super::names;
use super::opening::Opening;
use super::step::Steps;
use super::{Plan, ProbeLock, Teardown, WriteProofs};
use crate::manifest::What;
use crate::model::{Role, RunKind};
use planned::Planned;

pub fn drill(input: &DrillInput<'_>) -> Plan {
    let (policy, point) = (input.policy, input.point);
    let mut planned = Planned::default();
    for target in input.targets() {
        let probed = Steps::coming::<ProbeLock>(&[target]);
        planned.probes.insert(target.clone(), probed);
    }
    for captured in input.captured {
        match &captured.what {
            What::Aurora(cluster) => {
                cluster::plan(input, captured, cluster, &mut planned);
            }
            What::Postgres(_) => server::plan(input, captured, &mut planned),
            What::Bucket(_) => files::plan(input, captured, &mut planned),
        }
    }
    probe_steps(input, &mut planned.steps);
    let teardown = teardown(input, &planned);
    let (mut steps, tried) = (planned.steps, planned.tried);
    // Proofs are written of what could be tried; what failed gets a proof that says so.
    steps.add_always(Role::Driller, WriteProofs { tried });
    steps.add_always(Role::Driller, teardown);
    let opening = Opening {
        kind: RunKind::Drill,
        policy,
        policy_sha256: &input.policy_sha256,
        run: &input.run,
        slot: point.slot,
        vault: &input.vault,
        opened_at: input.opened_at,
        deadline: input.drill.schedule.deadline,
        journal_target: &input.journal_target,
        locked_from: input.opened_at,
    };
    opening.plan(steps)
}

fn probe_steps(input: &DrillInput<'_>, steps: &mut Steps) {
    let probe = &input.policy.probe;
    for target in input.targets() {
        let action = ProbeLock {
            target: target.clone(),
            control: probe.control,
            lock: probe.lock,
        };
        steps.add(Role::Prober, action, &[]);
    }
}

fn teardown(input: &DrillInput<'_>, planned: &Planned) -> Teardown {
    let (drill, policy) = (input.drill, input.policy);
    let prefix = names::scratch_prefix(&input.vault, &policy.name);
    Teardown {
        clusters: planned.clusters.iter().cloned().collect(),
        cluster_prefix: names::drill_prefix(&input.vault, &policy.name, &input.run),
        tags: input.scratch_tags(),
        bucket: drill.scratch_bucket.clone(),
        bucket_region: drill.scratch_region.clone(),
        bucket_endpoint: policy.s3_endpoint(&drill.scratch_region).map(str::to_owned),
        prefix: format!("{prefix}{}/", input.run),
        dumps: planned.dumps.clone(),
        databases: planned.databases.clone(),
    }
}
