//! A source as it is written: all fields that any kind has, so that a wrong one is pointed at where
//! it stands, then those of its kind.

use super::databases::{Databases, Heartbeat, Reader, SourceReading};
use super::objective::Objective;
use super::sources::{AuroraSource, BucketSource, PostgresSource, Source, default_port};
use crate::model::{AccountId, BucketName, ClusterId, Method, Name, Region, Role, SourceId};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Aurora,
    Postgres,
    Bucket,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceForm {
    id: SourceId,
    kind: Kind,
    cluster: Option<ClusterId>,
    host: Option<Name>,
    port: Option<u16>,
    bucket: Option<BucketName>,
    region: Option<Region>,
    account: Option<AccountId>,
    prefix: Option<String>,
    endpoint: Option<String>,
    profiles: Option<BTreeMap<Role, Name>>,
    databases: Option<Databases>,
    heartbeat: Option<Heartbeat>,
    reader: Option<Reader>,
    reference: Option<SourceReading>,
    #[serde(default)]
    objectives: BTreeMap<Method, Objective>,
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let form = SourceForm::deserialize(from)?;
        let source = match form.kind {
            Kind::Aurora => form.aurora().map(Source::Aurora),
            Kind::Postgres => form.postgres().map(Source::Postgres),
            Kind::Bucket => form.bucket().map(Source::Bucket),
        };
        source.map_err(D::Error::custom)
    }
}

/// A field that a kind must have.
fn needed<T>(kind: &str, field: &str, value: Option<T>) -> Result<T, String> {
    value.ok_or_else(|| format!("a source of kind `{kind}` needs `{field}`"))
}

/// Fields that another kind has.
fn none_of(kind: &str, fields: &[(&str, bool)]) -> Result<(), String> {
    match fields.iter().find(|(_, there)| *there) {
        None => Ok(()),
        Some((field, _)) => Err(format!("a source of kind `{kind}` has no field `{field}`")),
    }
}

impl SourceForm {
    fn aurora(self) -> Result<AuroraSource, String> {
        none_of(
            "aurora",
            &[
                ("host", self.host.is_some()),
                ("port", self.port.is_some()),
                ("bucket", self.bucket.is_some()),
                ("prefix", self.prefix.is_some()),
                ("endpoint", self.endpoint.is_some()),
                ("profiles", self.profiles.is_some()),
            ],
        )?;
        Ok(AuroraSource {
            id: self.id,
            cluster: needed("aurora", "cluster", self.cluster)?,
            region: needed("aurora", "region", self.region)?,
            account: needed("aurora", "account", self.account)?,
            databases: needed("aurora", "databases", self.databases)?,
            heartbeat: self.heartbeat,
            reader: self.reader,
            reference: self.reference,
            objectives: self.objectives,
        })
    }

    fn postgres(self) -> Result<PostgresSource, String> {
        none_of(
            "postgres",
            &[
                ("cluster", self.cluster.is_some()),
                ("bucket", self.bucket.is_some()),
                ("region", self.region.is_some()),
                ("account", self.account.is_some()),
                ("prefix", self.prefix.is_some()),
                ("endpoint", self.endpoint.is_some()),
                ("profiles", self.profiles.is_some()),
                ("reference", self.reference.is_some()),
            ],
        )?;
        Ok(PostgresSource {
            id: self.id,
            host: needed("postgres", "host", self.host)?,
            port: self.port.unwrap_or_else(default_port),
            databases: needed("postgres", "databases", self.databases)?,
            heartbeat: self.heartbeat,
            reader: self.reader,
            objectives: self.objectives,
        })
    }

    fn bucket(self) -> Result<BucketSource, String> {
        none_of(
            "bucket",
            &[
                ("cluster", self.cluster.is_some()),
                ("host", self.host.is_some()),
                ("port", self.port.is_some()),
                ("databases", self.databases.is_some()),
                ("heartbeat", self.heartbeat.is_some()),
                ("reader", self.reader.is_some()),
                ("reference", self.reference.is_some()),
            ],
        )?;
        Ok(BucketSource {
            id: self.id,
            bucket: needed("bucket", "bucket", self.bucket)?,
            region: needed("bucket", "region", self.region)?,
            account: self.account,
            prefix: self.prefix.unwrap_or_default(),
            endpoint: self.endpoint,
            profiles: self.profiles.unwrap_or_default(),
            objectives: self.objectives,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Source, String> {
        serde_json::from_str::<Source>(text).map_err(|e| e.to_string())
    }

    #[test]
    fn each_kind_has_its_fields_and_no_others() {
        let bucket = read(r#"{"id": "f", "kind": "bucket", "bucket": "b", "region": "r"}"#);
        assert!(matches!(bucket, Ok(Source::Bucket(b)) if b.prefix.is_empty()));
        let server = read(r#"{"id": "l", "kind": "postgres", "host": "h", "databases": "all"}"#);
        assert!(matches!(server, Ok(Source::Postgres(s)) if s.port == 5432));
        for (text, told) in [
            (
                r#"{"id": "f", "kind": "bucket", "region": "r"}"#,
                "a source of kind `bucket` needs `bucket`",
            ),
            (
                r#"{"id": "f", "kind": "bucket", "bucket": "b", "region": "r", "port": 1}"#,
                "a source of kind `bucket` has no field `port`",
            ),
            (
                r#"{"id": "l", "kind": "postgres", "host": "h", "databases": "all", "prefix": ""}"#,
                "a source of kind `postgres` has no field `prefix`",
            ),
            (
                r#"{"id": "s", "kind": "aurora", "cluster": "c", "region": "r", "account": "a"}"#,
                "a source of kind `aurora` needs `databases`",
            ),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.starts_with(told), "{why}");
        }
    }

    #[test]
    fn each_kind_promises_by_method() {
        for kind in [
            r#""kind": "bucket", "bucket": "b", "region": "r""#,
            r#""kind": "postgres", "host": "h", "databases": "all""#,
            r#""kind": "aurora", "cluster": "c", "region": "r", "account": "a", "databases": []"#,
        ] {
            let text = format!(
                r#"{{"id": "s", {kind}, "objectives": {{"dump": {{"rto": "1h", "rpo": "2h"}}}}}}"#
            );
            let source = read(&text).unwrap();
            let own = source.objectives().get(&Method::Dump).unwrap();
            assert_eq!((own.rto.0, own.rpo.0), (3600, 7200), "{kind}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = concat!(
            r#"{"kind":"bucket","id":"f","bucket":"b","region":"r","account":null,"#,
            r#""prefix":"p/","endpoint":null,"profiles":{},"objectives":{}}"#
        );
        let source = read(text).unwrap();
        assert_eq!(serde_json::to_string(&source).unwrap(), text);
    }
}
