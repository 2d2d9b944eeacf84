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
mod tests;
