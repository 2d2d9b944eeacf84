//! Newtypes for the names that travel through the whole program, so that a bucket is never taken
//! for a cluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// Name of a policy: lower case letters, digits, hyphens; at most 20 characters, because it is
    /// part of RDS names.
    PolicyName
);
id!(
    /// Name of a target inside its policy; same alphabet as [`PolicyName`].
    TargetName
);
id!(
    /// An AWS region, or the name of another provider's endpoint.
    Region
);
id!(
    /// A twelve-digit AWS account id.
    AccountId
);
id!(
    /// An S3 bucket.
    BucketName
);
id!(
    /// `DBClusterIdentifier`.
    ClusterId
);
id!(
    /// ARN of a KMS key.
    KmsKey
);
id!(
    /// Any other name (a profile, an instance class, a subnet group).
    Name
);

/// Who may do a step. Each role has a key of its own (docs/TRUST.md).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Scheduler,
    Copier,
    Driller,
    Prober,
    Auditor,
    Restorer,
}

impl Role {
    pub const ALL: [Role; 6] = [
        Role::Scheduler,
        Role::Copier,
        Role::Driller,
        Role::Prober,
        Role::Auditor,
        Role::Restorer,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Scheduler => "scheduler",
            Role::Copier => "copier",
            Role::Driller => "driller",
            Role::Prober => "prober",
            Role::Auditor => "auditor",
            Role::Restorer => "restorer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Role::ALL
            .into_iter()
            .find(|r| r.as_str() == text)
            .ok_or_else(|| {
                let all: Vec<_> = Role::ALL.iter().map(|r| r.as_str()).collect();
                format!("no role `{text}`; roles are {}", all.join(", "))
            })
    }
}
