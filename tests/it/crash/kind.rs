//! What happens to the named call.

use super::call::Named;
use super::stage::Stage;
use crate::cloud::{Cloud, Ran, until};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// SIGKILL while the store has the request and has done nothing.
    KilledBefore,
    /// SIGKILL while the store has done it and has not answered.
    KilledAfter,
    /// An error that says: try again.
    Retryable,
    /// An error that says: never.
    Final,
    /// Done, but the answer is an error.
    DoneThenFailed,
    /// The connection closes without an answer.
    Cut,
    /// No answer until the caller gives up.
    Hang,
    /// "Slow down", five times in a row.
    Throttled,
}

impl Kind {
    pub const ALL: [Kind; 8] = [
        Kind::KilledBefore,
        Kind::KilledAfter,
        Kind::Retryable,
        Kind::Final,
        Kind::DoneThenFailed,
        Kind::Cut,
        Kind::Hang,
        Kind::Throttled,
    ];

    fn what(self, service: &str) -> (Value, u64) {
        let s3 = service == "s3";
        match self {
            Kind::KilledBefore => (json!({"kind": "hold_before"}), 1),
            Kind::KilledAfter => (json!({"kind": "hold_after"}), 1),
            Kind::Retryable if s3 => (
                json!({"kind": "refuse", "code": "InternalError", "status": 500}),
                1,
            ),
            Kind::Retryable => (
                json!({"kind": "refuse", "code": "InternalFailure", "status": 500}),
                1,
            ),
            Kind::Final => (
                json!({"kind": "refuse", "code": "AccessDenied", "status": 403}),
                1,
            ),
            Kind::DoneThenFailed if s3 => (
                json!({"kind": "do_then_fail", "code": "InternalError", "status": 500}),
                1,
            ),
            Kind::DoneThenFailed => (
                json!({"kind": "do_then_fail", "code": "InternalFailure", "status": 500}),
                1,
            ),
            Kind::Cut => (json!({"kind": "cut"}), 1),
            Kind::Hang => (json!({"kind": "hang"}), 1),
            Kind::Throttled => (json!({"kind": "throttle"}), 5),
        }
    }

    /// The first run, with the fault at the named call. `None`: it was killed. The flag: whether
    /// the call came.
    pub fn strike(self, cloud: &Cloud, stage: Stage, named: &Named) -> (Option<Ran>, bool) {
        let (what, times) = self.what(&named.service);
        let fault = cloud.fault(&named.wanted(), times, &what);
        if !matches!(self, Kind::KilledBefore | Kind::KilledAfter) {
            let ran = stage.run(cloud);
            let reached = struck(cloud, fault, named.nth);
            cloud.clear_faults();
            return (Some(ran), reached);
        }
        let mut child = stage.start(cloud);
        let held = until("the call is held, or the run ended", || {
            let held = cloud.fault_state(fault)["held"]
                .as_array()
                .is_some_and(|h| !h.is_empty());
            if held {
                return Some(true);
            }
            child.try_wait().expect("a child").map(|_| false)
        });
        child.kill().expect("killed");
        child.wait().expect("gone");
        // Releases the held call: one held before belongs to a client that is gone, and the lab
        // drops it.
        cloud.clear_faults();
        (None, held)
    }
}

fn struck(cloud: &Cloud, fault: u64, nth: u64) -> bool {
    cloud.fault_state(fault)["seen"]
        .as_u64()
        .is_some_and(|seen| seen >= nth)
}
