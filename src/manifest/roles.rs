//! The roles of a server, as its catalogues hold them.

use super::Document;
use serde::{Deserialize, Serialize};

/// `dump/<policy>/<slot>/<drill run>/roles.json.zst`: what a dump knows about roles. Passwords are
/// not among it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    pub roles: Vec<RoleRow>,
    pub memberships: Vec<Membership>,
    pub parameters: Vec<ParameterGrant>,
    /// Roles of the platform, which every server of its kind has by itself.
    pub left_out: Vec<String>,
}

impl Document for Roles {
    const SCHEMA: &'static str = "dr/roles/1";
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleRow {
    pub name: String,
    pub superuser: bool,
    pub inherit: bool,
    pub create_role: bool,
    pub create_db: bool,
    pub login: bool,
    pub replication: bool,
    pub bypass_rls: bool,
    /// -1: none.
    pub connection_limit: i64,
    /// As the server writes it, in UTC.
    pub valid_until: Option<String>,
    /// Those for all databases, in the order that they were made.
    pub settings: Vec<RoleSetting>,
    pub comment: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleSetting {
    pub name: String,
    /// Byte for byte as it is stored: of a list, the list with its quotes.
    pub value: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub role: String,
    pub member: String,
    pub admin: bool,
    /// `None`: the server is older than 16 and knows no such option.
    pub inherit: Option<bool>,
    pub set: Option<bool>,
    /// Who granted it; a restore that may not say so grants in its own name.
    pub grantor: Option<String>,
}

/// `GRANT SET ON PARAMETER`, `GRANT ALTER SYSTEM ON PARAMETER`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterGrant {
    pub parameter: String,
    pub role: String,
    pub privilege: String,
    pub grantable: bool,
}
