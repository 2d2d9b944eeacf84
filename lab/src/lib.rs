//! The practice cloud of `dr`: S3, RDS and the rest on loopback, with a fault hook in front of every call.

pub mod pg;
pub mod workload;
