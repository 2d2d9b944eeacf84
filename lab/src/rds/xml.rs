//! Answers: elements named as in the service's model.

use super::state::{Cluster, Instance, Region, Snapshot, Tags, arn};
use jiff::Timestamp;

/// `<name>text</name>`, escaped.
pub fn element(name: &str, text: impl AsRef<str>) -> String {
    format!(
        "<{name}>{}</{name}>",
        quick_xml::escape::escape(text.as_ref())
    )
}

/// `<name>inner</name>` where `inner` is XML.
pub fn wrap(name: &str, inner: impl AsRef<str>) -> String {
    format!("<{name}>{}</{name}>", inner.as_ref())
}

fn optional(name: &str, text: Option<&String>) -> String {
    text.map(|t| element(name, t)).unwrap_or_default()
}

fn instant(name: &str, at: Timestamp) -> String {
    element(name, at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

pub fn tags(tags: &Tags) -> String {
    let each = tags
        .iter()
        .map(|(k, v)| wrap("Tag", element("Key", k) + &element("Value", v)));
    wrap("TagList", each.collect::<String>())
}

/// `tagged`: whoever asks owns it; the tags of a shared snapshot are its owner's.
pub fn snapshot(region: &str, s: &Snapshot, now: Timestamp, tagged: bool) -> String {
    let status = s.status(now);
    let percent = if status == "available" { "100" } else { "0" };
    let zones = ["a", "b", "c"]
        .map(|z| element("AvailabilityZone", format!("{region}{z}")))
        .concat();
    let fields = [
        wrap("AvailabilityZones", zones),
        element("DBClusterSnapshotIdentifier", &s.id),
        element("DBClusterIdentifier", &s.cluster),
        instant("SnapshotCreateTime", s.created),
        element("Engine", &s.engine),
        element("EngineMode", "provisioned"),
        element("AllocatedStorage", (s.bytes >> 30).to_string()),
        element("Status", status),
        element("Port", "0"),
        instant("ClusterCreateTime", s.cluster_created),
        element("MasterUsername", &s.master_user),
        element("EngineVersion", &s.engine_version),
        element("LicenseModel", "postgresql-license"),
        element("SnapshotType", "manual"),
        element("PercentProgress", percent),
        element("StorageEncrypted", "true"),
        element("KmsKeyId", &s.kms_key),
        element(
            "DBClusterSnapshotArn",
            arn(region, &s.account, "cluster-snapshot", &s.id),
        ),
        optional("SourceDBClusterSnapshotArn", s.source.as_ref()),
        element("IAMDatabaseAuthenticationEnabled", "false"),
        if tagged { tags(&s.tags) } else { String::new() },
    ];
    wrap("DBClusterSnapshot", fields.concat())
}

/// `status` overrides the cluster's own, for answers to Create and Delete.
pub fn cluster(
    name: &str,
    r: &Region,
    c: &Cluster,
    now: Timestamp,
    status: Option<&str>,
) -> String {
    let members = r.instances_of(&c.id).into_iter().enumerate().map(|(i, m)| {
        let writer = if i == 0 { "true" } else { "false" };
        let fields = [
            element("DBInstanceIdentifier", &m.id),
            element("IsClusterWriter", writer),
            element("PromotionTier", "1"),
        ];
        wrap(
            "DBClusterMember",
            fields.concat() + &element("DBClusterParameterGroupStatus", "in-sync"),
        )
    });
    let members = members.collect::<String>();
    let scaling = c.scaling.as_ref().map(|(min, max)| {
        wrap(
            "ServerlessV2ScalingConfiguration",
            element("MinCapacity", min) + &element("MaxCapacity", max),
        )
    });
    let fields = [
        element("AllocatedStorage", "1"),
        element("BackupRetentionPeriod", "1"),
        optional("DatabaseName", c.database.as_ref()),
        element("DBClusterIdentifier", &c.id),
        element(
            "Status",
            status.unwrap_or_else(|| c.making.status(now, "creating")),
        ),
        element("Endpoint", "127.0.0.1"),
        element("ReaderEndpoint", "127.0.0.1"),
        element("MultiAZ", "false"),
        element("Engine", &c.engine),
        element("EngineVersion", &c.engine_version),
        element("EngineMode", "provisioned"),
        element("Port", c.port.to_string()),
        element("MasterUsername", &c.master_user),
        wrap("DBClusterMembers", members),
        element("StorageEncrypted", "true"),
        element("KmsKeyId", &c.kms_key),
        element(
            "DbClusterResourceId",
            format!("cluster-{}", c.id.to_ascii_uppercase()),
        ),
        element("DBClusterArn", arn(name, &c.account, "cluster", &c.id)),
        instant("ClusterCreateTime", c.created),
        element("DeletionProtection", c.deletion_protection.to_string()),
        element("IAMDatabaseAuthenticationEnabled", "false"),
        element("HttpEndpointEnabled", "false"),
        scaling.unwrap_or_default(),
        tags(&c.tags),
    ];
    wrap("DBCluster", fields.concat())
}

pub fn instance(
    name: &str,
    i: &Instance,
    c: &Cluster,
    now: Timestamp,
    status: Option<&str>,
) -> String {
    let available = i.making.ready(now);
    let endpoint = wrap(
        "Endpoint",
        element("Address", "127.0.0.1") + &element("Port", c.port.to_string()),
    );
    let fields = [
        element("DBInstanceIdentifier", &i.id),
        element("DBInstanceClass", &i.class),
        element("Engine", &c.engine),
        element(
            "DBInstanceStatus",
            status.unwrap_or_else(|| i.making.status(now, "creating")),
        ),
        element("MasterUsername", &c.master_user),
        optional("DBName", c.database.as_ref()),
        if available { endpoint } else { String::new() },
        element("AllocatedStorage", "1"),
        instant("InstanceCreateTime", i.created),
        element("AvailabilityZone", format!("{name}a")),
        element("MultiAZ", "false"),
        element("EngineVersion", &c.engine_version),
        element("PubliclyAccessible", "false"),
        element("StorageType", "aurora"),
        element("DBClusterIdentifier", &i.cluster),
        element("StorageEncrypted", "true"),
        element("KmsKeyId", &c.kms_key),
        element("DbiResourceId", format!("db-{}", i.id.to_ascii_uppercase())),
        element("PromotionTier", "1"),
        element("DBInstanceArn", arn(name, &i.account, "db", &i.id)),
        element("DeletionProtection", "false"),
        tags(&i.tags),
    ];
    wrap("DBInstance", fields.concat())
}
