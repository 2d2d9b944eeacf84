//! Whether this process may go on with a run. Pure.

use crate::journal::{Head, Host, Process, RunnerId};
use crate::model::Seconds;
use jiff::SignedDuration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Our own run.
    Ours,
    /// Released: whoever appends next has it.
    Free,
    /// Its holder is gone; say so first.
    Claim(String),
    /// Someone lives there.
    Leave,
}

/// `dead` tells whether a process of this very host is gone.
pub fn hold(
    head: &Head,
    (runner, host): (&RunnerId, &Host),
    (head_age, takeover_after): (SignedDuration, Seconds),
    take_over: bool,
    dead: impl Fn(Process) -> bool,
) -> Hold {
    if head.by.runner == *runner {
        return Hold::Ours;
    }
    if head.released {
        return Hold::Free;
    }
    if head.by.host == *host && dead(head.by.process) {
        return Hold::Claim(format!(
            "process {} of this host is gone",
            head.by.process.pid
        ));
    }
    if head_age > takeover_after.signed() {
        return Hold::Claim(format!("no sign of life for {} s", head_age.as_secs()));
    }
    if take_over {
        return Hold::Claim("asked to with --take-over".into());
    }
    Hold::Leave
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Actor, Identity};

    fn who(runner: &str, hostname: &str) -> Identity {
        Identity {
            runner: RunnerId(runner.into()),
            host: Host {
                boot_id: "b".into(),
                pid_namespace: "p".into(),
                machine_id: "m".into(),
                hostname: hostname.into(),
            },
            process: Process { pid: 7, started: 1 },
            actor: Actor {
                id: "a".into(),
                basis: crate::journal::ActorBasis::Key,
            },
        }
    }

    fn at(who: &Identity) -> (&RunnerId, &Host) {
        (&who.runner, &who.host)
    }

    #[test]
    fn a_living_holder_is_left_alone_and_a_dead_or_silent_one_is_not() {
        let head = |released| Head {
            seq: 3,
            sha256: crate::model::Sha256::of(b""),
            by: who("other", "h"),
            released,
        };
        let (me, far) = (who("me", "h"), who("me", "elsewhere"));
        let young = SignedDuration::from_secs(10);
        let limit = Seconds(180);
        assert_eq!(
            hold(&head(false), at(&me), (young, limit), false, |_| false),
            Hold::Leave
        );
        assert_eq!(
            hold(&head(false), at(&far), (young, limit), false, |_| true),
            Hold::Leave,
            "its processes cannot be seen from here"
        );
        assert!(matches!(
            hold(&head(false), at(&me), (young, limit), false, |_| true),
            Hold::Claim(_)
        ));
        assert!(matches!(
            hold(
                &head(false),
                at(&far),
                (SignedDuration::from_secs(181), limit),
                false,
                |_| false
            ),
            Hold::Claim(_)
        ));
        assert!(matches!(
            hold(&head(false), at(&far), (young, limit), true, |_| false),
            Hold::Claim(_)
        ));
        assert_eq!(
            hold(&head(true), at(&far), (young, limit), false, |_| false),
            Hold::Free
        );
        assert_eq!(
            hold(
                &head(false),
                at(&who("other", "h")),
                (young, limit),
                false,
                |_| false
            ),
            Hold::Ours
        );
    }
}
