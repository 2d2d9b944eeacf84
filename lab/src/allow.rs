//! What each role may call on S3: fixed lists, no policy language (docs/LAB.md shows them as a
//! table).

use crate::accounts::{Provider, Role};
use crate::hook::matches;

/// One S3 call as the lists see it.
#[derive(Clone, Debug, Default)]
pub struct S3Call<'a> {
    /// The API's name: `PutObject`, `UploadPart`, `ListObjectVersions`, …
    pub operation: &'a str,
    pub bucket: &'a str,
    pub key: Option<&'a str>,
    /// Carries `If-None-Match: *`.
    pub create_only: bool,
    /// Carries `x-amz-bypass-governance-retention: true`.
    pub bypass: bool,
}

const LOOK_AT_BUCKET: [&str; 13] = [
    "HeadBucket",
    "ListObjects",
    "ListObjectsV2",
    "ListObjectVersions",
    "GetBucketVersioning",
    "GetObjectLockConfiguration",
    "GetBucketEncryption",
    "GetBucketLifecycleConfiguration",
    "GetBucketLocation",
    "GetBucketPolicy",
    "GetPublicAccessBlock",
    "ListMultipartUploads",
    "GetBucketTagging",
];
const READ: [&str; 6] = [
    "GetObject",
    "HeadObject",
    "GetObjectRetention",
    "GetObjectLegalHold",
    "GetObjectAttributes",
    "GetObjectTagging",
];
const WRITE: [&str; 8] = [
    "PutObject",
    "CopyObject",
    "CreateMultipartUpload",
    "UploadPart",
    "UploadPartCopy",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
    "ListParts",
];
const SINGLE_WRITE: [&str; 1] = ["PutObject"];
const DELETE: [&str; 2] = ["DeleteObject", "DeleteObjects"];

/// What every role reads in a vault.
const DOCUMENTS: [&str; 7] = [
    "vault.json",
    "policies/*",
    "runs/*",
    "points/*",
    "proofs/*",
    "targets/*",
    "manifests/*",
];
/// Where everything is created, never replaced.
const CREATE_ONLY: [&str; 5] = ["runs/*", "policies/*", "points/*", "proofs/*", "targets/*"];

/// Of whoever opens runs that name a policy.
const POLICY_RUN: &str = "runs/*/policy-*";

fn any(patterns: &[&str], key: &str) -> bool {
    patterns.iter().any(|p| matches(p, key))
}

/// True where the role may make the call.
pub fn s3_allowed(role: Role, provider: Provider, call: &S3Call<'_>) -> bool {
    if role == Role::Admin {
        return true;
    }
    match call.bucket {
        b if b.starts_with("dr-vault") => in_vault(role, provider, call),
        b if b.starts_with("dr-scratch") => {
            role == Role::Driller
                && !call.bypass
                && (looks(call) || is(&READ, call) || is(&WRITE, call) || is(&DELETE, call))
        }
        b if b.starts_with("recovered-") => {
            role == Role::Restorer && (looks(call) || is(&READ, call) || is(&WRITE, call))
        }
        b if b.starts_with("app-") => match role {
            Role::Copier => looks(call) || is(&READ, call),
            Role::Scheduler => call.operation == "GetBucketVersioning",
            _ => false,
        },
        _ => false,
    }
}

fn is(operations: &[&str], call: &S3Call<'_>) -> bool {
    operations.contains(&call.operation)
}

fn looks(call: &S3Call<'_>) -> bool {
    is(&LOOK_AT_BUCKET, call)
}

fn in_vault(role: Role, provider: Provider, call: &S3Call<'_>) -> bool {
    if role == Role::Runner {
        return false;
    }
    if looks(call) {
        return call.operation != "ListMultipartUploads"
            || matches!(role, Role::Copier | Role::Dumper | Role::Driller);
    }
    let Some(key) = call.key else { return false };
    if role == Role::Prober && matches("probe/*", key) {
        return true;
    }
    if is(&READ, call) {
        return any(&DOCUMENTS, key)
            || (role == Role::Dumper && matches("dump/*", key))
            || matches!(
                role,
                Role::Copier | Role::Driller | Role::Restorer | Role::Auditor
            );
    }
    if call.bypass {
        return false;
    }
    if call.operation == "PutObjectRetention" {
        return role == Role::Copier && !matches("probe/*", key);
    }
    let conditional = provider == Provider::Other || call.create_only || !any(&CREATE_ONLY, key);
    conditional && may_write(role, call, key)
}

fn may_write(role: Role, call: &S3Call<'_>, key: &str) -> bool {
    let single = is(&SINGLE_WRITE, call);
    let any_write = is(&WRITE, call);
    match role {
        Role::Scheduler => {
            let documents = [
                "runs/*/backup-*",
                POLICY_RUN,
                "policies/*",
                "points/*/sources/*/reference*",
            ];
            single && any(&documents, key)
        }
        Role::Copier => {
            (single
                && any(
                    &[
                        "runs/*/backup-*",
                        POLICY_RUN,
                        "policies/*",
                        "points/*/point.json",
                        "points/*/sources/*",
                        "points/*/copies/*",
                    ],
                    key,
                ))
                || (any_write && any(&["objects/*", "objects-long/*", "manifests/*"], key))
        }
        Role::Dumper => {
            let documents = [
                "runs/*/backup-*",
                POLICY_RUN,
                "policies/*",
                "points/*/dumps/backup-*",
            ];
            (single && any(&documents, key)) || (any_write && matches("dump/*/backup-*", key))
        }
        Role::Driller => {
            (single
                && any(
                    &[
                        "runs/*/drill-*",
                        "runs/*/sweep-*",
                        POLICY_RUN,
                        "policies/*",
                        "points/*/dumps/drill-*",
                        "proofs/*",
                    ],
                    key,
                ))
                || (any_write && matches("dump/*/drill-*", key))
        }
        Role::Prober => {
            let runs = ["runs/*/drill-*", "runs/*/probe-*", POLICY_RUN];
            single && (any(&runs, key) || any(&["targets/*", "policies/*"], key))
        }
        Role::Restorer => single && any(&["runs/*/restore-*", "policies/*"], key),
        Role::Auditor => single && matches("runs/*/verify-*", key),
        Role::Admin | Role::Runner => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(role: Role, operation: &str, key: &str) -> bool {
        s3_allowed(
            role,
            Provider::Aws,
            &S3Call {
                operation,
                bucket: "dr-vault-central",
                key: Some(key),
                create_only: true,
                bypass: false,
            },
        )
    }

    #[test]
    fn the_copier_writes_objects_and_deletes_nothing() {
        assert!(
            may(Role::Copier, "PutObject", "objects/app-files/a/1")
                && may(Role::Copier, "UploadPart", "objects/app-files/a/1")
        );
        assert!(
            !may(Role::Copier, "DeleteObject", "objects/app-files/a/1")
                && !may(Role::Copier, "PutObject", "dump/x")
        );
        let bypass = S3Call {
            operation: "PutObjectRetention",
            bucket: "dr-vault-central",
            key: Some("objects/a"),
            create_only: false,
            bypass: true,
        };
        assert!(!s3_allowed(Role::Copier, Provider::Aws, &bypass));
        assert!(s3_allowed(
            Role::Copier,
            Provider::Aws,
            &S3Call {
                bypass: false,
                ..bypass
            }
        ));
    }

    #[test]
    fn a_runner_may_nothing() {
        assert!(!may(Role::Runner, "GetObject", "points/shop/1/point.json"));
        assert!(!may(Role::Runner, "ListObjectVersions", ""));
    }

    #[test]
    fn a_scheduler_reads_no_data_and_creates_only_backup_entries() {
        assert!(
            !may(Role::Scheduler, "GetObject", "objects/app-files/a/1")
                && !may(Role::Scheduler, "GetObject", "dump/x")
        );
        assert!(
            may(Role::Scheduler, "PutObject", "runs/shop/backup-1/00000000")
                && !may(Role::Scheduler, "PutObject", "runs/shop/drill-1/00000000")
        );
        let replacing = S3Call {
            operation: "PutObject",
            bucket: "dr-vault-central",
            key: Some("runs/shop/backup-1/0"),
            create_only: false,
            bypass: false,
        };
        assert!(!s3_allowed(Role::Scheduler, Provider::Aws, &replacing));
        assert!(s3_allowed(Role::Scheduler, Provider::Other, &replacing));
    }

    #[test]
    fn only_the_prober_may_try_to_break_a_lock_and_only_where_nothing_counts() {
        assert!(
            may(Role::Prober, "DeleteObject", "probe/1-control")
                && !may(Role::Prober, "DeleteObject", "points/shop/1/point.json")
        );
        assert!(!may(Role::Driller, "DeleteObject", "probe/1-control"));
        assert!(!may(Role::Auditor, "PutObject", "targets/x"));
    }
}
