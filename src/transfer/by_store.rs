//! Whether a store copies by itself.

use crate::aws::s3::Bucket;
use crate::model::same_endpoint;

/// Whether the store may copy from a source by itself: the very key that writes here is the
/// source's as well, and both are AWS's, or at one endpoint. Another provider's copy is never used:
/// it gives no SHA-256 of what it stored, and no probe has seen whether it heeds the lock's
/// headers.
pub fn one_credential(source: &Bucket, to: &Bucket) -> bool {
    let (from, at) = (source.settings(), to.settings());
    let one_endpoint = match (&from.endpoint, &at.endpoint) {
        (Some(a), Some(b)) => same_endpoint(a, b),
        _ => false,
    };
    to.provider.is_aws()
        && from.credential == at.credential
        && (source.provider.is_aws() || one_endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{Clients, Credential, Keys, Place, Tuning};
    use crate::model::{BucketName, Provider, Region, Role, Seconds};
    use std::collections::BTreeMap;

    async fn bucket(provider: Provider, endpoint: Option<&str>, profile: &str) -> Bucket {
        let only = Credential::Profile {
            name: profile.into(),
            file: None,
        };
        let keys = Keys {
            file: None,
            profiles: BTreeMap::new(),
            by_target: BTreeMap::new(),
            by_source: BTreeMap::new(),
            only: Some(only),
        };
        let tuning = Tuning {
            connect: Seconds(1),
            call: Seconds(1),
            attempts: 1,
        };
        let (region, name) = (Region::new("r"), BucketName::new("b"));
        let place = Place {
            region: &region,
            endpoint,
            bucket: &name,
            provider,
            kms_key: None,
            target: None,
            source: None,
        };
        let clients = Clients::new(keys, tuning, BTreeMap::new(), None);
        clients.bucket(Role::Copier, &place).await
    }

    #[tokio::test]
    async fn a_store_copies_by_itself_only_where_one_key_reaches_both_ends() {
        use Provider::{Aws, Compatible};
        let (here, there) = (
            Some("https://s3.one.example"),
            Some("https://s3.two.example"),
        );
        let same = Some("https://S3.one.example/");
        for (source, to, wanted) in [
            ((Aws, None, "k"), (Aws, None, "k"), true),
            ((Aws, here, "k"), (Aws, there, "k"), true),
            ((Aws, None, "k"), (Aws, None, "l"), false),
            ((Aws, None, "k"), (Compatible, here, "k"), false),
            ((Compatible, here, "k"), (Aws, None, "k"), false),
            ((Compatible, here, "k"), (Aws, there, "k"), false),
            ((Compatible, here, "k"), (Aws, same, "k"), true),
            ((Compatible, here, "k"), (Aws, same, "l"), false),
            ((Compatible, here, "k"), (Compatible, here, "k"), false),
        ] {
            let from = bucket(source.0, source.1, source.2).await;
            let at = bucket(to.0, to.1, to.2).await;
            assert_eq!(one_credential(&from, &at), wanted, "{source:?} {to:?}");
        }
    }
}
