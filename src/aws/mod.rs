//! The services, spoken through the AWS SDK. The only module that imports `aws_*`; outside it there
//! are plain values and [`Error`].

mod clients;
mod error;
mod keys;
pub mod rds;
pub mod s3;
mod settings;
pub mod sts;

pub use clients::{Clients, Keys, Place};
pub use error::{Error, Kind};
pub use settings::{Credential, Settings, Tuning};
