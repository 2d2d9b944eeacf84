//! STS: who a key is, and roles for those who may take them.

use crate::accounts::{Caller, Role, role_arn};
use crate::keyring::{Keyring, Session};
use crate::query::{QueryError, QueryService};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a session may last, in seconds; an hour where nobody says.
const SHORTEST_S: i64 = 900;
const LONGEST_S: i64 = 43_200;
const USUAL_S: i64 = 3600;

pub struct Sts {
    pub keys: Arc<Keyring>,
    /// Who has it may assume any role without a key.
    pub web_identity_token: String,
}

type Form = BTreeMap<String, String>;

/// `arn:aws:sts::222222222222:assumed-role/copier/lab`
pub fn arn(caller: &Caller) -> String {
    let (account, role) = (&caller.account, caller.role);
    match (&caller.session, role) {
        (Some(session), _) => format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"),
        (None, Role::Admin | Role::Runner) => format!("arn:aws:iam::{account}:user/{role}"),
        (None, _) => format!("arn:aws:sts::{account}:assumed-role/{role}/lab"),
    }
}

#[async_trait::async_trait]
impl QueryService for Sts {
    async fn call(
        &self,
        caller: &Caller,
        operation: &str,
        params: &Form,
    ) -> Result<String, QueryError> {
        match operation {
            "GetCallerIdentity" => {
                let user = match &caller.session {
                    Some(session) => format!("{}:{session}", role_id(caller.role)),
                    None => caller.access_key_id.clone(),
                };
                Ok(format!(
                    "<Arn>{}</Arn><UserId>{user}</UserId><Account>{}</Account>",
                    arn(caller),
                    caller.account
                ))
            }
            "AssumeRole" => self.assume(caller, params),
            other => self.without_key(other, params).await,
        }
    }

    /// Roles for those who have a token of an identity provider and no key yet.
    async fn without_key(&self, operation: &str, params: &Form) -> Result<String, QueryError> {
        if operation != "AssumeRoleWithWebIdentity" {
            return Err(QueryError::new(
                400,
                "InvalidAction",
                format!("Could not find operation {operation} for version 2011-06-15"),
            ));
        }
        let (role, name) = (named_role(params), session_name(params)?);
        if needed(params, "WebIdentityToken")? != self.web_identity_token {
            return Err(QueryError::new(
                400,
                "InvalidIdentityToken",
                "The ID Token provided is not a valid JWT. (You may see this error if you sent an \
                 Access Token)",
            ));
        }
        let role = role.ok_or_else(|| {
            QueryError::new(
                403,
                "AccessDenied",
                "Not authorized to perform sts:AssumeRoleWithWebIdentity",
            )
        })?;
        let session = self.keys.open(role, name, lasting(params, false)?);
        Ok(format!(
            "<SubjectFromWebIdentityToken>system:serviceaccount:dr:runner\
             </SubjectFromWebIdentityToken><Audience>sts.amazonaws.com</Audience>{}",
            shown(&session)
        ))
    }
}

impl Sts {
    fn assume(&self, caller: &Caller, params: &Form) -> Result<String, QueryError> {
        let (wanted, name) = (needed(params, "RoleArn")?, session_name(params)?);
        let trusted = matches!(caller.role, Role::Admin | Role::Runner);
        let role = named_role(params).filter(|_| trusted).ok_or_else(|| {
            QueryError::new(
                403,
                "AccessDenied",
                format!(
                    "User: {} is not authorized to perform: sts:AssumeRole on resource: {wanted}",
                    arn(caller)
                ),
            )
        })?;
        let lasting = lasting(params, caller.session.is_some())?;
        Ok(shown(&self.keys.open(role, name, lasting)))
    }
}

fn named_role(params: &Form) -> Option<Role> {
    let wanted = params.get("RoleArn")?;
    Role::ALL
        .into_iter()
        .find(|r| *r != Role::Runner && role_arn(*r) == *wanted)
}

fn invalid(message: impl Into<String>) -> QueryError {
    QueryError::new(400, "ValidationError", message)
}

fn needed<'a>(params: &'a Form, name: &str) -> Result<&'a str, QueryError> {
    let value = params.get(name).filter(|v| !v.is_empty());
    value.map(String::as_str).ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value null at '{name}' failed to satisfy constraint: \
             Member must not be null"
        ))
    })
}

fn session_name(params: &Form) -> Result<&str, QueryError> {
    let name = needed(params, "RoleSessionName")?;
    let good = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    if (2..=64).contains(&name.len()) && name.bytes().all(good) {
        return Ok(name);
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy \
         constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]{{2,64}}"
    )))
}

/// `chained`: a role takes the next.
fn lasting(params: &Form, chained: bool) -> Result<SignedDuration, QueryError> {
    let seconds = match params.get("DurationSeconds") {
        Some(text) => text
            .parse::<i64>()
            .map_err(|_| invalid(format!("DurationSeconds is no number: {text}")))?,
        None => USUAL_S,
    };
    let bound = |word: &str, limit: i64| {
        invalid(format!(
            "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to \
             satisfy constraint: Member must have value {word} than or equal to {limit}"
        ))
    };
    match seconds {
        ..SHORTEST_S => Err(bound("greater", SHORTEST_S)),
        s if s > LONGEST_S => Err(bound("less", LONGEST_S)),
        s if chained && s > USUAL_S => Err(invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by \
             role chaining",
        )),
        s => Ok(SignedDuration::from_secs(s)),
    }
}

fn role_id(role: Role) -> String {
    format!(
        "{:X<21}",
        format!("AROALAB{}", role.as_str().to_uppercase())
    )
}

fn shown(session: &Session) -> String {
    format!(
        "<AssumedRoleUser><Arn>{}</Arn><AssumedRoleId>{}:{}</AssumedRoleId></AssumedRoleUser>\
         <Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
         <SessionToken>{}</SessionToken><Expiration>{:.0}</Expiration></Credentials>",
        arn(&session.caller()),
        role_id(session.role),
        session.name,
        session.access_key_id,
        session.secret_access_key,
        session.token,
        session.expires
    )
}

#[cfg(test)]
mod tests {
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
                let until: jiff::Timestamp =
                    text_of(&answer, "Expiration").parse().expect("a time");
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
}
