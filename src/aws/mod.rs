//! The services, spoken through the AWS SDK. The only room that imports `aws_*`; outside it there
//! are plain values and [`Error`].

mod clients;
mod error;
mod keys;
pub mod rds;
pub mod s3;
pub mod sts;

pub use clients::{Clients, Credential, Keys, Place, Settings, Tuning};
pub use error::{Error, Kind};
