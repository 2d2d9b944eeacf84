//! What a managed service keeps on a server for its own use: Amazon RDS, Google Cloud SQL, Azure.

/// Databases that nobody else may enter, each with its owner: on other servers one may be called
/// so.
const DATABASES: [(&str, &str); 4] = [
    ("rdsadmin", "rdsadmin"),
    ("cloudsqladmin", "cloudsqladmin"),
    ("azure_maintenance", "azuresu"),
    ("azure_sys", "azuresu"),
];

pub(super) fn database(name: &str, owner: &str) -> bool {
    DATABASES.contains(&(name, owner))
}

/// A role that a server has by itself, or that a service keeps for its own use.
pub(super) fn role(name: &str) -> bool {
    let prefixes = ["pg_", "rds", "cloudsql"];
    prefixes.iter().any(|p| name.starts_with(p)) || ["azuresu", "azure_pg_admin"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_keeps_for_itself_is_known_by_name_and_owner() {
        assert!(database("rdsadmin", "rdsadmin") && database("azure_sys", "azuresu"));
        assert!(
            !database("rdsadmin", "shop"),
            "on a server of somebody's own"
        );
        assert!(
            !database("postgres", "cloudsqladmin"),
            "users keep tables in it"
        );
        for name in [
            "pg_monitor",
            "rds_superuser",
            "cloudsqlsuperuser",
            "azure_pg_admin",
        ] {
            assert!(role(name), "{name}");
        }
        for name in ["azure_app", "shop", "reader"] {
            assert!(!role(name), "{name}");
        }
    }
}
