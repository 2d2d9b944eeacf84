//! The practice cloud of `dr`: S3, RDS and the rest on loopback, with a fault hook in front of
//! every call.

pub mod accounts;
pub mod allow;
pub mod clock;
pub mod control;
pub mod demo;
pub mod hook;
pub mod keyring;
pub mod kms;
pub mod listen;
pub mod pg;
pub mod query;
pub mod rds;
pub mod s3;
pub mod shop;
pub mod sigv4;
pub mod sts;
pub mod up;
pub mod workload;
