//! Bounds of numbers.

use super::trouble::Found;
use crate::model::Seconds;
use crate::policy::Policy;
use crate::report::Code;

pub(super) fn numbers(policy: &Policy, found: &mut Found) {
    let (r, t, c) = (&policy.runner, &policy.timeouts, &policy.concurrency);
    let least = r.alive_every.0 + t.call.0 + r.margin.0;
    if r.takeover_after.0 < least {
        found.error(
            Code::RunnerTakeover,
            "runner.takeover_after",
            format!(
                "{} is less than alive_every + timeouts.call + margin = {}: the lease of a \
                 live runner could be taken over",
                r.takeover_after,
                Seconds(least)
            ),
        );
    }
    for (path, value) in [
        ("runner.alive_every", r.alive_every),
        ("timeouts.call", t.call),
    ] {
        if !(1..=60).contains(&value.0) {
            found.error(
                Code::Bounds,
                path,
                format!("{value} is not between 1s and 60s"),
            );
        }
    }
    if !(5 << 20..=512 << 20).contains(&c.part_size_bytes) {
        found.error(
            Code::Bounds,
            "concurrency.part_size_bytes",
            format!("{} is not between 5 MiB and 512 MiB", c.part_size_bytes),
        );
    }
    for (path, value) in [
        ("concurrency.objects", c.objects),
        ("concurrency.streams", c.streams),
        ("retry.requests", policy.retry.requests),
        ("retry.steps", policy.retry.steps),
    ] {
        if !(1..=64).contains(&value) {
            found.error(
                Code::Bounds,
                path,
                format!("{value} is not between 1 and 64"),
            );
        }
    }
    if policy.probe.control.0 == 0 || policy.probe.lock <= policy.probe.control {
        found.error(
            Code::Bounds,
            "probe.lock",
            "the probe's lock must last longer than its control, and the control some seconds",
        );
    }
}
