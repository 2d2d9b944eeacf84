//! Backup and disaster recovery you can prove.
