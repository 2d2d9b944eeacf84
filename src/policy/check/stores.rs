//! Which buckets are one bucket: a name stands for one in all of AWS, and for another one at each
//! endpoint elsewhere.

use super::trouble::Found;
use crate::model::{endpoint_allowed, same_endpoint};
use crate::policy::{BucketSource, Policy, Source, Target};
use crate::report::Code;

/// Where a bucket's name is looked up.
#[derive(Clone, Copy)]
pub(super) struct Store<'a> {
    aws: bool,
    endpoint: Option<&'a str>,
}

impl<'a> Store<'a> {
    pub fn of_source(policy: &'a Policy, source: &'a BucketSource) -> Self {
        Self {
            aws: policy.provider_of(source).is_aws(),
            endpoint: policy.endpoint_of(source),
        }
    }

    pub fn of_target(policy: &'a Policy, target: &Target) -> Self {
        Self {
            aws: target.provider.is_aws(),
            endpoint: policy.s3_endpoint(&target.region),
        }
    }

    fn one_endpoint(self, other: Self) -> bool {
        match (self.endpoint, other.endpoint) {
            (Some(a), Some(b)) => same_endpoint(a, b),
            _ => false,
        }
    }

    /// Whether a name means the same bucket at both.
    pub fn is(self, other: Self) -> bool {
        (self.aws && other.aws) || self.one_endpoint(other)
    }
}

/// A target that goes away together with a source holds no copy of it that day.
pub(super) fn lost_together(policy: &Policy, n: usize, target: &Target, found: &mut Found) {
    let region = &target.region;
    let here = Store::of_target(policy, target);
    let warning = policy.sources.iter().find_map(|source| {
        let bucket = match source {
            Source::Bucket(bucket) => Some(Store::of_source(policy, bucket)),
            Source::Aurora(_) | Source::Postgres(_) => None,
        };
        // Another provider may call its region as AWS calls one.
        let region_shared =
            source.region() == Some(region) && bucket.is_none_or(|store| store.is(here));
        if region_shared {
            return Some(format!(
                "`{region}` is also a source's region: it is lost with it"
            ));
        }
        bucket.filter(|store| store.one_endpoint(here)).map(|_| {
            let id = source.id();
            format!("source `{id}` is at the same endpoint: they are lost together")
        })
    });
    if let Some(text) = warning {
        found.warning(Code::TargetSameRegion, format!("targets[{n}].region"), text);
    }
}

/// Plain HTTP only to loopback, as for the endpoints of regions.
pub(super) fn endpoints(policy: &Policy, found: &mut Found) {
    for (n, source) in policy.sources.iter().enumerate() {
        let Source::Bucket(bucket) = source else {
            continue;
        };
        let wrong = bucket.endpoint.as_deref().map(endpoint_allowed);
        if let Some(Err(why)) = wrong {
            found.error(Code::Endpoint, format!("sources[{n}].endpoint"), why);
        }
    }
}
