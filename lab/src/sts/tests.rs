//! Roles for those who may take them, as long as they last.

use super::*;
use crate::accounts::{Keys, Provider};
use crate::clock::Clock;

fn sts() -> Sts {
    Sts {
        keys: Arc::new(Keyring::new(Keys::generate(), Clock::with_offset(0))),
        web_identity_token: "a.b.c".into(),
    }
}

fn form(pairs: &[(&str, &str)]) -> Form {
    pairs
        .iter()
        .map(|(k, v)| ((*k).into(), (*v).into()))
        .collect()
}

fn wanting(role: Role) -> Form {
    form(&[("RoleArn", &role_arn(role)), ("RoleSessionName", "pod-1")])
}

fn text_of<'a>(xml: &'a str, name: &str) -> &'a str {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let rest = xml.split_once(&open).expect("the element").1;
    rest.split_once(&close).expect("its end").0
}

fn caller(sts: &Sts, role: Role) -> Caller {
    let key = sts.keys.fixed.key(Provider::Aws, role).expect("a key");
    let id = key.access_key_id.clone();
    sts.keys.caller(Provider::Aws, &id, None).expect("a caller")
}

#[tokio::test]
async fn who_assumes_a_role_is_that_role() {
    let sts = sts();
    let runner = caller(&sts, Role::Runner);
    let answer = sts
        .call(&runner, "AssumeRole", &wanting(Role::Copier))
        .await;
    let answer = answer.expect("assumed");
    let (id, token) = (
        text_of(&answer, "AccessKeyId"),
        text_of(&answer, "SessionToken"),
    );
    assert!(id.starts_with("ASIA") && id.len() == 20, "{id}");
    let copier = sts
        .keys
        .caller(Provider::Aws, id, Some(token))
        .expect("known");
    assert_eq!(
        (copier.role, &*copier.account),
        (Role::Copier, "222222222222")
    );
    let identity = sts.call(&copier, "GetCallerIdentity", &form(&[])).await;
    assert_eq!(
        text_of(&identity.expect("answered"), "Arn"),
        "arn:aws:sts::222222222222:assumed-role/copier/pod-1"
    );
}

#[tokio::test]
async fn only_the_trusted_take_roles_and_only_those_that_there_are() {
    let sts = sts();
    let (runner, copier) = (caller(&sts, Role::Runner), caller(&sts, Role::Copier));
    let code = |answer: Result<String, QueryError>| {
        let e = answer.expect_err("refused");
        (e.status, e.code)
    };
    let denied = (403, "AccessDenied".to_owned());
    let from_copier = sts
        .call(&copier, "AssumeRole", &wanting(Role::Driller))
        .await;
    assert_eq!(code(from_copier), denied);
    let nobody = form(&[
        ("RoleArn", "arn:aws:iam::222222222222:role/nobody"),
        ("RoleSessionName", "pod"),
    ]);
    assert_eq!(code(sts.call(&runner, "AssumeRole", &nobody).await), denied);
    let no_name = form(&[("RoleArn", &role_arn(Role::Copier))]);
    let answer = sts.call(&runner, "AssumeRole", &no_name).await;
    assert_eq!(code(answer), (400, "ValidationError".to_owned()));
}

#[tokio::test]
async fn a_duration_has_bounds_and_is_kept() {
    let sts = sts();
    let runner = caller(&sts, Role::Runner);
    for (seconds, good) in [
        ("899", false),
        ("900", true),
        ("43200", true),
        ("43201", false),
    ] {
        let mut params = wanting(Role::Copier);
        params.insert("DurationSeconds".into(), seconds.into());
        let answer = sts.call(&runner, "AssumeRole", &params).await;
        assert_eq!(answer.is_ok(), good, "{seconds}");
        if let Ok(answer) = answer {
            let until: jiff::Timestamp = text_of(&answer, "Expiration").parse().expect("a time");
            let wanted: i64 = seconds.parse().expect("a number");
            let left = until.duration_since(Clock::with_offset(0).now()).as_secs();
            assert!((wanted - 5..=wanted).contains(&left), "{left} of {seconds}");
        }
    }
}

#[tokio::test]
async fn a_web_identity_needs_no_key_and_the_right_token() {
    let sts = sts();
    let mut params = wanting(Role::Auditor);
    params.insert("WebIdentityToken".into(), "a.b.c".into());
    let operation = "AssumeRoleWithWebIdentity";
    let answer = sts.without_key(operation, &params).await.expect("assumed");
    assert!(text_of(&answer, "Arn").ends_with(":assumed-role/auditor/pod-1"));
    params.insert("WebIdentityToken".into(), "x.y.z".into());
    let refused = sts
        .without_key(operation, &params)
        .await
        .expect_err("refused");
    assert_eq!(
        (refused.status, &*refused.code),
        (400, "InvalidIdentityToken")
    );
}
