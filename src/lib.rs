//! Backup and disaster recovery you can prove. ARCHITECTURE.md walks through the rooms.

pub mod manifest;
pub mod policy;
pub mod schedule;
