//! Backup and disaster recovery you can prove. ARCHITECTURE.md walks through the rooms.

pub mod aws;
pub mod journal;
pub mod manifest;
pub mod pg;
pub mod plan;
pub mod policy;
pub mod schedule;
pub mod vault;
pub mod world;
