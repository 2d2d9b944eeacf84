//! Which role may call what in RDS; some only on things with a tag of theirs.

use super::state::Tags;
use crate::accounts::Role;

/// Whether a role may make this call at all.
pub fn allowed(role: Role, operation: &str) -> bool {
    let reads = operation.starts_with("Describe") || operation == "ListTagsForResource";
    match role {
        Role::Admin => true,
        Role::Dumper | Role::Prober | Role::Runner => false,
        Role::Auditor => reads,
        Role::Scheduler => {
            reads
                || matches!(
                    operation,
                    "CreateDBClusterSnapshot"
                        | "AddTagsToResource"
                        | "ModifyDBClusterSnapshotAttribute"
                )
        }
        Role::Copier => {
            reads
                || matches!(
                    operation,
                    "CopyDBClusterSnapshot"
                        | "AddTagsToResource"
                        | "ModifyDBClusterSnapshotAttribute"
                )
        }
        Role::Driller => {
            let makes = matches!(
                operation,
                "RestoreDBClusterFromSnapshot" | "CreateDBCluster" | "CreateDBInstance"
            );
            let ends = matches!(
                operation,
                "ModifyDBCluster" | "ModifyDBInstance" | "DeleteDBCluster" | "DeleteDBInstance"
            );
            reads || makes || ends
        }
        Role::Restorer => {
            reads
                || matches!(
                    operation,
                    "RestoreDBClusterFromSnapshot"
                        | "CreateDBCluster"
                        | "CreateDBInstance"
                        | "ModifyDBCluster"
                )
        }
    }
}

/// Whether a role may change or make a thing with these tags.
pub fn allowed_on(role: Role, tags: &Tags) -> bool {
    let tagged = |value: &str| tags.get("dr:role").is_some_and(|v| v == value);
    match role {
        Role::Driller => tagged("scratch"),
        Role::Restorer => tagged("restored"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_driller_deletes_and_only_scratch() {
        let roles = [
            Role::Scheduler,
            Role::Copier,
            Role::Prober,
            Role::Auditor,
            Role::Restorer,
        ];
        for operation in [
            "DeleteDBCluster",
            "DeleteDBInstance",
            "DeleteDBClusterSnapshot",
        ] {
            assert!(!roles.iter().any(|r| allowed(*r, operation)), "{operation}");
        }
        assert!(!allowed(Role::Driller, "DeleteDBClusterSnapshot"));
        let tags = |v: &str| Tags::from([("dr:role".to_owned(), v.to_owned())]);
        assert!(
            allowed_on(Role::Driller, &tags("scratch"))
                && !allowed_on(Role::Driller, &tags("restored"))
        );
        assert!(
            !allowed_on(Role::Driller, &Tags::new()) && !allowed_on(Role::Restorer, &Tags::new())
        );
        assert!(!allowed(Role::Prober, "DescribeDBClusters"));
    }
}
