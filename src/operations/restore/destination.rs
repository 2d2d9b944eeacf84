//! Where a restore goes, from what was asked for and what the policy says.

use super::options::RestoreOption;
use super::request::{ClusterDestination, RestoreRequest};
use crate::database::Address;
use crate::model::{ClusterId, Name, Provider, VersionId, endpoint_allowed};
use crate::plan::{IntoDatabase, PlanTarget, RestoreInto};
use crate::policy::{ClusterShape, Policy};
use crate::report::{Code, Fail, Hint};

pub(super) struct Destination {
    pub into: RestoreInto,
    /// What a person types to confirm.
    pub word: String,
    pub address: Option<Address>,
}

/// What was asked for, of what, and what is known there.
pub(super) struct Asked<'a> {
    pub request: &'a RestoreRequest,
    pub option: &'a RestoreOption,
    /// The target that data is taken from.
    pub vault: &'a PlanTarget,
    pub policy: Option<&'a Policy>,
    /// Of the option's dump, if it has one.
    pub dump_version: Option<VersionId>,
}

impl Asked<'_> {
    /// The same command, with what is missing.
    fn needs(&self, message: impl Into<String>) -> (Fail, Hint) {
        let again = Hint::again("restore").arg("--method", self.option.method);
        (Fail::usage(message), again)
    }
}

pub(super) fn cluster(asked: &Asked<'_>) -> Result<Destination, Fail> {
    let (wanted, policy) = (&asked.request.cluster, asked.policy);
    let id = wanted.id.clone().ok_or_else(|| {
        let method = asked.option.method;
        let what = format!("method {method} needs --cluster, the name of the new cluster");
        let (fail, again) = asked.needs(what);
        fail.hint(again.arg("--cluster", "NAME"))
    })?;
    valid_cluster(&id)?;
    let shape = shape(policy, wanted).ok_or_else(|| {
        let (fail, again) = asked.needs("the vault knows no instance class; name one");
        let again = again.arg("--cluster", &id);
        fail.hint(again.arg("--instance-class", "db.r6g.large"))
    })?;
    shape.check_capacity().map_err(|why| {
        let (fail, again) = asked.needs(format!("{why}; say them with --min-acu and --max-acu"));
        fail.hint(again.arg("--min-acu", 0.5).arg("--max-acu", 8))
    })?;
    let endpoint = policy.and_then(|p| p.rds_endpoint(&asked.vault.region));
    let endpoint = endpoint.map(str::to_owned);
    Ok(Destination {
        word: id.to_string(),
        address: None,
        into: RestoreInto::Cluster {
            id,
            shape,
            rds_endpoint: asked.request.endpoints.of("rds").or(endpoint),
        },
    })
}

/// What was asked for, else what the policy has for an incident, else what its drills have proven.
/// One of the two whole: networks of a drill lead nowhere. `None`: nobody names a class.
fn shape(policy: Option<&Policy>, wanted: &ClusterDestination) -> Option<ClusterShape> {
    let restored = policy.and_then(|p| p.restore.as_ref()).map(|r| &r.cluster);
    let drilled = policy.and_then(|p| p.drill.as_ref()).map(|d| &d.cluster);
    let known = restored.or(drilled);
    let class = wanted.instance_class.as_ref();
    let class = class.or(known.map(|k| &k.instance_class))?.clone();
    // Capacity belongs to a class: that of another one says nothing of it.
    let serverless = class.as_str() == ClusterShape::SERVERLESS;
    let known_capacity = known.filter(|_| serverless);
    let groups = &wanted.security_groups;
    let own = |asked: &Option<Name>, of: fn(&ClusterShape) -> &Option<Name>| {
        let known = || known.and_then(|k| of(k).clone());
        asked.clone().or_else(known)
    };
    Some(ClusterShape {
        instance_class: class,
        subnet_group: own(&wanted.subnet_group, |k| &k.subnet_group),
        security_groups: match known {
            Some(known) if groups.is_empty() => known.security_groups.clone(),
            _ => groups.clone(),
        },
        parameter_group: own(&wanted.parameter_group, |k| &k.parameter_group),
        min_acu: wanted.min_acu.or(known_capacity.and_then(|k| k.min_acu)),
        max_acu: wanted.max_acu.or(known_capacity.and_then(|k| k.max_acu)),
    })
}

pub(super) fn database(asked: &Asked<'_>) -> Result<Destination, Fail> {
    let (request, option) = (asked.request, asked.option);
    let url = request.database.url.as_ref().ok_or_else(|| {
        let method = option.method;
        let what = format!("method {method} needs --into, the URL of an empty database");
        let (fail, again) = asked.needs(what);
        fail.hint(again.arg("--into", "postgres://USER@HOST:5432/DATABASE"))
    })?;
    let address = Address::from_url(url, request.postgres_ca_file.clone())
        .map_err(|why| Fail::usage(format!("--into: {why}")))?;
    let dump = option.dump.clone().zip(asked.dump_version.clone());
    let (dump_key, dump_version) =
        dump.ok_or_else(|| Fail::usage(format!("point {} has no dump", option.point)))?;
    Ok(Destination {
        word: address.database.clone(),
        into: RestoreInto::Database(IntoDatabase {
            host: address.host.clone(),
            port: address.port,
            database: address.database.clone(),
            user: address.user.clone(),
            of: option.database.clone().unwrap_or_else(|| Name::new("")),
            dump_key,
            dump_version,
            refusals: request.database.refusals,
        }),
        address: Some(address),
    })
}

pub(super) fn bucket(asked: &Asked<'_>) -> Result<Destination, Fail> {
    let (wanted, vault) = (&asked.request.bucket, asked.vault);
    let bucket = wanted.bucket.clone().ok_or_else(|| {
        let method = asked.option.method;
        let what = format!("method {method} needs --to-bucket, where the files go");
        let (fail, again) = asked.needs(what);
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

#[cfg(test)]
mod tests;
