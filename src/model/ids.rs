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
id!(
    /// One thing that is protected, by the id that its policy gives it: lower-case letters, digits
    /// and hyphens, at most 20.
    SourceId
);
id!(
    /// Key of an object, in a source bucket or in a vault.
    ObjectKey
);
id!(
    /// `VersionId` of an object as the service gave it; `null` where the bucket never had versions.
    VersionId
);

impl VersionId {
    /// What a bucket without versions calls the one it has.
    pub fn null() -> Self {
        Self::new("null")
    }
}
