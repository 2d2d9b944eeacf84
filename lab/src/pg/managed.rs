//! What a managed service makes of a fresh server: a superuser of its own, a database of its own,
//! and a role that stands for what its customers may do.
//!
//! The master user is `NOSUPERUSER CREATEDB CREATEROLE INHERIT` and a member of `rds_superuser`, as
//! Aurora makes it. What the service's patched server lets that role do beyond this (event
//! triggers, extensions that are not trusted, REPLICATION by `rds_replication`) a plain server
//! refuses.

use super::session::{identifier, literal};

/// Roles of the service that a plain server gives no rights by themselves.
const PLATFORM: [&str; 4] = [
    "rds_superuser",
    "rds_replication",
    "rds_iam",
    "rds_password",
];

/// For single-user mode: one statement a line.
pub fn statements(major: &str) -> String {
    let mut lines: Vec<String> = PLATFORM
        .iter()
        .map(|role| format!("CREATE ROLE {role} NOLOGIN"))
        .collect();
    let mut granted = vec!["pg_monitor", "pg_signal_backend"];
    if major.parse::<u32>().is_ok_and(|m| m >= 15) {
        granted.push("pg_checkpoint");
    }
    lines.push(format!(
        "GRANT {}, rds_replication, rds_password TO rds_superuser WITH ADMIN OPTION",
        granted.join(", ")
    ));
    lines.push("CREATE DATABASE rdsadmin".into());
    lines.push("REVOKE ALL ON DATABASE rdsadmin FROM PUBLIC".into());
    lines.join(";\n") + ";\n"
}

/// The customer's first user.
pub fn master(user: &str, password: &str) -> String {
    let (user, password) = (identifier(user), literal(password));
    format!(
        "CREATE ROLE {user} LOGIN NOSUPERUSER INHERIT CREATEDB CREATEROLE NOREPLICATION \
         NOBYPASSRLS PASSWORD {password} IN ROLE rds_superuser; \
         ALTER DATABASE postgres OWNER TO {user}; ALTER DATABASE template1 OWNER TO {user}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_that_a_version_does_not_know_is_not_granted() {
        assert!(!statements("14").contains("pg_checkpoint"));
        assert!(statements("15").contains("pg_checkpoint"));
        assert!(statements("15").lines().all(|line| line.ends_with(';')));
    }
}
