//! Backup and disaster recovery you can prove. ARCHITECTURE.md walks through the modules.

pub mod aws;
pub mod cli;
pub mod database;
pub mod dump;
pub mod engine;
pub mod inventory;
pub mod journal;
pub mod manifest;
pub mod model;
pub mod operations;
pub mod plan;
pub mod policy;
pub mod proof;
pub mod report;
pub mod schedule;
pub mod status;
pub mod steps;
pub mod targets;
pub mod transfer;
pub mod vault;
pub mod verification;
pub mod world;
