//! What kind of store a bucket is at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    #[default]
    Aws,
    Compatible,
}

impl Provider {
    pub fn is_aws(&self) -> bool {
        *self == Provider::Aws
    }
}
