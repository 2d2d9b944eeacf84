//! S3 of one region or provider: `s3s` speaks the protocol, `front` refuses what it lets through,
//! `gate` knows who may do what and asks the hook, `ops` and the modules below it are the service.

mod admission;
mod attributes;
mod buckets;
mod completion;
mod conditions;
mod configs;
mod contents;
mod convert;
mod copies;
mod damage;
mod deletes;
mod documents;
mod error;
mod front;
mod gate;
mod held;
mod inside;
mod listing;
mod locking;
mod locks;
mod model;
mod objects;
mod ops;
mod outgoing;
mod page;
mod partition;
mod policy;
mod reads;
mod receive;
mod region;
mod spans;
mod store;
mod tags;
mod taking;
mod upload_lists;
mod uploads;
mod version_lists;

pub use conditions::Conditional;
pub use damage::{Damage, NewBucket};
pub use region::{Around, S3};
