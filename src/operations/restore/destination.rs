//! Where a restore goes, from what was asked for and what the policy says.

use super::options::RestoreOption;
use super::place::Place;
use super::request::{ClusterDestination, RestoreRequest};
use crate::database::Address;
use crate::model::{ClusterId, Method, Name, Provider, VersionId, endpoint_allowed};
use crate::plan::{IntoDatabase, RestoreInto};
use crate::policy::ClusterShape;
use crate::report::{Code, Fail, Hint};

pub(super) struct Destination {
    pub into: RestoreInto,
    /// What a person types to confirm.
    pub word: String,
    pub address: Option<Address>,
}

/// The same command, with what is missing.
fn needs(method: Method, message: impl Into<String>) -> (Fail, Hint) {
    let again = Hint::again("restore").arg("--method", method);
    (Fail::usage(message), again)
}

pub(super) async fn destination(
    place: &Place,
    option: &RestoreOption,
    request: &RestoreRequest,
) -> Result<Destination, Fail> {
    match option.method {
        Method::Snapshot => cluster(place, request),
        Method::Dump => database(place, option, request).await,
        Method::Files => bucket(place, request),
    }
}

fn cluster(place: &Place, request: &RestoreRequest) -> Result<Destination, Fail> {
    let wanted = &request.cluster;
    let id = wanted.id.clone().ok_or_else(|| {
        let what = "method snapshot needs --cluster, the name of the new cluster";
        let (fail, again) = needs(Method::Snapshot, what);
        fail.hint(again.arg("--cluster", "NAME"))
    })?;
    valid_cluster(&id)?;
    let shape = shape(place, wanted, &id)?;
    shape.check_capacity().map_err(|why| {
        let what = format!("{why}; say them with --min-acu and --max-acu");
        let (fail, again) = needs(Method::Snapshot, what);
        fail.hint(again.arg("--min-acu", 0.5).arg("--max-acu", 8))
    })?;
    let policy = place.policy.as_ref();
    let endpoint = policy.and_then(|p| p.rds_endpoint(&place.target.region));
    Ok(Destination {
        word: id.to_string(),
        address: None,
        into: RestoreInto::Cluster {
            id,
            shape,
            rds_endpoint: request.endpoints.of("rds").or(endpoint.map(str::to_owned)),
        },
    })
}

/// What was asked for, else what the policy's drill has proven.
fn shape(place: &Place, wanted: &ClusterDestination, id: &ClusterId) -> Result<ClusterShape, Fail> {
    let policy = place.policy.as_ref();
    let drilled = policy.and_then(|p| p.drill.as_ref()).map(|d| &d.cluster);
    let class = wanted.instance_class.as_ref();
    let class = class.or(drilled.map(|d| &d.instance_class));
    let class = class.cloned().ok_or_else(|| {
        let (fail, again) = needs(
            Method::Snapshot,
            "the vault knows no instance class; name one",
        );
        let again = again.arg("--cluster", id);
        fail.hint(again.arg("--instance-class", "db.r6g.large"))
    })?;
    // Capacity belongs to a class: that of the drill says nothing of another one.
    let serverless = class.as_str() == ClusterShape::SERVERLESS;
    let drilled_capacity = drilled.filter(|_| serverless);
    let groups = &wanted.security_groups;
    Ok(ClusterShape {
        instance_class: class,
        subnet_group: wanted
            .subnet_group
            .clone()
            .or_else(|| drilled.and_then(|d| d.subnet_group.clone())),
        security_groups: match (groups.is_empty(), drilled) {
            (true, Some(drilled)) => drilled.security_groups.clone(),
            _ => groups.clone(),
        },
        parameter_group: wanted
            .parameter_group
            .clone()
            .or_else(|| drilled.and_then(|d| d.parameter_group.clone())),
        min_acu: wanted.min_acu.or(drilled_capacity.and_then(|d| d.min_acu)),
        max_acu: wanted.max_acu.or(drilled_capacity.and_then(|d| d.max_acu)),
    })
}

async fn database(
    place: &Place,
    option: &RestoreOption,
    request: &RestoreRequest,
) -> Result<Destination, Fail> {
    let url = request.database.url.as_ref().ok_or_else(|| {
        let what = "method dump needs --into, the URL of an empty database";
        let (fail, again) = needs(Method::Dump, what);
        fail.hint(again.arg("--into", "postgres://USER@HOST:5432/DATABASE"))
    })?;
    let address = Address::from_url(url, request.postgres_ca_file.clone())
        .map_err(|why| Fail::usage(format!("--into: {why}")))?;
    let key = option
        .dump
        .clone()
        .ok_or_else(|| Fail::usage(format!("point {} has no dump", option.point)))?;
    let versions = place.vault.versions_of(key.as_str()).await?;
    let version = versions.iter().find(|v| !v.delete_marker);
    let version = version
        .map(|v| VersionId::new(&*v.version))
        .ok_or_else(|| Fail::new(Code::Missing, format!("the dump {key} is gone")))?;
    Ok(Destination {
        word: address.database.clone(),
        into: RestoreInto::Database(IntoDatabase {
            host: address.host.clone(),
            port: address.port,
            database: address.database.clone(),
            user: address.user.clone(),
            of: option.database.clone().unwrap_or_else(|| Name::new("")),
            dump_key: key,
            dump_version: version,
        }),
        address: Some(address),
    })
}

fn bucket(place: &Place, request: &RestoreRequest) -> Result<Destination, Fail> {
    let (wanted, vault) = (&request.bucket, &place.target);
    let bucket = wanted.bucket.clone().ok_or_else(|| {
        let what = "method files needs --to-bucket, where the files go";
        let (fail, again) = needs(Method::Files, what);
        fail.hint(again.arg("--to-bucket", "BUCKET"))
    })?;
    if bucket == vault.bucket {
        return Err(Fail::new(
            Code::DestinationIsVault,
            format!("{bucket} is the vault itself; files are restored elsewhere"),
        ));
    }
    if let Some(url) = &wanted.endpoint {
        endpoint_allowed(url).map_err(|why| Fail::usage(format!("--to-bucket-endpoint: {why}")))?;
    }
    // Of an endpoint that only the flag names nothing is known: what every provider takes will do
    // there.
    let elsewhere = wanted.endpoint.is_some() && wanted.endpoint != vault.endpoint;
    let region = wanted.region.clone();
    Ok(Destination {
        word: bucket.to_string(),
        address: None,
        into: RestoreInto::Bucket {
            bucket,
            region: region.unwrap_or_else(|| vault.region.clone()),
            endpoint: wanted.endpoint.clone().or_else(|| vault.endpoint.clone()),
            provider: if elsewhere {
                Provider::Compatible
            } else {
                vault.provider
            },
            prefix: wanted.prefix.clone(),
        },
    })
}

/// Amazon RDS: 1 to 63 letters, digits or hyphens, a letter first, no hyphen last or doubled.
fn valid_cluster(id: &ClusterId) -> Result<(), Fail> {
    let text = id.as_str();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fine = (1..=60).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
        && text.chars().all(plain);
    if fine {
        return Ok(());
    }
    Err(Fail::usage(format!(
        "--cluster {text}: use 1 to 60 lower-case letters, digits and single hyphens, a letter \
         first"
    )))
}
