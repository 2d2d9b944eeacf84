//! What is protected: a list, and what each kind of source says of itself.

use super::databases::{Databases, Heartbeat, Reader, SourceReading};
use super::objective::Objective;
use crate::model::{
    AccountId, BucketName, ClusterId, Method, Name, Region, Role, SourceId, SourceKind,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// One thing that is protected, under an id that every key, name and proof of it carries.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Source {
    Aurora(AuroraSource),
    Postgres(PostgresSource),
    Bucket(BucketSource),
}

/// An Aurora PostgreSQL cluster: its snapshots, and dumps of its databases.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AuroraSource {
    pub id: SourceId,
    pub cluster: ClusterId,
    pub region: Region,
    pub account: AccountId,
    /// Which databases are dumped and checked.
    pub databases: Databases,
    pub heartbeat: Option<Heartbeat>,
    /// Who reads the running cluster, before its snapshot and after.
    pub reader: Option<Reader>,
    /// How it is read.
    pub reference: Option<SourceReading>,
    /// What is promised of it, by method, in place of what the policy promises of all.
    #[serde(default)]
    pub objectives: BTreeMap<Method, Objective>,
}

/// A PostgreSQL server by its address: dumps of its databases.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PostgresSource {
    pub id: SourceId,
    pub host: Name,
    #[schemars(default = "default_port")]
    pub port: u16,
    pub databases: Databases,
    pub heartbeat: Option<Heartbeat>,
    pub reader: Option<Reader>,
    /// What is promised of it, by method, in place of what the policy promises of all.
    #[serde(default)]
    pub objectives: BTreeMap<Method, Objective>,
}

pub(super) fn default_port() -> u16 {
    5432
}

/// A bucket, or what is under a prefix of it: every version.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BucketSource {
    pub id: SourceId,
    pub bucket: BucketName,
    pub region: Region,
    pub account: Option<AccountId>,
    #[serde(default)]
    pub prefix: String,
    /// Where its store is, if it is none of AWS's.
    pub endpoint: Option<String>,
    /// Profile by role, where it differs from `credentials.profiles`.
    #[serde(default)]
    pub profiles: BTreeMap<Role, Name>,
    /// What is promised of it, by method, in place of what the policy promises of all.
    #[serde(default)]
    pub objectives: BTreeMap<Method, Objective>,
}

impl Source {
    pub fn id(&self) -> &SourceId {
        match self {
            Source::Aurora(s) => &s.id,
            Source::Postgres(s) => &s.id,
            Source::Bucket(s) => &s.id,
        }
    }

    pub fn kind(&self) -> SourceKind {
        match self {
            Source::Aurora(_) => SourceKind::Aurora,
            Source::Postgres(_) => SourceKind::Postgres,
            Source::Bucket(_) => SourceKind::Bucket,
        }
    }

    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Source::Aurora(s) => Some(&s.account),
            Source::Postgres(_) => None,
            Source::Bucket(s) => s.account.as_ref(),
        }
    }

    /// Where it is; a server has an address and no region.
    pub fn region(&self) -> Option<&Region> {
        match self {
            Source::Aurora(s) => Some(&s.region),
            Source::Postgres(_) => None,
            Source::Bucket(s) => Some(&s.region),
        }
    }

    pub fn databases(&self) -> Option<&Databases> {
        match self {
            Source::Aurora(s) => Some(&s.databases),
            Source::Postgres(s) => Some(&s.databases),
            Source::Bucket(_) => None,
        }
    }

    pub fn heartbeat(&self) -> Option<&Heartbeat> {
        match self {
            Source::Aurora(s) => s.heartbeat.as_ref(),
            Source::Postgres(s) => s.heartbeat.as_ref(),
            Source::Bucket(_) => None,
        }
    }

    /// What it promises by itself.
    pub fn objectives(&self) -> &BTreeMap<Method, Objective> {
        match self {
            Source::Aurora(s) => &s.objectives,
            Source::Postgres(s) => &s.objectives,
            Source::Bucket(s) => &s.objectives,
        }
    }

    pub(super) fn reader_mut(&mut self) -> Option<&mut Reader> {
        match self {
            Source::Aurora(s) => s.reader.as_mut(),
            Source::Postgres(s) => s.reader.as_mut(),
            Source::Bucket(_) => None,
        }
    }

    pub fn reader(&self) -> Option<&Reader> {
        match self {
            Source::Aurora(s) => s.reader.as_ref(),
            Source::Postgres(s) => s.reader.as_ref(),
            Source::Bucket(_) => None,
        }
    }
}
