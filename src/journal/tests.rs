use super::*;
use crate::plan::SnapshotShared;

fn plan() -> Plan {
    crate::plan::tests::backup_of(|_| {})
}

fn id(text: &str) -> StepId {
    serde_json::from_value(text.into()).unwrap()
}

fn identity(runner: &str) -> Identity {
    Identity {
        runner: RunnerId(runner.into()),
        host: Host {
            boot_id: "b".into(),
            pid_namespace: "p".into(),
            machine_id: "m".into(),
            hostname: "h".into(),
        },
        process: Process { pid: 1, started: 2 },
        actor: Actor {
            id: "arn:aws:iam::222222222222:user/copier".into(),
            basis: ActorBasis::Sts,
        },
    }
}

fn chain(events: Vec<(&str, Event)>) -> Vec<(Entry, Sha256)> {
    let mut entries: Vec<(Entry, Sha256)> = Vec::new();
    for (seq, (runner, event)) in events.into_iter().enumerate() {
        let prev = entries.last().map(|(_, sha)| sha.clone());
        let entry = Entry {
            seq: seq as u64,
            prev,
            at: "2026-11-24T02:00:07Z".parse().unwrap(),
            by: identity(runner),
            event,
        };
        let sha = Sha256::of(&entry.to_bytes());
        entries.push((entry, sha));
    }
    entries
}

fn folded(events: Vec<(&str, Event)>) -> Result<RunState, Illegal> {
    let entries = chain(events);
    fold(entries.iter().map(|(e, s)| (e, s.clone())))
}

/// The run of a plan of which nothing was done yet.
pub(crate) fn opened_run(plan: Plan) -> RunState {
    let plan = Box::new(plan);
    folded(vec![(
        "a",
        Event::Opened {
            plan,
            after: Vec::new(),
        },
    )])
    .unwrap()
}

fn opened() -> (&'static str, Event) {
    (
        "a",
        Event::Opened {
            plan: Box::new(plan()),
            after: Vec::new(),
        },
    )
}
fn started(runner: &'static str) -> (&'static str, Event) {
    (
        runner,
        Event::Started {
            step: id("take-snapshot:shop-prod"),
        },
    )
}
fn shared() -> Evidence {
    Evidence::ShareSnapshot(SnapshotShared { with: vec![] })
}

#[test]
fn an_entry_survives_its_bytes() {
    for (entry, sha) in chain(vec![opened(), started("a")]) {
        let (back, digest) = read(&entry.to_bytes()).unwrap();
        assert_eq!((back, digest), (entry, sha));
    }
}

#[test]
fn success_follows_a_start_and_only_a_start() {
    let succeeded = Event::Succeeded {
        step: id("take-snapshot:shop-prod"),
        evidence: shared(),
    };
    let state = folded(vec![opened(), started("a"), ("a", succeeded.clone())]).unwrap();
    assert!(state.succeeded(&id("take-snapshot:shop-prod")));
    let error = folded(vec![opened(), ("a", succeeded)]).unwrap_err();
    assert_eq!(
        error,
        Illegal::Move {
            seq: 1,
            why: "not from Waiting".into()
        }
    );
}

#[test]
fn another_runner_must_claim_unless_the_run_was_released() {
    assert!(matches!(
        folded(vec![opened(), started("b")]),
        Err(Illegal::Move { seq: 1, .. })
    ));
    let claimed = Event::Claimed {
        from: RunnerId("a".into()),
        why: "silent".into(),
    };
    assert!(folded(vec![opened(), ("b", claimed), started("b")]).is_ok());
    assert!(
        folded(vec![
            opened(),
            ("a", Event::Released { why: "role".into() }),
            started("b")
        ])
        .is_ok()
    );
}

#[test]
fn nothing_follows_finished() {
    let end = (
        "a",
        Event::Finished {
            outcome: Outcome::Abandoned,
            exceptions: Some(0),
        },
    );
    assert!(matches!(
        folded(vec![opened(), end, started("a")]),
        Err(Illegal::Move { seq: 2, .. })
    ));
}

#[test]
fn failures_count_attempts() {
    let failed = || {
        (
            "a",
            Event::Failed {
                step: id("take-snapshot:shop-prod"),
                kind: Failure::Unavailable,
                code: "x".into(),
                message: "y".into(),
            },
        )
    };
    let state = folded(vec![
        opened(),
        started("a"),
        failed(),
        started("a"),
        failed(),
    ])
    .unwrap();
    assert_eq!(state.attempt(&id("take-snapshot:shop-prod")), 3);
}

#[test]
fn a_broken_chain_and_a_gap_are_named() {
    let mut entries = chain(vec![opened(), started("a"), ("a", Event::Alive)]);
    entries[1].0.at = "2026-11-24T03:00:00Z".parse().unwrap();
    entries[1].1 = Sha256::of(&entries[1].0.to_bytes());
    let folded = |entries: &[(Entry, Sha256)]| fold(entries.iter().map(|(e, s)| (e, s.clone())));
    assert_eq!(folded(&entries).unwrap_err(), Illegal::Chain(2));
    entries.remove(1);
    assert_eq!(folded(&entries).unwrap_err(), Illegal::Gap(1));
}

#[test]
fn a_plan_of_another_version_is_told_from_damage() {
    let (opened, _) = chain(vec![opened()]).remove(0);
    let mut value: serde_json::Value = serde_json::from_slice(&opened.to_bytes()).unwrap();
    value["plan"]["version"] = 2.into();
    value["plan"]["steps"][0]["action"]["do"] = "fly".into();
    let error = read(value.to_string().as_bytes()).unwrap_err();
    assert!(
        matches!(&error, FormatError::Version { found, .. } if found == "dr/plan/2"),
        "{error}"
    );
    value["plan"]["version"] = 1.into();
    assert!(matches!(
        read(value.to_string().as_bytes()),
        Err(FormatError::Json { .. })
    ));
}

#[test]
fn a_step_that_was_left_is_known_until_it_is_begun_again() {
    let opened = || Event::Opened {
        plan: Box::new(plan()),
        after: Vec::new(),
    };
    let step = plan().steps[0].id.clone();
    let started = || Event::Started { step: step.clone() };
    let claimed = || Event::Claimed {
        from: RunnerId("a".into()),
        why: "it is gone".into(),
    };
    let left = |events: Vec<(&str, Event)>| folded(events).unwrap().left.contains_key(&step);
    let running = || vec![("a", opened()), ("a", started()), ("a", Event::Alive)];
    assert!(!left(running()));
    let mut gone = running();
    gone.push(("b", claimed()));
    assert!(left(gone.clone()));
    gone.push(("b", started()));
    assert!(left(gone.clone()), "whoever dies again was left before");
    let failed = Event::Failed {
        step: step.clone(),
        kind: Failure::Refused,
        code: "access-denied".into(),
        message: "no".into(),
    };
    gone.push(("b", failed));
    assert!(!left(gone));
    let mut stopped = running();
    stopped.push((
        "a",
        Event::Released {
            why: "asked to stop".into(),
        },
    ));
    assert!(left(stopped));
}
