use super::*;
use crate::accounts::Role;

fn call(thing: &str) -> Call {
    Call {
        region: "eu-west-3".into(),
        service: "s3",
        operation: "PutObject".into(),
        thing: thing.into(),
        role: Some(Role::Copier),
    }
}

fn hook() -> Hook {
    Hook::new(Clock::default())
}

#[tokio::test]
async fn the_second_matching_call_is_refused_once() {
    let hook = hook();
    let wanted = Match {
        thing: Some("b/objects/*".into()),
        nth: Some(2),
        ..Match::default()
    };
    hook.add(
        wanted,
        1,
        Do::Refuse {
            code: "InternalError".into(),
            status: 500,
        },
    );
    let mut seen = Vec::new();
    for thing in ["b/objects/1", "b/runs/1", "b/objects/2", "b/objects/3"] {
        let slot = hook.arrive("eu-west-3", "s3");
        seen.push(hook.begin(&slot, call(thing)).await == Before::Proceed);
        assert_eq!(hook.finish(&slot, 200).await, After::default());
    }
    assert_eq!(seen, [true, true, false, true]);
    let calls = hook.calls(2);
    assert_eq!(
        (calls.len(), calls[0].thing.as_str(), calls[0].fault),
        (2, "b/objects/2", Some("refuse"))
    );
}

#[tokio::test]
async fn a_held_call_is_listed_and_goes_on_when_it_is_released() {
    let hook = hook();
    let id = hook.add(Match::default(), 1, Do::HoldBefore);
    let slot = hook.arrive("eu-west-3", "s3");
    let waiting = {
        let hook = hook.clone();
        tokio::spawn(async move { hook.begin(&slot, call("b/k")).await })
    };
    while hook.faults()[0].held.is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(hook.release(id));
    assert_eq!(waiting.await.unwrap(), Before::Proceed);
    assert!(hook.faults()[0].held.is_empty());
}

#[tokio::test]
async fn an_effect_is_executed_and_its_answer_lost() {
    let hook = hook();
    hook.add(
        Match::default(),
        0,
        Do::DoThenFail {
            code: "InternalError".into(),
            status: 500,
        },
    );
    let slot = hook.arrive("eu-west-3", "s3");
    assert_eq!(hook.begin(&slot, call("b/k")).await, Before::Proceed);
    assert_eq!(
        hook.finish(&slot, 200).await.fail,
        Some(("InternalError".into(), 500))
    );
}
