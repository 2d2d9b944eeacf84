//! Who may call: accounts, roles, one access key each.

use rand::Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

pub const PRODUCTION: &str = "111111111111";
pub const VAULT: &str = "222222222222";
pub const DRILL: &str = "333333333333";
/// The one account at the other provider.
pub const OTHER: &str = "999999999999";

/// The AWS regions, first and second, and the other provider's only one.
pub const PRIMARY_REGION: &str = "eu-west-3";
pub const SECOND_REGION: &str = "eu-central-1";
pub const OTHER_REGION: &str = "other";
pub const AWS_REGIONS: [&str; 2] = [PRIMARY_REGION, SECOND_REGION];
pub const REGIONS: [&str; 3] = [PRIMARY_REGION, SECOND_REGION, OTHER_REGION];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May do everything in every account; for outside tools and for setting up.
    Admin,
    Scheduler,
    Copier,
    Dumper,
    Driller,
    Prober,
    Auditor,
    Restorer,
    /// May do nothing but assume the others: what a pod is before it takes a role.
    Runner,
}

impl Role {
    pub const ALL: [Role; 9] = [
        Role::Admin,
        Role::Scheduler,
        Role::Copier,
        Role::Dumper,
        Role::Driller,
        Role::Prober,
        Role::Auditor,
        Role::Restorer,
        Role::Runner,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Scheduler => "scheduler",
            Role::Copier => "copier",
            Role::Dumper => "dumper",
            Role::Driller => "driller",
            Role::Prober => "prober",
            Role::Auditor => "auditor",
            Role::Restorer => "restorer",
            Role::Runner => "runner",
        }
    }

    /// The AWS account of a role.
    pub fn account(self) -> &'static str {
        match self {
            Role::Admin | Role::Scheduler | Role::Runner => PRODUCTION,
            Role::Copier | Role::Dumper | Role::Prober | Role::Restorer | Role::Auditor => VAULT,
            Role::Driller => DRILL,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which set of credentials a key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    Aws,
    Other,
}

impl Provider {
    pub fn of_region(region: &str) -> Self {
        if region == OTHER_REGION {
            Provider::Other
        } else {
            Provider::Aws
        }
    }
}

/// A verified caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub role: Role,
    pub provider: Provider,
    pub account: String,
    pub access_key_id: String,
    /// The name of the session, where a role was assumed.
    pub session: Option<String>,
}

/// One access key as kept in D/lab.json.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    pub role: Role,
    pub provider: Provider,
    pub account: String,
    pub access_key_id: String,
    pub secret_access_key: String,
}

/// All keys of a lab.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Keys(pub Vec<Key>);

impl Keys {
    /// Ids are fixed, secrets are random.
    pub fn generate() -> Self {
        let mut keys = Self::default();
        keys.complete();
        keys
    }

    /// Adds the keys that an earlier lab did not have; true where there were any.
    pub fn complete(&mut self) -> bool {
        let before = self.0.len();
        for (provider, prefix) in [(Provider::Aws, "AKIALAB"), (Provider::Other, "OTHERLAB")] {
            for role in Role::ALL {
                // Nobody assumes roles where there is no STS.
                let useless = provider == Provider::Other && role == Role::Runner;
                if useless || self.key(provider, role).is_some() {
                    continue;
                }
                let account = if provider == Provider::Aws {
                    role.account()
                } else {
                    OTHER
                };
                self.0.push(Key {
                    role,
                    provider,
                    account: account.into(),
                    access_key_id: format!(
                        "{:X<20}",
                        format!("{prefix}{}", role.as_str().to_uppercase())
                    ),
                    secret_access_key: random_text(40),
                });
            }
        }
        self.0.len() > before
    }

    /// The caller that an access key stands for at a provider, and its secret.
    pub fn lookup(&self, provider: Provider, access_key_id: &str) -> Option<(Caller, &str)> {
        let key = self
            .0
            .iter()
            .find(|k| k.provider == provider && k.access_key_id == access_key_id)?;
        let caller = Caller {
            role: key.role,
            provider,
            account: key.account.clone(),
            access_key_id: key.access_key_id.clone(),
            session: None,
        };
        Some((caller, &key.secret_access_key))
    }

    pub fn key(&self, provider: Provider, role: Role) -> Option<&Key> {
        self.0
            .iter()
            .find(|k| k.provider == provider && k.role == role)
    }

    /// `ROLE` to its key, as the ready line shows them.
    pub fn by_role(&self, provider: Provider) -> BTreeMap<&'static str, &Key> {
        self.0
            .iter()
            .filter(|k| k.provider == provider)
            .map(|k| (k.role.as_str(), k))
            .collect()
    }

    /// The same profiles for roles that are assumed: by the runner's key, and the auditor's and
    /// the prober's without any, as pods do. At the other provider keys are fixed.
    pub fn roles_file(&self, web_identity_token_file: &str) -> String {
        let mut text = String::from("# Roles of the practice cloud; worthless anywhere else.\n");
        for key in &self.0 {
            if key.provider == Provider::Other || key.role == Role::Runner {
                text.push_str(&profile(key));
                continue;
            }
            let from = match key.role {
                Role::Auditor | Role::Prober => {
                    format!("web_identity_token_file = {web_identity_token_file}")
                }
                _ => format!("source_profile = {}", Role::Runner),
            };
            let arn = role_arn(key.role);
            text.push_str(&format!(
                "[{}]\nrole_arn = {arn}\nrole_session_name = lab\n{from}\n\n",
                key.role
            ));
        }
        text
    }

    /// A shared-credentials file with a profile for each key: `copier`, and `other-copier` at the
    /// other provider.
    pub fn credentials_file(&self) -> String {
        let mut text = String::from("# Keys of the practice cloud; worthless anywhere else.\n");
        for key in &self.0 {
            text.push_str(&profile(key));
        }
        text
    }
}

fn profile(key: &Key) -> String {
    let prefix = match key.provider {
        Provider::Other => "other-",
        Provider::Aws => "",
    };
    format!(
        "[{prefix}{}]\naws_access_key_id = {}\naws_secret_access_key = {}\n\n",
        key.role, key.access_key_id, key.secret_access_key
    )
}

/// `arn:aws:iam::222222222222:role/copier`
pub fn role_arn(role: Role) -> String {
    format!("arn:aws:iam::{}:role/{role}", role.account())
}

/// Letters and digits.
pub fn random_text(length: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut rng = rand::rng();
    (0..length)
        .map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_an_earlier_lab_stay_and_new_ones_join_them() {
        let all = Keys::generate();
        let mut old = Keys(
            all.0
                .iter()
                .filter(|k| k.role != Role::Runner)
                .cloned()
                .collect(),
        );
        let before = old.0.clone();
        assert!(old.complete() && !old.complete());
        assert_eq!(old.0[..before.len()], before);
        assert!(old.key(Provider::Aws, Role::Runner).is_some());
        assert!(old.key(Provider::Other, Role::Runner).is_none());
    }

    #[test]
    fn each_role_has_a_key_at_each_provider_and_none_is_taken_for_another() {
        let keys = Keys::generate();
        assert_eq!(keys.0.len(), 17);
        let copier = keys.key(Provider::Aws, Role::Copier).unwrap();
        assert_eq!(copier.access_key_id, "AKIALABCOPIERXXXXXXX");
        assert_eq!(
            keys.lookup(Provider::Aws, &copier.access_key_id)
                .unwrap()
                .0
                .account,
            VAULT
        );
        assert!(
            keys.lookup(Provider::Other, &copier.access_key_id)
                .is_none()
        );
        assert!(keys.credentials_file().contains("[other-restorer]\n"));
    }
}
