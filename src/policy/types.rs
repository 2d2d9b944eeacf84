//! What a policy file may say. Every field is here; unknown fields are refused.

use super::cluster_shape::ClusterShape;
use super::coming::{ScratchServer, SnapshotLock, Verification};
use super::objective::Objective;
use super::references::Reference;
use super::sources::{AuroraSource, BucketSource, PostgresSource, Source};
use super::timing::Schedule;
use super::tuning::{Concurrency, Probe, Retry, Runner, Timeouts};
use crate::model::{
    AccountId, BucketName, KmsKey, LockMode, Method, Name, PolicyName, Provider, Region, Role,
    Seconds, SourceId, TargetName,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One policy: a set of sources protected together, because a restore needs all of them at one
/// instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Version of this file's format; 1.
    pub version: u32,
    pub name: PolicyName,
    /// What is protected.
    pub sources: Vec<Source>,
    /// Where copies go, in order of preference for the journal (the first capable one that answers
    /// is the journal target).
    pub targets: Vec<Target>,
    /// Service endpoints by region, for stores other than AWS and for practice. Absent: the
    /// service's own.
    #[serde(default)]
    pub endpoints: BTreeMap<Region, Endpoints>,
    pub credentials: Credentials,
    pub schedule: Schedule,
    /// How long the record of what was done is locked. Absent: as long as the data.
    pub evidence: Option<EvidenceRule>,
    /// What is promised, by method, of each source that has no objective of its own.
    #[serde(default)]
    pub objectives: BTreeMap<Method, Objective>,
    /// What a restore makes, where its flags do not say.
    pub restore: Option<Restore>,
    pub drill: Option<Drill>,
    /// When copies are read again.
    pub verify: Option<Verification>,
    /// Which files the rows of a database refer to.
    #[serde(default)]
    pub references: Vec<Reference>,
    #[serde(default)]
    pub concurrency: Concurrency,
    #[serde(default)]
    pub runner: Runner,
    #[serde(default)]
    pub timeouts: Timeouts,
    #[serde(default)]
    pub retry: Retry,
    #[serde(default)]
    pub probe: Probe,
}

/// A bucket with Object Lock that holds copies: a vault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    pub name: TargetName,
    pub region: Region,
    pub bucket: BucketName,
    /// The AWS account that owns the bucket. Absent at another provider.
    pub account: Option<AccountId>,
    /// `aws` or `compatible` (another provider's S3 API: no server-side copy from AWS, Content-MD5
    /// for checksums).
    #[serde(default)]
    pub provider: Provider,
    pub lock: LockRule,
    /// The cluster's snapshots are copied to this target's region.
    pub snapshots: Option<SnapshotTarget>,
    /// KMS key that S3 encrypts with at this target; absent: the bucket's default.
    pub kms_key: Option<KmsKey>,
    /// Profile by role, where it differs from `credentials.profiles`.
    #[serde(default)]
    pub profiles: BTreeMap<Role, Name>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockRule {
    pub mode: LockMode,
    /// How long a copy stays locked after its slot.
    pub retention: Seconds,
    /// Added to `retention`, so that a late run still meets it.
    #[serde(default = "default_grace")]
    pub grace: Seconds,
    /// A lock longer than this is refused: a typing mistake under COMPLIANCE cannot be undone by
    /// anyone.
    pub max_lock_days: u32,
}

fn default_grace() -> Seconds {
    Seconds::hours(1)
}

/// Plans, journals, points, proofs, probes and policies outlive the data that they speak of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceRule {
    /// How long it stays locked after its slot; the target's `grace` is added.
    pub retention: Seconds,
    /// A longer lock is refused, as for data.
    pub max_lock_days: u32,
}

/// Where copies of the cluster's snapshots go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnapshotTarget {
    /// A key of the target's region: the copy is encrypted again there.
    pub kms_key: KmsKey,
    /// The account that owns the copy.
    pub account: AccountId,
    /// A snapshot copy that nobody can delete.
    pub lock: Option<SnapshotLock>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    pub s3: Option<String>,
    pub rds: Option<String>,
    pub sts: Option<String>,
    pub kms: Option<String>,
}

/// References to credentials; a policy never holds a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// A shared-credentials file. Absent: the platform's own chain (Pod Identity, environment,
    /// ~/.aws).
    pub file: Option<String>,
    /// Profile of each role in that file. A role without one uses the platform's chain.
    #[serde(default)]
    pub profiles: BTreeMap<Role, Name>,
    /// PEM bundle for TLS to PostgreSQL (for Aurora: the RDS certificate bundle). Needed unless the
    /// server is on loopback.
    pub postgres_ca_file: Option<String>,
}

/// What stands by for an incident. Flags of `dr restore` come before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// The cluster that the method `snapshot` makes. Absent section: as the drill's.
    pub cluster: ClusterShape,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    pub schedule: Schedule,
    pub cluster: ClusterShape,
    /// Files are restored under a prefix of this bucket.
    pub scratch_bucket: BucketName,
    pub scratch_region: Region,
    /// Where dumps are loaded, in place of a scratch cluster.
    pub scratch_server: Option<ScratchServer>,
    /// The account that the scratch cluster lives in; never production's unless `same_account` says
    /// so.
    pub account: AccountId,
    #[serde(default)]
    pub same_account: bool,
    /// What a killed drill leaves is swept this long after its run opened.
    #[serde(default = "default_ttl")]
    pub ttl: Seconds,
    #[serde(default)]
    pub files: FilesChecked,
    /// The newest heartbeat in the restored data may be this much older than the snapshot.
    #[serde(default = "default_heartbeat_age")]
    pub heartbeat_max_age: Seconds,
    /// How long the server's extension amcheck looks at indexes and pages of each restored
    /// database, in an order that differs from drill to drill; `0s`: not at all.
    #[serde(default = "default_amcheck")]
    pub amcheck: Seconds,
    /// SQL that must return one row with one column that reads `expect`.
    #[serde(default)]
    pub assertions: Vec<Assertion>,
}

fn default_ttl() -> Seconds {
    Seconds::hours(6)
}
fn default_heartbeat_age() -> Seconds {
    Seconds(60)
}
fn default_amcheck() -> Seconds {
    Seconds(300)
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum FilesChecked {
    #[default]
    All,
    /// This many, spread evenly over the sorted list; the proof says how many were not checked.
    Sample(u64),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    pub id: Name,
    /// Where it is asked: absent where there is one source of databases, or one database.
    pub source: Option<SourceId>,
    pub database: Option<Name>,
    pub sql: String,
    pub expect: String,
}

impl Policy {
    /// Databases of a source that something else than its list names, sorted.
    pub fn databases_named(&self, source: &SourceId) -> Vec<Name> {
        let of = self.sources.iter().find(|s| s.id() == source);
        let beat = of.and_then(Source::heartbeat).map(|h| &h.database);
        let asked = self.drill.iter().flat_map(|d| &d.assertions);
        let asked = asked.filter(|a| a.source.as_ref().is_none_or(|s| s == source));
        let asked = asked.filter_map(|a| a.database.as_ref());
        let resolved = self.references.iter().filter(|r| &r.source == source);
        let resolved = resolved.filter_map(|r| r.database.as_ref());
        let named: BTreeSet<Name> = beat
            .into_iter()
            .chain(asked)
            .chain(resolved)
            .cloned()
            .collect();
        named.into_iter().collect()
    }
    /// Clusters whose snapshots are taken.
    pub fn clusters(&self) -> impl Iterator<Item = &AuroraSource> {
        self.sources.iter().filter_map(|s| match s {
            Source::Aurora(cluster) => Some(cluster),
            _ => None,
        })
    }
    /// Servers that are dumped by their address.
    pub fn servers(&self) -> impl Iterator<Item = &PostgresSource> {
        self.sources.iter().filter_map(|s| match s {
            Source::Postgres(server) => Some(server),
            _ => None,
        })
    }
    pub fn buckets(&self) -> impl Iterator<Item = &BucketSource> {
        self.sources.iter().filter_map(|s| match s {
            Source::Bucket(bucket) => Some(bucket),
            _ => None,
        })
    }
    /// Paths of files that it names: keys, passwords, certificates.
    pub fn files(&mut self) -> Vec<&mut String> {
        let mut files: Vec<&mut String> = Vec::new();
        let credentials = &mut self.credentials;
        files.extend(&mut credentials.file);
        files.extend(&mut credentials.postgres_ca_file);
        for source in &mut self.sources {
            if let Some(reader) = source.reader_mut() {
                files.push(&mut reader.password_file);
                files.extend(&mut reader.ca_file);
            }
        }
        let drill = self.drill.as_mut();
        if let Some(server) = drill.and_then(|d| d.scratch_server.as_mut()) {
            files.push(&mut server.password_file);
            files.extend(&mut server.ca_file);
        }
        files
    }
    pub fn target(&self, name: &TargetName) -> Option<&Target> {
        self.targets.iter().find(|t| &t.name == name)
    }
    pub fn s3_endpoint(&self, region: &Region) -> Option<&str> {
        self.endpoints.get(region).and_then(|e| e.s3.as_deref())
    }
    /// Where the store of a source bucket is: its own endpoint comes before its region's.
    pub fn endpoint_of<'a>(&'a self, source: &'a BucketSource) -> Option<&'a str> {
        let own = source.endpoint.as_deref();
        own.or_else(|| self.s3_endpoint(&source.region))
    }
    /// What kind of store a source bucket is at: one with an endpoint of its own, or beside a
    /// target at another provider, is none of AWS's.
    pub fn provider_of(&self, source: &BucketSource) -> Provider {
        let beside = |t: &Target| t.region == source.region && !t.provider.is_aws();
        match source.endpoint.is_some() || self.targets.iter().any(beside) {
            true => Provider::Compatible,
            false => Provider::Aws,
        }
    }
    pub fn rds_endpoint(&self, region: &Region) -> Option<&str> {
        self.endpoints.get(region).and_then(|e| e.rds.as_deref())
    }
}
