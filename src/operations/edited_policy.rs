//! Whether a stored plan may be executed by this process. A policy in the vault proves nothing by
//! lying there, since most roles may create one; somebody may also just have edited the policy.

use crate::plan::Plan;

/// What a stored plan is to a runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The runner's own policy gives it.
    Ours,
    /// An earlier policy gives it, and it touches nothing that the runner's own does not.
    EditedWithin,
    /// An earlier policy gives it, and the runner's own no longer allows it.
    EditedBeyond,
    /// No policy of ours gives it.
    NotOurs,
}

/// `own`: the same slot planned by the runner's policy. `earlier`: planned by the policy whose
/// digest the stored plan carries.
pub fn standing(stored: &Plan, own: Option<&Plan>, earlier: Option<&Plan>) -> Standing {
    let gives = |plan: Option<&Plan>| plan.is_some_and(|p| same(stored, p));
    if gives(own) {
        Standing::Ours
    } else if !gives(earlier) {
        Standing::NotOurs
    } else if own.is_some_and(|own| within(stored, own)) {
        Standing::EditedWithin
    } else {
        Standing::EditedBeyond
    }
}

/// To the last step and number: what is left out of a plan, or waits for another step, is as much a
/// change as another bucket.
fn same(stored: &Plan, own: &Plan) -> bool {
    stored == own
}

/// Every place of the stored plan is one of our own plan, and no lock is shorter than ours would
/// be.
fn within(stored: &Plan, own: &Plan) -> bool {
    let locked_long_enough = stored.targets.iter().all(|t| {
        let evidence = t.evidence_lock().retain_until;
        own.target(&t.name).is_some_and(|o| {
            o.lock_mode == t.lock_mode
                && o.retain_until <= t.retain_until
                && o.evidence_lock().retain_until <= evidence
        })
    });
    locked_long_enough && stored.places().is_subset(&own.places())
}

/// How a run of an earlier policy goes on: with what it names, in the runner's own time.
pub fn in_own_time(stored: &mut Plan, own: &Plan) {
    stored.runner = own.runner.clone();
    stored.step_attempts = own.step_attempts;
    stored.backoff = own.backoff;
    stored.poll_every = own.poll_every;
    stored.patience = own.patience;
}

/// What differs first, for a message.
pub fn difference(stored: &Plan, own: Option<&Plan>) -> String {
    let Some(own) = own else {
        return "this policy plans no such run".to_owned();
    };
    let (before, after) = (stored, own);
    let (stored, own) = (before.names(), after.names());
    if stored == own {
        return "its steps wait for each other in another order, or its times are others"
            .to_owned();
    }
    let shown = |name: Option<&String>| {
        name.map_or_else(|| "nothing".to_owned(), |n| n.chars().take(200).collect())
    };
    format!(
        "it names {}, where this policy gives {}",
        shown(stored.difference(&own).next()),
        shown(own.difference(&stored).next())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BucketName, Name, Role, SourceId, TargetName};
    use crate::plan::tests::backup_of;
    use crate::policy::{Policy, Source};

    #[test]
    fn a_plan_is_ours_by_what_it_names_and_nothing_else() {
        let plan = backup_of(|_| {});
        assert_eq!(standing(&plan, Some(&plan), None), Standing::Ours);
        assert_eq!(standing(&plan, None, None), Standing::NotOurs);
        // Less is not ours either: nothing would be done, and the slot would count as done.
        let nothing = Plan {
            steps: Vec::new(),
            ..plan.clone()
        };
        let mut alone = plan.clone();
        alone.steps.truncate(1);
        let mut unordered = plan.clone();
        unordered.steps.iter_mut().for_each(|s| s.needs.clear());
        let slow = Plan {
            poll_every: crate::model::Seconds::days(36_500),
            ..plan.clone()
        };
        for planted in [nothing, alone, unordered, slow] {
            assert_eq!(standing(&planted, Some(&plan), None), Standing::NotOurs);
            assert!(!difference(&planted, Some(&plan)).is_empty());
        }
    }

    #[test]
    fn a_bucket_that_was_added_since_leaves_the_open_run_ours() {
        let before = backup_of(|_| {});
        let after = backup_of(|p| {
            let mut more = p.buckets().next().unwrap().clone();
            more.id = SourceId::new("more");
            more.bucket = BucketName::new("more-files");
            p.sources.push(Source::Bucket(more));
        });
        assert_eq!(
            standing(&before, Some(&after), Some(&before)),
            Standing::EditedWithin
        );
        // The other way round a place would be touched that the policy no longer names.
        assert_eq!(
            standing(&after, Some(&before), Some(&after)),
            Standing::EditedBeyond
        );
    }

    #[test]
    fn a_shorter_lock_or_a_foreign_place_is_beyond() {
        let stored = backup_of(|_| {});
        let longer = backup_of(|p| p.targets[0].lock.retention.0 += 86_400);
        assert_eq!(
            standing(&stored, Some(&longer), Some(&stored)),
            Standing::EditedBeyond
        );
        let foreign = backup_of(|p| p.targets[0].bucket = BucketName::new("foreign"));
        assert_eq!(
            standing(&foreign, Some(&stored), Some(&foreign)),
            Standing::EditedBeyond
        );
        assert_eq!(standing(&foreign, Some(&stored), None), Standing::NotOurs);
        let renamed = backup_of(|p| p.targets[0].name = TargetName::new("other-name"));
        assert_eq!(
            standing(&stored, Some(&renamed), Some(&stored)),
            Standing::EditedBeyond
        );
        assert!(difference(&foreign, Some(&stored)).contains("foreign"));
    }

    fn media(policy: &mut Policy, id: &str, endpoint: &str) {
        let mut more = policy.buckets().next().unwrap().clone();
        more.id = SourceId::new(id);
        more.endpoint = Some(endpoint.into());
        policy.sources.push(Source::Bucket(more));
    }

    #[test]
    fn a_source_of_the_same_name_at_another_endpoint_is_beyond() {
        let (one, two) = ("https://s3.one.example.com", "https://s3.two.example.com");
        let stored = backup_of(|p| media(p, "media", one));
        let moved = backup_of(|p| media(p, "media", two));
        let standing_in = |own| standing(&stored, Some(own), Some(&stored));
        assert_eq!(standing_in(&moved), Standing::EditedBeyond);
        // All places are known, and each bucket would be read with the key of the other one.
        let both = |a: &'static str, b: &'static str| {
            backup_of(move |p| {
                media(p, "media", a);
                media(p, "posters", b);
            })
        };
        let (ours, swapped) = (both(one, two), both(two, one));
        assert_eq!(
            standing(&swapped, Some(&ours), Some(&swapped)),
            Standing::EditedBeyond
        );
        assert_eq!(standing_in(&ours), Standing::EditedWithin);
    }

    #[test]
    fn profiles_are_no_part_of_a_plan() {
        let profiled = backup_of(|p| {
            media(p, "media", "https://s3.one.example.com");
            if let Some(Source::Bucket(bucket)) = p.sources.last_mut() {
                bucket.profiles = [(Role::Copier, Name::new("theirs"))].into();
            }
        });
        let plain = backup_of(|p| media(p, "media", "https://s3.one.example.com"));
        assert_eq!(
            standing(&profiled, Some(&plain), None),
            Standing::Ours,
            "a stored plan names no key: whoever executes it has its own"
        );
    }
}
